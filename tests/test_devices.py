"""Everything meets on the model's device: on a GPU that is pretended, whose tensors have a place and no values."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch._subclasses.fake_tensor import FakeTensorMode

from dpclip.config import preset
from dpclip.data.store import ImageStore
from dpclip.evaluation.evaluate import Bench, category_level, category_test, fine_grained, rank_photos
from dpclip.evaluation.gallery import open_gallery, rank_gallery
from dpclip.method.model import DPCLIP
from dpclip.method.rivals import RIVALS
from dpclip.training import objective as lab_objective
from dpclip.training.objective import Objective, Pictures, Work
from dpclip.training.train import epoch_batches
from tests.toy import make_toy

GPU = "cuda:0"
CONFIG = preset("smoke").set(batch=4, templates=1, rank=2)


@pytest.fixture
def gpu(monkeypatch):
    """gpu(module): its weights on the pretended GPU; from then on no tensor that is made has values."""
    monkeypatch.setattr(torch.Tensor, "numpy", lambda self, force=False: np.zeros(self.shape, np.float32))
    mode = FakeTensorMode(allow_non_fake_inputs=True)

    def move(module):
        mode.__enter__()
        for inner in module.modules():
            for name, value in list(inner.named_parameters(recurse=False)):
                inner._parameters[name] = torch.nn.Parameter(mode.from_tensor(value).to(GPU), value.requires_grad)
            for name, value in list(inner.named_buffers(recurse=False)):
                inner._buffers[name] = mode.from_tensor(value).to(GPU)
        return module

    yield move
    mode.__exit__(None, None, None)


@pytest.fixture
def store(tmp_path):
    return ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache", GPU)


def test_what_is_on_another_device_is_seen(gpu, tiny_backbone):
    model = gpu(DPCLIP(tiny_backbone, CONFIG.model))
    with pytest.raises(RuntimeError, match="same device"):
        model.normalise(torch.rand(2, 3, 56, 56))


def test_a_sketch_meets_the_photos_of_the_data_set(store, gpu, tiny_backbone):
    model = gpu(DPCLIP(tiny_backbone, CONFIG.model).eval())
    words = {category: torch.rand(model.backbone.output_dim, device=GPU) for category in store.manifest.text}
    bench = Bench(model, store, words)
    test = category_test(store, bench, "pear")
    assert len(rank_photos(bench, torch.rand(3, 56, 56), test, test.gallery).rows) == len(test.gallery)
    asked = sum(len(test.queries) for test in bench.tests("unseen", "warped", "held-out", 0))
    assert fine_grained(bench, "unseen", "warped", "held-out", 0)["queries"] == asked > 0
    assert len(category_level(bench, "unseen", "warped", "held-out", 0)["blind"]["ap"]) == asked


def test_a_sketch_meets_photos_of_one_s_own_also_those_indexed_before(gpu, tiny_backbone, tmp_path, monkeypatch):
    photo, kept = tmp_path / "photos" / "one.png", []
    photo.parent.mkdir()
    Image.new("RGB", (60, 60)).save(photo)
    model = gpu(DPCLIP(tiny_backbone, CONFIG.model).eval())

    def load(_, device):  # what was kept, as a file gives it: on the device that is asked for
        return {name: torch.rand(value.shape, device=device) for name, value in kept[0].items()}

    monkeypatch.setattr("dpclip.evaluation.gallery.save", lambda tensors: kept.append(tensors) or b"")
    monkeypatch.setattr("dpclip.evaluation.gallery.load_file", load)
    for _ in range(2):
        gallery = open_gallery(model, "run", photo.parent, "teapot", [], tmp_path / "index")
        assert len(rank_gallery(gallery, photo)) == len(kept) == 1


@pytest.mark.parametrize("name", ["DP-CLIP", "CLIP, norms tuned", "VPT", "LoRA", "CLIP-AT"])
def test_a_loss(store, gpu, tiny_backbone, monkeypatch, name):
    config = CONFIG.set(**({} if name == "DP-CLIP" else RIVALS[name].changes))
    model = gpu(DPCLIP(tiny_backbone, config.model))
    words = {category: torch.rand(model.backbone.output_dim, device=GPU) for category in store.manifest.text}
    monkeypatch.setattr(
        lab_objective, "augment", lambda *pictures: [p.expand(-1, 3, -1, -1) / 255 for p in pictures[:3]]
    )
    monkeypatch.setattr(torch, "isfinite", lambda _: True)  # it asks for a value
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    batches = epoch_batches(config, store.manifest, 0, 0)
    other = next(batch for batch in batches if batch.category != batches[0].category)
    work = Work(batches[0], Pictures.load(store, batches[0]), other, 3, 0)
    loss = Objective(model, store, words, config, 0)(work)
    assert loss.device == torch.device(GPU)
