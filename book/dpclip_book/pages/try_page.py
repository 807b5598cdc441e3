"""The page `try`: a reader draws, and the model ranks photos in the browser, with no server and from a disk too.

The model is the preset's run with seed 0. What the page loads is kept in build/try, under a key of that run's weights
and of the code here, and copied into the site.
"""

import hashlib
import json
import os
import shutil
from html import escape
from pathlib import Path
from string import Template

from filelock import FileLock
from matplotlib.figure import Figure

from dpclip.config import preset as find_preset
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.errors import MissingRun
from dpclip.evaluation.evaluate import Bench, open_bench, rank_photos
from dpclip.figures.panels import save_figure
from dpclip.files import DATA, ROOT, atomic_write_text, ensure_writable, sha256_file
from dpclip.runs.records import Run
from dpclip.runs.run import ensure_model, open_run, run_folder
from dpclip.training.train import CHECKPOINT
from dpclip_book.builder import npm
from dpclip_book.figures.ranking_pictures import show_ranking
from dpclip_book.pages.tower import export_tower
from dpclip_book.pages.try_data import Offer, offers, packed, page_data

CACHE = ROOT / "build" / "try"
HERE = Path(__file__).parent
ASSETS = HERE / "assets"
PAGE, PICTURE = "try.html", "try.png"
PARTS = ("try.css", "drawing.js", "pixels.js", "ranking.js", "try.js")
MAKERS = ("tower.py", "try_data.py", "try_page.py", "../studies/rankings.py")
LOADED = ("data", "model", "runtime")  # scripts that are made
RUNTIME = "onnxruntime-web"
OTHER_DATA = (
    "```{note}\nThis page ranks the pictures of the embedded benchmark, which may be handed on. The pages of this site "
    "were made with the preset `NAME`, whose pictures may not. `make book` makes the page with the preset `mini`.\n```"
)
EXAMPLE = (
    "````{div} try-example\nWithout scripts this page ranks nothing itself; {numref}`fig-try` shows one ranking.\n\n"
    "```{figure} figures/try.png\n:name: fig-try\n:alt: A sketch and, row by row, the ten nearest pictures of its "
    "category\n\nWhat the page shows, for one sketch: the photos of its category, nearest first. The true photo has a "
    "red frame, if it is among them.\n```\n````"
)


def write_try(preset: str, source: Path) -> None:
    """Fill the staged folders: book/_try.md, which the page includes, and extra/try, which it loads. For other data
    than the embedded benchmark, and for a run that may not be trained, only a note.
    """
    fragment = source / "book" / "_try.md"
    if find_preset(preset).dataset != EMBEDDED:
        atomic_write_text(fragment, OTHER_DATA.replace("NAME", preset) + "\n")
        return
    try:
        made = ensure_parts(preset)
    except MissingRun as error:
        first, *runs = str(error).splitlines()
        lines = [f"- `{run.replace(': ', '`: ', 1)}" for run in runs]
        atomic_write_text(fragment, "\n".join(["```{warning}", first, "", *lines, "```", ""]))
        return
    shutil.copytree(made, source / "extra" / "try", ignore=shutil.ignore_patterns(PAGE, PICTURE))
    (source / "book" / "figures").mkdir(exist_ok=True)
    shutil.copy(made / PICTURE, source / "book" / "figures" / PICTURE)
    megabytes = sum((made / f"{name}.js").stat().st_size for name in LOADED) / 1e6
    page = (made / PAGE).read_text(encoding="utf-8")
    link = '<a href="../try/LICENSES.txt">authors and licences</a>'
    loaded = f"The first ranking loads {megabytes:.0f} MB of pictures, network and engine beside this page; {link}."
    atomic_write_text(fragment, f"```{{raw}} html\n{page}```\n\n{loaded}\n\n{EXAMPLE}\n")


def ensure_parts(preset: str) -> Path:
    """The folder with all that the page loads, made when it is not there. Raises MissingRun like `ensure_model`."""
    run, store = open_run(preset)
    training = ensure_model(run, store)
    made = CACHE / f"{run.name}-{parts_key(run)}"
    ensure_writable(CACHE)
    with FileLock(CACHE / f"{made.name}.lock"):  # of several processes one makes it, the others wait
        if not made.is_dir():
            part = made.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            write_parts(open_bench(training.model, store), part)
            os.replace(part, made)
    return made


def parts_key(run: Run) -> str:
    """12 hexadecimal digits of the run's weights, of the code that makes the parts, and of the runtime's version."""
    weights = sha256_file(run_folder(run) / CHECKPOINT)
    made_by = [HERE / name for name in MAKERS] + [ASSETS / name for name in (PAGE, *PARTS)]
    code = [sha256_file(path) for path in made_by]
    return hashlib.sha256(json.dumps([weights, code, npm.PACKAGES[RUNTIME]]).encode()).hexdigest()[:12]


def write_parts(bench: Bench, folder: Path) -> None:
    """Scripts, data, network, runtime, licences, and the page's own part with a static example."""
    found = offers(bench)
    for name in PARTS:
        shutil.copy(ASSETS / name, folder / name)
    write_script(folder, "data", page_data(bench, found))
    write_script(folder, "model", packed(export_tower(bench, found[0].context)))
    write_runtime(folder)
    licences = (DATA / EMBEDDED / "NOTICE.md").read_text(encoding="utf-8")
    atomic_write_text(folder / "LICENSES.txt", f"{licences}\n{RUNTIME} {npm.PACKAGES[RUNTIME]}: MIT, Microsoft\n")
    save_figure(example(bench, found), folder / PICTURE)
    words = bench.store.manifest.text
    options = "\n".join(f"<option>{escape(words[offer.test.category])}</option>" for offer in found)
    page = Template((ASSETS / PAGE).read_text(encoding="utf-8"))
    atomic_write_text(folder / PAGE, page.substitute(options=options))


def write_script(folder: Path, name: str, value: object, before: str = "") -> None:
    """A classic script that hands `value` to the page."""
    atomic_write_text(folder / f"{name}.js", f"{before}dpclipTry.receive({json.dumps(name)}, {json.dumps(value)});\n")


def write_runtime(folder: Path) -> None:
    """onnxruntime-web for one thread: its script, then the network engine and what starts it, packed."""
    dist = npm.package(RUNTIME) / "dist"
    engine = "ort-wasm-simd-threaded"
    parts = {
        "script": (dist / f"{engine}.mjs").read_text(encoding="utf-8"),
        "wasm": packed((dist / f"{engine}.wasm").read_bytes()),
    }
    script = (dist / "ort.wasm.min.js").read_text(encoding="utf-8").split("//# sourceMappingURL=")[0]
    write_script(folder, "runtime", parts, before=script + "\n")


def example(bench: Bench, found: list[Offer]) -> Figure:
    """A ranking to look at without scripts: of the first category the last sketch, which a program drew."""
    test, (row, _) = found[0].test, found[0].sketches[-1]
    target = test.gallery[test.target[test.queries == row]].item()
    return show_ranking(bench.store, rank_photos(bench, bench.store[[row]][0], test, test.gallery), target=target)
