"""`dpclip data check`: what a dataset's folder holds beside what it should hold, and the cure for each difference."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import track

from dpclip.config import preset
from dpclip.data.batches import check_trainable
from dpclip.data.images import read_image
from dpclip.data.layout import SIDES, Tree
from dpclip.data.sources import read_tree, sources, split_of
from dpclip.data.splits import closest, known_categories, unseen_categories
from dpclip.errors import UserError
from dpclip_prepare.check.expected import expected_counts, published_names

SHOWN = 5  # examples of each problem
HELD_OUT = 50  # sketches of each seen category that some circulated lists take away (57,587 = 62,787 - 104 x 50)
AGAIN = "Unpack the archive again."


@dataclass
class Problem:
    """One kind of fault: what it is, where (each place a string), and its cure."""

    what: str
    items: list[str]
    cure: str

    @property
    def lines(self) -> list[str]:
        more = [f"    ... and {len(self.items) - SHOWN:,} more"] * (len(self.items) > SHOWN)
        return [f"- {self.what}", *(f"    {item}" for item in self.items[:SHOWN]), *more, f"  Cure: {self.cure}"]


@dataclass
class Report:
    """The result of a check. `ok` when all counts are as expected and there is no problem."""

    name: str
    root: Path
    split: str
    counts: list[tuple[str, int, int | None]] = field(default_factory=list)  # what, found, expected where known
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and all(expected in (None, found) for _, found, expected in self.counts)

    @property
    def lines(self) -> list[str]:
        """The report as lines of text."""
        rows = [f"{self.name} in {self.root}, split {self.split}", "", f"{'':20}{'found':>10}{'expected':>10}"]
        for what, found, expected in self.counts:
            mark = "" if expected in (None, found) else "  differs"
            rows.append(f"{what:20}{found:10,}{'-' if expected is None else f'{expected:,}':>10}{mark}")
        rows += ["", *(line for problem in self.problems for line in problem.lines)]
        rows += [f"Note: {note}" for note in self.notes]
        return rows + ["In order." if self.ok else "Not in order."]


def check_dataset(name: str, root: Path, unseen: str = "", decode: bool = False) -> Report:
    """Compare a folder with what is known of its dataset; `decode` reads every image as well.

    Raises UserError when the name is unknown or a whole side is missing.
    """
    tree = read_tree(name, root)
    split = split_of(name, root, unseen)
    report = Report(name, Path(root), split or "every fifth category")
    report.problems += _structure(tree)
    try:
        away = unseen_categories(name, split, tree.categories)
    except UserError as error:
        away = []
        report.problems.append(Problem("the split does not fit", [str(error)], "See the message."))
    if name in ("sketchy", "sketchy-ext"):
        report.problems += _names(tree, away)
    report.problems += _untrainable(tree, split, report.notes)
    if decode:
        report.problems += _damaged(tree)
    else:
        report.notes.append("Sizes and names only were looked at; --decode reads every image.")
    report.counts = _counts(tree, split, away)
    report.notes += [f"left out: {number:,} {what}." for what, number in tree.ignored.items()]
    if "note" in sources()[name]:
        report.notes.append(" ".join(sources()[name]["note"].split()))
    return report


def _untrainable(tree: Tree, split: str, notes: list[str]) -> list[Problem]:
    """What would stop a run: of the preset `mini` for a folder of one's own, of `paper` for another dataset."""
    config = preset("mini" if tree.name == "folder" else "paper")
    try:
        manifest = tree.listing(split)
    except UserError:  # a fault that is told already
        return []
    if tree.name == "folder" and not manifest.paired:
        notes.append(
            "no sketch bears a photo's name: they meet by category, and only category-level retrieval can be measured."
        )
    if not (seen := manifest.categories("seen")):
        notes.append("all categories are unseen: trained runs can be tested here, none can be trained.")
    try:
        check_trainable(manifest, config, trains=bool(seen))
    except UserError as error:
        cure = f"See the message; the preset {config.preset} was asked for."
        return [Problem("too few images for a run", [str(error)], cure)]
    return []


def extended(tree: Tree) -> pd.Series:
    """Which rows of Sketchy-Ext are extended photos: those of their folder, and those named ext_N."""
    folder = tree.folders.get("extended")
    prefix = f"{folder.relative_to(tree.root).as_posix()}/" if folder else "\0"
    photo = tree.rows["modality"] == "photo"
    return photo & (tree.rows["path"].str.startswith(prefix) | tree.rows["name"].str.match("(?i)ext_"))


def _counts(tree: Tree, split: str, away: list[str]) -> list[tuple[str, int, int | None]]:
    expected = expected_counts(tree.name, split)
    found = {"categories": len(tree.categories)}
    if tree.name == "sketchy-ext":
        more = extended(tree)
        found["aligned photos"] = int(((tree.rows["modality"] == "photo") & ~more).sum())
        found["extended photos"] = int(more.sum())
    test = tree.rows["category"].isin(away)
    for modality in SIDES:
        own = tree.rows["modality"] == modality
        found |= {
            f"{part}{modality}{'e' * (modality == 'sketch')}s": int((own & mask).sum())
            for part, mask in (("", True), ("seen ", ~test), ("unseen ", test))
        }
    return [(what, number, expected.get(what)) for what, number in found.items()]


