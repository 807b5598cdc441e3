"""Which icons teach the mini CLIP: openly licensed ones that the benchmark does not show."""

import io
import json
import tarfile

import pytest

from dpclip.data.benchmark import Icon, read_icons
from dpclip.errors import UserError
from dpclip_prepare.clip.corpus import Taught
from makers import corpus
from makers.corpus import benchmark_edges, candidates, fetched, likeness, looked_at, unlike_the_benchmark

SQUARE = '<path fill="currentColor" d="M2 2h12v12H2z"/>'


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """The first icon of the benchmark and one of a cat stand for all of it."""
    chosen = [read_icons()[0], next(icon for icon in read_icons() if icon.concept == "cat")]
    monkeypatch.setattr(corpus, "read_icons", lambda: chosen)
    benchmark_edges.cache_clear()
    yield chosen
    benchmark_edges.cache_clear()


def package(folder, sets):
    """An npm package @iconify/json of sets: name -> (licence, category, icon names)."""
    about = {n: {"license": {"spdx": licence}, "category": c, "palette": False} for n, (licence, c, _) in sets.items()}
    files = {"collections": about}
    files |= {f"json/{n}": {"icons": {key: {"body": SQUARE} for key in keys}} for n, (_, _, keys) in sets.items()}
    with tarfile.open(folder / "package.tgz", "w:gz") as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}.json")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder / "package.tgz"


def test_only_openly_licensed_sets_of_things_teach_and_no_drawing_of_the_benchmark(few, tmp_path):
    known = few[0]
    archive = package(
        tmp_path,
        {
            "free": ("MIT", "UI 24px", ["sleeping-cat-fill", "flag-chad", "hand-dark-skin-tone", "5"]),
            "closed": ("CC-BY-NC-4.0", "Emoji", ["dog"]),
            "brands": ("MIT", "Logos", ["dog"]),
            known.set: ("MIT", "Emoji", [known.name, f"{known.name}-fill"]),
        },
    )
    found = list(candidates(archive))
    assert [(t.icon.name, t.label, t.words) for t in found] == [("sleeping-cat-fill", "cat", "sleeping cat")]


def test_what_looks_like_a_picture_of_the_benchmark_is_left_out(few):
    star = Icon("", "set", "star", "0 0 16 16", '<path d="M8 0l2 6h6l-5 4 2 6-5-4-5 4 2-6-5-4h6z"/>', False)
    both = [Taught(icon, "cat", icon.name, True, True) for icon in (few[1], star, star)]
    assert [taught.words for taught in unlike_the_benchmark(both)] == ["star"]  # once: the second looks like the first


def test_a_rare_label_teaches_only_where_it_is_a_thing():
    star = Icon("", "set", "star", "0 0 16 16", '<path d="M8 0l2 6h6l-5 4 2 6-5-4-5 4 2-6-5-4h6z"/>', False)
    assert unlike_the_benchmark([Taught(star, "zig", "zig", False, False)]) == []
    assert len(unlike_the_benchmark([Taught(star, "zig", "zig", False, True)])) == 1


def test_edges_are_those_of_the_drawing_and_not_of_its_frame(few):
    for icon in few:
        fitted, edges = looked_at(icon)
        assert abs(edges @ edges - 1) < 1e-5 and abs(edges.sum()) < 1e-2
        assert likeness(looked_at(fitted)[1][None], benchmark_edges()).max() > 0.9
    assert looked_at(Icon("", "set", "nothing", "0 0 16 16", "", False)) is None


def test_another_package_is_refused(tmp_path):
    (tmp_path / "iconify-json-2.2.535.tgz").write_bytes(b"another")
    with pytest.raises(UserError, match="SHA-256 differs"):
        fetched(tmp_path)
