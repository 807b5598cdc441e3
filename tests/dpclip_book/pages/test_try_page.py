"""What the page that ranks photos is made of: the network as ONNX, packed numbers, and a note where there is none."""

import base64
import gzip
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from dpclip.config import DPCLIPConfig
from dpclip.data import benchmark
from dpclip.data.batches import test_sets
from dpclip.data.store import ImageStore
from dpclip.errors import MissingRun
from dpclip.evaluation.evaluate import open_bench
from dpclip.evaluation.prompt_similarity import similarity
from dpclip.files import ROOT
from dpclip.method.model import DPCLIP
from dpclip_book.pages import try_page
from dpclip_book.pages.tower import export_tower, stacked
from dpclip_book.pages.try_data import BY_PEOPLE, LARGEST, offered_categories, offered_sketches, offers, page_data
from tests.toy import make_toy


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    from tests.conftest import _make_tiny

    folder = tmp_path_factory.mktemp("toy")
    store = ImageStore(make_toy(folder, size=56), 56, cache=folder / "cache")
    return open_bench(DPCLIP(_make_tiny(), DPCLIPConfig(window=3)), store)


def test_the_network_gives_the_features_and_the_heatmap_of_the_model(bench):
    offer = offers(bench)[0]
    network = export_tower(bench, offer.context)
    assert str(ROOT).encode() not in network and b"site-packages" not in network
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    sketch = bench.store[offer.test.queries[:1]]
    prompts, scales = (part.numpy() for part in stacked(offer.context))
    features, heat = session.run(None, {"sketch": sketch[:, :1].numpy(), "prompts": prompts, "scales": scales})
    with torch.inference_mode():
        wanted = F.normalize(bench.encode(offer.test.queries[:1], offer.context).levels(), dim=-1)[0]
    assert np.abs(features - wanted.numpy()).max() < 1e-3  # weights of 16 bits
    assert np.abs(heat - similarity(bench.model, sketch, offer.context).mean(1)[0].numpy()).max() < 1e-3


def test_packed_numbers_are_those_of_python(bench):
    found = offers(bench)
    data = page_data(bench, found)

    def unpacked(name, kind):
        return np.frombuffer(gzip.decompress(base64.b64decode(data[name])), kind)

    assert [category["name"] for category in data["categories"]] == ["pear", "saw"]
    photos = sum(len(category["photos"]) for category in data["categories"])
    features = unpacked("features", "<i2").reshape(photos, *data["levels"]) / LARGEST
    assert np.allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-3)
    with torch.inference_mode():
        second = F.normalize(bench.encode(found[1].test.gallery, found[1].context).levels(), dim=-1).numpy()
    assert np.abs(features[-len(second) :] - second).max() < 1e-4
    each = unpacked("contexts", "<f4").reshape(2, -1)
    assert (each[1] == torch.cat([part.flatten() for part in stacked(found[1].context)]).numpy()).all()
    sketches = unpacked("sketches", np.uint8).reshape(-1, 56, 56)
    first = data["categories"][0]
    row, hint = first["sketches"][0]["row"], found[0].test.support[0]
    assert (sketches[0] == bench.store.load(np.array([row]))[0, 0].numpy()).all()
    assert (sketches[len(first["sketches"])] == bench.store.load(np.array([hint]))[0, 0].numpy()).all()


def test_no_sketch_of_the_support_is_offered_and_each_has_its_photo(bench):
    names = bench.store.manifest.table["instance"]
    for offer, category in zip(offers(bench), page_data(bench, offers(bench))["categories"], strict=True):
        rows = [sketch["row"] for sketch in category["sketches"]]
        assert rows and not set(rows) & set(offer.test.support)
        assert len({names[row] for row in rows}) == len(rows)  # one of each photo
        for sketch in category["sketches"]:
            assert names[offer.test.gallery[sketch["target"]]] == names[sketch["row"]]


def test_of_what_people_drew_every_third_concept_is_offered_with_sketches_of_both_kinds():
    manifest = benchmark.recorded()
    offered = offered_categories(manifest)
    drawn = sorted({manifest.table["category"][row] for row in manifest.rows(split="unseen", style="human")})
    assert offered == drawn[::3] and len(offered) >= 10
    test = test_sets(manifest, "unseen", "warped", "held-out", DPCLIPConfig(), 0)
    test = next(one for one in test if one.category == offered[1])
    sketches = offered_sketches(SimpleNamespace(manifest=manifest), test)
    styles = manifest.table["style"][[row for row, _ in sketches]].tolist()
    assert styles == ["human"] * BY_PEOPLE + ["warped"] * (len(sketches) - BY_PEOPLE)
    assert [by for _, by in sketches] == ["drawn by a person"] * BY_PEOPLE + [
        f"drawn by a program, hand {manifest.table['path'][row][-5]}" for row, _ in sketches[BY_PEOPLE:]
    ]


def test_other_data_and_missing_runs_have_a_note_instead(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    try_page.write_try("paper", tmp_path)
    assert "with the preset `paper`" in (tmp_path / "book" / "_try.md").read_text()

    def missing(preset):
        raise MissingRun("missing runs: 1.\ndpclip train --preset mini: 2 min")

    monkeypatch.setattr(try_page, "ensure_parts", missing)
    try_page.write_try("mini", tmp_path)
    assert "- `dpclip train --preset mini`: 2 min" in (tmp_path / "book" / "_try.md").read_text()
    assert not (tmp_path / "extra").exists()