def empty(tree: Tree) -> list[str]:
    """Paths of the files without a single byte."""
    return [path for path in tree.rows["path"] if os.stat(f"{tree.root}/{path}").st_size == 0]


def _structure(tree: Tree) -> list[Problem]:
    """What is wrong whatever the dataset: misspelled, strange, doubled, empty, lone and unpaired."""
    known = known_categories(tree.name) or tree.categories
    guesses = {path: closest(path.rsplit("/", 1)[1], known) for path in tree.foreign}
    lone = tree.lone_categories()
    faults = [
        (
            "folders whose name is no category",
            [f"{path} (did you mean {guess}?)" if guess else path for path, guess in guesses.items()],
            "Rename each to the category it means, or move it away.",
        ),
        ("categories without photos", lone["photo"], AGAIN),
        ("categories without sketches", lone["sketch"], AGAIN),
        (
            "sketches that show no photo",
            tree.unpaired if tree.paired else [],
            "Put the photo back, or remove the sketch.",
        ),
        ("images that are there twice", tree.doubled, "Keep one of the two."),
        ("files that do not belong here (they are left out)", tree.strays, "Move them away."),
        ("empty files", empty(tree), AGAIN),
    ]
    return [Problem(f"{what} ({len(items):,})", items, cure) for what, items, cure in faults if items]


def _names(tree: Tree, away: list[str]) -> list[Problem]:
    """Sketchy's images against its published names."""
    rows = tree.rows[~extended(tree)]
    problems, guessed = [], {closest(path.rsplit("/", 1)[1], known_categories("sketchy")) for path in tree.foreign}
    gone = sorted(set(known_categories("sketchy")) - set(tree.categories) - guessed)
    if gone:
        problems.append(Problem(f"missing categories ({len(gone)})", gone, AGAIN))
    for modality, published in zip(SIDES, published_names(), strict=True):
        own = rows[rows["modality"] == modality]
        found = set(own["category"] + "/" + own["name"])
        present = set(own["category"])
        missing = sorted(name for name in published - found if name.partition("/")[0] in present)
        if modality == "sketch":
            missing, trap = _held_out(missing, sorted(present - set(away)), published)
            problems += trap
        extra = sorted(found - published)
        plural = f"{modality}{'e' * (modality == 'sketch')}s"
        if missing:
            problems.append(Problem(f"missing {plural} ({len(missing):,})", missing, AGAIN))
        if extra:
            cure = "Move them away: numbers on them are not comparable."
            problems.append(Problem(f"{plural} that are not of Sketchy's aligned set ({len(extra):,})", extra, cure))
    if tree.name == "sketchy-ext":
        problems += _copies(tree)
    return problems


def _held_out(missing: list[str], seen: list[str], published: frozenset[str]) -> tuple[list[str], list[Problem]]:
    """The circulated lists that train on 50 sketches a category less: (what else is missing, the explanation)."""
    lacking = pd.Series([name.partition("/")[0] for name in missing], dtype=object).value_counts()
    if not seen or set(lacking.index) != set(seen) or not (lacking == HELD_OUT).all():
        return missing, []
    whole = sum(name.partition("/")[0] in set(seen) for name in published)
    what = (
        f"every seen category lacks exactly {HELD_OUT} sketches: {whole - len(missing):,} instead of {whole:,}. This "
        "is a circulated list that holds them out of training; the published split does not"
    )
    return [], [Problem(what, missing, "Put them back: train on all sketches of the seen categories. " + AGAIN)]


def _copies(tree: Tree) -> list[Problem]:
    """Extended photos without the second copies of the aligned ones that the published galleries count."""
    photos, _ = published_names()
    more = tree.rows[extended(tree)]
    copied = photos & set(more["category"] + "/" + more["name"])
    if len(more) and not copied:
        what = (
            f"the extended photos lack the second copies of the {len(photos):,} aligned ones. The published gallery of "
            "Shen's list seems to count both, so numbers on this one are not quite comparable"
        )
        return [Problem(what, [], "Take the folder of extended photos as it was published.")]
    return []


def _damaged(tree: Tree) -> list[Problem]:
    """The images that cannot be decoded."""

    def fault(path: str) -> str | None:
        try:
            read_image(tree.root / path, 32)
        except UserError as error:
            return str(error)
        return None

    paths = tree.rows["path"][~tree.rows["path"].isin(empty(tree))].tolist()
    console = Console(stderr=True)
    with ThreadPoolExecutor() as pool:
        read = pool.map(fault, paths)
        steps = track(read, "decoding", len(paths), transient=True, console=console, disable=not console.is_terminal)
        faults = [text for text in steps if text]
    return [Problem(f"images that cannot be decoded ({len(faults):,})", faults, AGAIN)] if faults else []
