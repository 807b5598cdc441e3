"""Forms and the workflow for a public host: they cannot be tried here, so their shape is checked."""

import stat
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from dpclip.files import ROOT

FOLDER = ROOT / ".github"
FORMS = sorted(path for path in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
JOB = yaml.safe_load((FOLDER / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]["test"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_form_has_the_shape_that_github_asks_for(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "labels", "body"} and form["name"] and form["description"]
    ids = [item["id"] for item in form["body"]]
    assert len(set(ids)) == len(ids) > 0
    for item in form["body"]:
        assert set(item) <= {"type", "id", "attributes", "validations"}
        assert item["type"] in {"input", "textarea", "dropdown", "checkboxes"} and item["attributes"]["label"]
        assert ("options" in item["attributes"]) == (item["type"] == "dropdown")
        assert item.get("validations", {"required": True}) == {"required": True}
    labels = [item["attributes"]["label"] for item in form["body"]]
    assert len(set(labels)) == len(labels)


def test_there_is_a_form_for_each_kind_of_report():
    assert [path.stem for path in FORMS] == ["bug", "method_or_data", "question", "wrong_number"]


def test_workflow_runs_what_a_person_runs():
    steps = JOB["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR and "exec make test" in script.read_text(encoding="utf-8")
    (python,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/setup-python"))
    assert python["python-version"] == "${{ matrix.python }}"
    assert (ROOT / python["cache-dependency-path"]).is_file()


def test_workflow_takes_the_oldest_and_the_newest_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    taken = SpecifierSet(project["requires-python"])
    minors = [f"3.{minor}" for minor in range(9, 30) if taken.contains(f"3.{minor}.9")]
    assert JOB["strategy"]["matrix"]["python"] == [minors[0], minors[-1]]
