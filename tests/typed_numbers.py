"""Numbers that look like results and are typed into prose. Measured and published numbers come from records and data,
through glue or a computed table; a typed one goes stale without anybody noticing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from dpclip.files import ROOT

NUMBER = r"(?<![\w.,/@-])[+±−-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
RESULTS = {
    "per cent": rf"{NUMBER}\s?(?:%|per\s?cent\b)",
    "points": rf"{NUMBER}\s+points?\b",
    "interval": r"±\s*\.?\d",
    "metric": rf"\b(?:Acc|mAP|AP|P)(?:@\w+)?\s+(?:is|was|of|=|reaches|reached|from|to)\s+{NUMBER}",
    "decimal": r"(?<![\w./@-])[+−-]?\d*\.\d+(?![\w.-]*\w)",
}
# What is no prose, or no result. Each is taken out of the text before it is searched.
NO_PROSE = {
    "fenced code, formulas, computed parts": r"^(?P<f>```+|:::+)(?:\w*|\{(?:code[\w-]*|math|glue:\w+|include)\}.*)$"
    r".*?^(?P=f)[ ]*$",
    "exercises and their arithmetic": r"^```+\{(?:exercise|solution)\}.*?^```+[ ]*$|^## Exercises$.*",
    "display formulas": r"\$\$.*?\$\$",
    "roles, glued numbers among them": r"\{[\w:+-]+\}`[^`]*`",
    "inline code: settings, sizes, versions, commands": r"`[^`]*`",
    "inline formulas": r"\$[^$]+\$",
    "addresses": r"\]\([^)]*\)|https?://\S+",
}
NO_RESULT = {
    "versions and licences": r"\b(?:Python|torch|version|CC BY(?:-SA)?|License) v?\d+(?:\.\d+)*(?: to \d+(?:\.\d+)*)?",
    "arXiv": r"\b\d{4}\.\d{4,5}\b",
    "figures, tables, equations, sections": r"\b(?:Fig\.|Figure|Table|Section|Eq\.|Equation|Chapter) \d+(?:\.\d+)*",
    "the level of an interval": r"\b95 (?:%|per cent)(?: \w+)? intervals?\b",
}
MARK = re.compile(r"\{\.mark ")  # [paper]{.mark .mark-paper}: a fact about the method, with its evidence
SENTENCE = re.compile(r"(?<=[.:;!?])\s+(?=[A-Z\[{*`$-])|\n\s*\n|\n(?=\s*[-*|:] ?)")


@dataclass(frozen=True)
class Typed:
    """A suspicious number: which, of which kind, in which sentence."""

    page: str
    kind: str
    number: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.page}: {self.number!r} ({self.kind}) in: {self.sentence}"


def find_typed(text: str, page: str = "") -> list[Typed]:
    """Result-like numbers of a Markdown text, one a sentence at most. A sentence with an evidence mark may hold some:
    they are the method's.
    """
    for pattern in NO_PROSE.values():
        text = re.sub(pattern, " … ", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for sentence in SENTENCE.split(text):
        left = sentence if not MARK.search(sentence) else ""
        for pattern in NO_RESULT.values():
            left = re.sub(pattern, " … ", left)
        for kind, pattern in RESULTS.items():
            match = re.search(pattern, left)
            if match:
                found.append(Typed(page, kind, match.group().strip(), " ".join(sentence.split())))
                break
    return found


def find_all(root: Path = ROOT) -> list[Typed]:
    """Those of every page: the text cells of the chapters, and book/*.md."""
    found = []
    for path in sorted(root.glob("book/*.md")):
        found += find_typed(path.read_text(encoding="utf-8"), path.name)
    for path in sorted(root.glob("notebooks/*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        found += find_typed(text, path.name)
    return found
