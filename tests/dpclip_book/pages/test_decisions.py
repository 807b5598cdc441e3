"""The decisions: each switch exists, each mark in the package is covered, numbers come from records."""

import ast
import copy
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest

from dpclip.config import preset
from dpclip.data.benchmark import recorded
from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip.runs import records
from dpclip.runs.experiments import OTHER_CHOICES, decision_rows
from dpclip.runs.records import make_run
from dpclip.runs.table_records import rows_of
from dpclip_book.pages.decisions import decisions_page, measured, read_decisions

DECISIONS = read_decisions()
MARK = "`" + "ours`"  # not a mark itself


def marked_objects(root: Path = ROOT) -> set[str]:
    """Dotted names of the modules, classes and functions of the three packages whose own docstring or comments hold
    MARK. A function with an argument of that name means the argument.
    """
    found, parents = set(), (root, root / "data", root / "book")
    files = [(parent, path) for parent in parents for path in parent.glob("dpclip*/**/*.py")]
    for parent, path in files:
        text = path.read_text(encoding="utf-8")
        module = ".".join(path.relative_to(parent).with_suffix("").parts)
        places = list(_places(ast.parse(text), module))
        for number, line in enumerate(text.splitlines(), start=1):
            if MARK not in line:
                continue
            name, node = next((p for p in reversed(places) if p[1].lineno <= number <= p[1].end_lineno), (module, None))
            if not (isinstance(node, ast.FunctionDef) and any(f"`{a.arg}`" == MARK for a in node.args.args)):
                found.add(name)
    return found


def _places(tree: ast.AST, prefix: str) -> Iterable[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """Dotted name and node of every class and function, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            name = f"{prefix}.{node.name}"
            yield name, node
            yield from _places(node, name)


def test_every_mark_of_our_own_choice_belongs_to_a_decision_and_the_reverse():
    covered = {name for decision in DECISIONS for name in decision.marks}
    marked = marked_objects()
    assert marked - covered == set(), "add them to `marks` of an entry of book/decisions.toml"
    assert covered - marked == set(), "no such mark in the package: take them out of book/decisions.toml"


def test_names_are_unique_and_marks_known():
    assert len({d.name for d in DECISIONS}) == len(DECISIONS)
    assert {d.mark for d in DECISIONS} <= {"paper", "code", "derived", "ours"}


def test_every_listed_run_belongs_to_one_decision_and_is_a_row_of_its_table():
    labels = [label for d in DECISIONS for label in d.runs]
    assert len(set(labels)) == len(labels) and set(labels) == set(OTHER_CHOICES)
    assert [row.name for row in decision_rows("mini")] == ["DP-CLIP", *OTHER_CHOICES]


def test_marks_are_found_where_they_stand(tmp_path):
    (tmp_path / "dpclip" / "data").mkdir(parents=True)
    mark = "`" + "ours`"
    (tmp_path / "dpclip" / "data" / "a.py").write_text(
        f'"""Of {mark}."""\nclass A:\n    def f(self):\n        return 1  # {mark}\n'
        f'def g(ours):\n    """{mark} minus 1"""\n'
    )
    (tmp_path / "dpclip" / "data" / "b.py").write_text("ours = 1\n")
    (tmp_path / "book" / "dpclip_book").mkdir(parents=True)
    (tmp_path / "book" / "dpclip_book" / "c.py").write_text(f"a = 1  # {mark}\n")
    assert marked_objects(tmp_path) == {"dpclip.data.a", "dpclip.data.a.A.f", "dpclip_book.c"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('switch = { colour = ["red"] }', "unknown config field 'colour'"),
        ('switch = { scaling = ["sideway", "wild"] }', "scaling='wild': choose one of"),
        ('switch = { rank = [1] }\nruns = ["rank 65"]', "the run 'rank 65' is not in OTHER_CHOICES"),
        ("", "give either `switch` or `fixed`"),
        ('fixed = "x"\nwhy = "y"', "unexpected keyword argument 'why'"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, line, message):
    path = tmp_path / "decisions.toml"
    fields = "".join(f'{n} = "x"\n' for n in ("name", "topic", "open", "reading", "mark", "changes", "page"))
    path.write_text(f"[[decision]]\n{fields}{line}\n")
    with pytest.raises(UserError, match="decision 'x'") as error:
        read_decisions(path)
    assert message in str(error.value)


def test_numbers_come_from_records_and_missing_runs_from_a_command(tmp_path, monkeypatch):
    listing = recorded()
    direct = [d for d in DECISIONS if d.name == "direct scaling"]
    templates = [records.read_record(make_run(preset("mini"), seed, listing).name) for seed in range(3)]
    record = templates[0]

    def put(hit: int, **changes):
        for seed in range(3):
            run = make_run(preset("mini").set(**changes), seed, listing)
            own = copy.deepcopy(templates[seed]) | {"run": run.name, "config": asdict(run.config)}
            for style in own["metrics"]["fine-grained"]["held-out"].values():
                style["ranks"] = {category: [hit] * len(ranks) for category, ranks in style["ranks"].items()}
                style["acc@1"] = float(hit == 1)
            records.write_record(own, tmp_path)

    table = measured(direct, rows_of("decisions", "mini", folder=tmp_path)).set_index("Instead")
    assert set(table["DP-CLIP is"]) == {"not run yet"}
    put(1)
    put(2, scaling="direct")
    table = measured(direct, rows_of("decisions", "mini", folder=tmp_path)).set_index("Instead")
    row = table.loc["direct scaling"]
    assert (row["DP-CLIP"], row["Instead of it"], row["DP-CLIP is"]) == ("100.0", "0.0", "better")
    assert row["Difference"] == "+100.0 [+100.0, +100.0]"
    assert table.loc["no scaling", "DP-CLIP is"] == "not run yet"
    for path in tmp_path.glob("*-[12].json"):
        path.unlink()
    monkeypatch.setenv("DPCLIP_RECORDS", str(tmp_path))  # one seed each
    table = measured(direct, rows_of("decisions", "mini", folder=tmp_path)).set_index("Instead")
    assert table.loc["direct scaling", "DP-CLIP is"] == "undecided"
    page = decisions_page(DECISIONS, tmp_path)
    assert page.count("| mAP@all | not run yet |") == 3  # table 2 has no run of it
    run = make_run(preset("mini").set(category_level=True), 0, listing)
    level = {setting: {"map@all": 0.5, "ap": []} for setting in ("blind", "generic", "oracle")}
    metrics = record["metrics"] | {"category-level": level}
    records.write_record(record | {"run": run.name, "config": asdict(run.config), "metrics": metrics}, tmp_path)
    page = decisions_page(DECISIONS, tmp_path)
    assert "`dpclip sweep --preset mini --table decisions` makes the runs that are missing" in page
    assert page.count("\n### ") == len(DECISIONS) and "| oracle | mAP@all | 50.0 |" in page
