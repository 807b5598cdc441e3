"""`dpclip data check|where` as a person sees them."""

import pytest
from typer.testing import CliRunner

from dpclip import cli
from dpclip.data.sources import open_dataset
from dpclip.errors import UserError
from tests.stand_in import make_sketchy


def run(*words):
    return CliRunner().invoke(cli.app, ["data", *map(str, words)])


def test_check_tells_by_its_exit_status(tmp_path, sketchy):
    whole, part = (
        run("check", "sketchy", sketchy),
        run("check", "sketchy", make_sketchy(tmp_path / "a", "flat", ["cow"])),
    )
    assert whole.exit_code == 0 and whole.output.rstrip().endswith("In order.")
    assert part.exit_code == 1 and part.output.rstrip().endswith("Not in order.")
    assert "62,787    62,787" in whole.output and "missing categories (124)" in part.output
    assert "1 of 1 categories are unseen" in part.output


def test_check_needs_a_folder():
    with pytest.raises(UserError, match="sketchy needs the path of its folder"):
        cli.app(["data", "check", "sketchy"], standalone_mode=False)


@pytest.mark.parametrize("name", ["sketchy", "tuberlin-ext", "quickdraw-ext", "folder"])
def test_folders_without_an_image(tmp_path, name):
    for side in ("photo", "sketch"):
        (tmp_path / side).mkdir()
    result = run("check", name, tmp_path)
    assert result.exit_code == 1 and "0 of 0 categories" in result.output
    with pytest.raises(UserError, match="no image in"):
        open_dataset(name, tmp_path)


def test_a_folder_of_ones_own_is_told_its_minimum_and_the_line_that_trains_on_it():
    text = run("where", "folder").output
    assert "4 photos in each, 3 of them with a sketch" in text and "16 sketches in a seen category" in text
    assert "dpclip train --preset mini --data FOLDER" in text and "by author" not in text


def test_build_and_check_say_what_they_do(monkeypatch):
    monkeypatch.setattr("dpclip_prepare.draw.benchmark_images.build", lambda: 61.4)
    assert run("build", "--force").output.splitlines() == [
        "Drawing the embedded benchmark, about three minutes on two free cores.",
        "The embedded benchmark is drawn, in 61 seconds.",
    ]
    monkeypatch.setattr("dpclip_prepare.draw.benchmark_images.is_built", lambda: True)
    assert run("build").output == "The embedded benchmark is drawn already.\n"
    monkeypatch.setattr("dpclip_prepare.draw.benchmark_images.check_benchmark", lambda: [])
    assert run("check").output.splitlines() == [
        "Checking icon-sbir ...",
        "The embedded benchmark is complete and as recorded.",
    ]


def test_where():
    assert "http://sketchy.eye.gatech.edu/" in run("where", "sketchy").output
