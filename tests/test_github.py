"""Forms and the workflow for a public host: they cannot be tried here, so their shape is checked."""

import stat

import pytest
import yaml

from dpclip.files import ROOT

FOLDER = ROOT / ".github"
FORMS = sorted(path for path in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


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
    workflow = yaml.safe_load((FOLDER / "workflows" / "test.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR and "exec make test" in script.read_text(encoding="utf-8")
    (python,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/setup-python"))
    assert python["python-version"] == "3.11" and (ROOT / python["cache-dependency-path"]).is_file()
    (checkout,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout"))
    assert checkout["fetch-depth"] == 0, "staleness of records needs the history"
