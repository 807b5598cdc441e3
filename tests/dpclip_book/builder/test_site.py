"""What goes into the site: contents, the last line of a page, the table of runs, the scripts for formulas."""

import json

import pytest
import yaml

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.builder import site
from dpclip_book.chapters import find_chapters

RECORD = {
    "parameters": {"preset": "mini"},
    "seconds": 12.4,
    "commit": "abc",
    "hardware": "2 cores",
    "python": "3.11",
    "torch": "2",
}


def test_contents_name_every_chapter_and_every_page_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    pages = [path.relative_to(ROOT) for path in (ROOT / "book").rglob("*.md")]
    chapters = [path.relative_to(ROOT) for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert sorted(listed) == sorted(path.with_suffix("").as_posix() for path in pages + chapters)


def test_last_line_says_what_was_run(project):
    (chapter,) = find_chapters("mini", project)
    chapter.build.mkdir(parents=True)
    (chapter.build / "00_first.json").write_text(json.dumps(RECORD))
    line = site.provenance(chapter)
    assert '`preset = "mini"` from commit `abc` in 12 s on 2 cores; Python 3.11, torch 2.' in line
    assert "Its results are from" not in line
    (chapter.build / "00_first.json").write_text(json.dumps(RECORD | {"records": "retrain"}))
    assert "Its results are from `retrain`." in site.provenance(chapter)


def test_formulas_need_no_network(tmp_path):
    site.copy_mathjax(tmp_path)
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    for part in ("startup", "core", *config["mathjax3_config"]["loader"]["load"]):
        assert (tmp_path / f"{part}.js").is_file()
    assert list((tmp_path / "output" / "chtml" / "fonts").rglob("*.woff"))
    assert config["mathjax_path"] == "../mathjax/startup.js" and config["html_extra_path"] == ["extra"]


def test_failed_build_keeps_the_old_site_and_says_where_the_log_is(project, monkeypatch):
    html = project / "_build" / "smoke" / "html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("good")
    monkeypatch.setattr(site, "stage", lambda *arguments: None)  # an empty source folder: Jupyter Book must refuse it
    with pytest.raises(UserError, match=r"Jupyter Book failed; its output is in _build/smoke/new-teacher\.log"):
        site.build_site("smoke", project)
    assert (html / "index.html").read_text() == "good"
