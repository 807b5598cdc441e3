"""Build the site: prose, executed chapters and vendored scripts are staged together, then Jupyter Book makes pages.

`_build/<preset>/source` is what Jupyter Book sees, `_build/<preset>/html` the last good site; a build that fails leaves
that site as it was.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import yaml
from rich.console import Console

from dpclip.errors import UserError
from dpclip.files import ROOT, atomic_write_text
from dpclip_book.builder import launch
from dpclip_book.builder.downloads import write_downloads
from dpclip_book.builder.generated import write_generated
from dpclip_book.builder.lighter import lighten
from dpclip_book.builder.notebooks import absolute_paths, clean
from dpclip_book.builder.page_checks import check_site
from dpclip_book.builder.pdf import NAME as PDF
from dpclip_book.builder.pdf import find_browser, print_book
from dpclip_book.builder.runner import run_chapters
from dpclip_book.chapters import Chapter, find_chapters
from dpclip_book.pages.explore import write_explorer
from dpclip_book.pages.try_page import write_try
from dpclip_book.teach.class_pages import write_measured
from dpclip_book.teach.editions import student

SITES = {"teacher": "html", "student": "html-student"}  # folder of each edition
MATHJAX = "sphinx-mathjax-offline"  # the package that carries MathJax 3.2.2
MATHJAX_PARTS = (  # as in _config.yml; the last writes MathML for screen readers
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
)
console = Console(highlight=False, markup=False, soft_wrap=True)


def make_book(preset: str, edition: str = "teacher", **options) -> Path:
    """Run what changed (`options` of run_chapters), build the site, check its pages; the last line is index.html."""
    run_chapters(preset, **options)
    index = build_site(preset, edition=edition)
    problems = check_site(index.parent)
    if problems:
        raise UserError("\n- ".join(["the site was built, but its pages have problems:", *problems]))
    console.print(str(index))
    return index


def build_site(preset: str, root: Path = ROOT, edition: str = "teacher") -> Path:
    """Stage everything and run Jupyter Book with warnings as errors. Returns the path of index.html.

    A chapter that was not run under `preset` appears with its stored outputs, and its last line says so. The student
    edition has folders of its own, so that both can be built at once. Raises UserError with the end of Jupyter Book's
    output when it fails.
    """
    build = root / "_build" / preset
    source, new, site = build / f"source-{edition}", build / f"new-{edition}", build / SITES[edition]
    stage(preset, source, root, edition)
    console.print("building the pages ...")
    jupyter_book("html", source, new, root)
    shutil.rmtree(site, ignore_errors=True)
    os.replace(new / "_build" / "html", site)
    shutil.rmtree(new)
    return site / "index.html"


def make_pdf(preset: str, root: Path = ROOT) -> Path:
    """Print the whole book to `_build/<preset>/dp-clip.pdf`; returns its path. Raises UserError without a Chromium."""
    find_browser()
    build = root / "_build" / preset
    source, single, target = build / "source", build / "single", build / PDF
    stage(preset, source, root)
    console.print("making one page of the book ...")
    jupyter_book("singlehtml", source, single, root)
    about = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    console.print("printing it, about a minute ...")
    pages = print_book(single / "_build" / "singlehtml", target, about["title"], about["author"])
    shutil.rmtree(single)
    console.print(f"{pages} pages, {target.stat().st_size / 1e6:.1f} MB")
    return target


def jupyter_book(builder: str, source: Path, new: Path, root: Path) -> None:
    """Run Jupyter Book on `source` with warnings as errors; what it makes is `new/_build/<builder>`."""
    shutil.rmtree(new, ignore_errors=True)
    start = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]  # also without a PATH to it
    words = ["build", str(source), "--path-output", str(new), "--builder", builder, "-n", "-W", "--keep-going"]
    done = subprocess.run([*start, *words], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    if done.returncode:
        log = new.with_suffix(".log")
        atomic_write_text(log, done.stdout + done.stderr)
        lines = re.sub(r"\x1b\[[\d;]*m", "", done.stderr).replace(f"{source}/", "").splitlines()
        warnings = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-15:]
        raise UserError(f"Jupyter Book failed; its output is in {log.relative_to(root)}:\n" + "\n".join(warnings))


def stage(preset: str, source: Path, root: Path = ROOT, edition: str = "teacher") -> None:
    """Fill `source` anew: book/, its computed parts, configuration, chapters with a provenance line each, MathJax,
    downloads, and the pages that rank and explore.
    """
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(root / "book", source / "book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, source / name)
    home = launch.configure(source / "_config.yml")
    chapters = find_chapters(preset, root)
    for chapter in chapters:
        notebook = student(chapter.shown(), chapter.name) if edition == "student" else chapter.shown()
        notebook.cells.append(nbformat.v4.new_markdown_cell(provenance(chapter) if chapter.ran else STORED))
        lighten(notebook)
        path = source / "notebooks" / chapter.source.name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
    write_generated(source / "book", chapters)
    (source / "book" / "_launch.md").write_text(launch.launch_part(home), encoding="utf-8")
    write_explorer(source)
    copy_mathjax(source / "extra" / "mathjax")
    write_try(preset, source)
    downloads = source / "extra" / "downloads"
    pdf = source.parent / (PDF if edition == "teacher" else "none")  # the PDF holds the solutions
    page = write_downloads(downloads, sorted((source / "notebooks").glob("*.ipynb")), pdf, preset, root)
    (source / "book" / "_downloads.md").write_text(page, encoding="utf-8")


STORED = "```{div} provenance\nThis page shows the outputs stored with the notebook. `make book` runs it.\n```"


def provenance(chapter: Chapter) -> str:
    """The last line of a page: what was run, from which commit, how long it took and on what."""
    record = chapter.record
    parameters = ", ".join(f"`{name} = {json.dumps(value)}`" for name, value in record["parameters"].items())
    run = f"with {parameters} from commit `{record['commit']}` in {record['seconds']:.0f} s on {record['hardware']}"
    versions = f"Python {record['python']}, torch {record['torch']}"
    made_here = f" Its results are from `{record['records']}`." if record.get("records") else ""
    return f"```{{div}} provenance\nThis page was run {run}; {versions}.{made_here}\n```"


def copy_mathjax(target: Path) -> None:
    """Copy the scripts that typeset formulas from the installed package, so that pages need no network."""
    script = next(file for file in importlib.metadata.files(MATHJAX) or () if file.name == MATHJAX_PARTS[0]).locate()
    for part in MATHJAX_PARTS:
        origin = script.parent / part
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(origin, target / part) if origin.is_dir() else shutil.copy(origin, target / part)


def store_outputs(preset: str = "mini", root: Path = ROOT, only: Sequence[str] | None = None) -> list[Path]:
    """Run what changed and write the outputs into notebooks/, without a trace of the machine, and what the chapters
    took into data/chapters/. Returns changed notebooks. `only` as in find_chapters.
    """
    changed = []
    chapters = run_chapters(preset, only=only, root=root)
    for chapter in chapters:
        if "missing" in chapter.record:
            raise UserError(f"{chapter.name} lacks runs, so there are no outputs to store. {chapter.record['missing']}")
        notebook = clean(nbformat.read(chapter.executed, as_version=4), root)
        left = absolute_paths(notebook)
        if left:
            paths = ", ".join(sorted(set(left)))
            raise UserError(f"{chapter.name} would store absolute paths: {paths}; take them out of its cells.")
        content = nbformat.writes(notebook) + "\n"
        if content != chapter.source.read_text(encoding="utf-8"):
            atomic_write_text(chapter.source, content)
            changed.append(chapter.source)
    write_measured(chapters, preset, root)
    console.print(f"stored the outputs of {len(changed)} changed chapters")
    return changed
