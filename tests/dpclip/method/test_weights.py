"""Weight files: every kind is read, nothing in them is run, and wrong ones are refused with the cure."""

import hashlib
import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dpclip.errors import UserError
from dpclip.method import backbone, weights
from dpclip.method.weights import CONFIG, load_weights, read_weights, released

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


class Evil:
    """Opens a file for writing when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


class EvilScript(nn.Module):
    """Writes a file when torch.jit.load reads it."""

    def __init__(self, path):
        super().__init__()
        self.path, self.weight = path, nn.Parameter(torch.ones(2))

    @torch.jit.export
    def __getstate__(self) -> tuple[str, Tensor, bool]:
        return self.path, self.weight, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, Tensor, bool]) -> None:
        self.path, self.weight, self.training = state
        self.weight = torch.from_file(self.path, True, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x


def small():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def release(monkeypatch):
    """release(path, name, quick_gelu=True): from now on the file's content is what open_clip calls `name`."""
    files = {}
    monkeypatch.setattr(weights, "released", lambda model: files if model == "ViT-B-32" else {})
    return lambda path, name, quick_gelu=True: files.update({name: (digest(path), quick_gelu)})


def test_three_kinds_of_files(tmp_path, release):
    model = small()
    save_file({k: v.half() for k, v in model.state_dict().items()}, tmp_path / "a.safetensors")
    torch.save({"state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, tmp_path / "b.pt")
    torch.jit.script(model).save(tmp_path / "c.pt")
    release(tmp_path / "c.pt", "ViT-B-32.pt")
    for name in ("a.safetensors", "b.pt", "c.pt"):
        other = nn.Linear(3, 2)
        load_weights(other, read_weights(tmp_path / name, "ViT-B-32"), name)
        torch.testing.assert_close(other.weight, model.weight, atol=1e-3, rtol=0)
        assert other.weight.dtype == torch.float32


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_refused_files(tmp_path):
    with pytest.raises(UserError, match="missing.pt: no such weights file.*Check the path"):
        read_weights(tmp_path / "missing.pt")
    with pytest.raises(UserError, match="Is a directory"):
        read_weights(tmp_path)
    (tmp_path / "cut.safetensors").write_bytes(b"1234567890")
    with pytest.raises(UserError, match="cut.safetensors: not a readable.*downloaded afresh"):
        read_weights(tmp_path / "cut.safetensors")
    torch.save({"model": small().state_dict(), "epoch": 3}, tmp_path / "wrapped.pt")
    with pytest.raises(UserError, match="wrapped.pt: model is no tensor but OrderedDict. Give the model's state dict"):
        read_weights(tmp_path / "wrapped.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_nothing_in_a_file_is_run(tmp_path):
    owned = tmp_path / "owned"
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"weight": Evil(owned)}))
    torch.save({"weight": Evil(owned)}, tmp_path / "zipped.pt")
    torch.save({"weight": Evil(owned)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(EvilScript(str(owned))).save(tmp_path / "script.pt")
    torch.jit.script(EvilScript(str(owned))).save(tmp_path / "script.safetensors")
    for name in ("plain.pt", "zipped.pt", "old.pt", "script.pt", "script.safetensors"):
        with pytest.raises(UserError, match=name):
            read_weights(tmp_path / name, "ViT-B-32")
        assert not owned.exists(), name
    torch.jit.load(tmp_path / "script.pt")
    assert owned.exists(), "the test has no teeth: torch.jit.load runs nothing any more"


def test_a_script_that_is_not_openais_is_refused(tmp_path):
    torch.jit.script(small()).save(tmp_path / "mine.pt")
    with pytest.raises(UserError, match=f"mine.pt.*{digest(tmp_path / 'mine.pt')}.*is a program.*as .safetensors"):
        read_weights(tmp_path / "mine.pt", "ViT-B-32")


def test_what_open_clip_knows_of_its_files():
    files = released("ViT-B-32")
    start, quick_gelu = files["ViT-B-32.pt"]
    assert len(start) == 64 and quick_gelu
    assert any(not quick_gelu for _, quick_gelu in files.values()) and released("") == {}


@pytest.mark.parametrize("name", ["ViT-B-32.pt", "vit_b_32-laion2b_e16-af8dbd0c.pth"])
def test_a_released_name_with_another_hash(tmp_path, name):
    torch.save(small().state_dict(), tmp_path / name)
    with pytest.raises(UserError, match=f"{name}: its SHA-256 is {digest(tmp_path / name)}.*begins with.*afresh"):
        read_weights(tmp_path / name, "ViT-B-32")
    assert read_weights(tmp_path / name)  # nothing is known of another model's files


def test_weights_for_gelu_are_known_by_their_hash(tmp_path, release):
    path = tmp_path / "renamed.pt"
    torch.save(small().state_dict(), path)
    release(path, "vit_b_32-gelu.pt", quick_gelu=False)
    with pytest.raises(UserError, match="renamed.pt: .* GELU .*it is the released vit_b_32-gelu.pt.*QuickGELU.*openai"):
        read_weights(path, "ViT-B-32")


def test_weights_for_gelu_are_known_by_the_config_beside_them(tmp_path):
    path, config = tmp_path / "open_clip_model.safetensors", tmp_path / CONFIG
    save_file(small().state_dict(), path)
    assert read_weights(path)
    config.write_text(json.dumps({"model_cfg": {"embed_dim": 512, "quick_gelu": True}}))
    assert read_weights(path)
    for model in ({"quick_gelu": False}, {"embed_dim": 512}):
        config.write_text(json.dumps({"model_cfg": model}))
        with pytest.raises(UserError, match=f"open_clip_model.safetensors: .*GELU .*{CONFIG} says so.*`openai`"):
            read_weights(path)
    for content in ("{", "[]", "{}", '{"model_cfg": 3}'):
        config.write_text(content)
        with pytest.raises(UserError, match=f"{CONFIG}: damaged"):
            read_weights(path)


def test_the_config_does_not_speak_for_a_released_file_beside_it(tmp_path, release):
    torch.save(small().state_dict(), tmp_path / "good.pt")
    release(tmp_path / "good.pt", "ViT-B-32.pt")
    (tmp_path / CONFIG).write_text(json.dumps({"model_cfg": {}}))
    assert read_weights(tmp_path / "good.pt", "ViT-B-32")


def test_openai_is_the_file_with_the_known_hash(tmp_path, monkeypatch):
    """The hub's copy of the same weights has no known hash: it is not asked."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def download(config, prefer_hf_hub, cache_dir):
        assert not prefer_hf_hub and released("ViT-B-32")["ViT-B-32.pt"][0] in config["url"]
        return str(tmp_path / "ViT-B-32.pt")

    monkeypatch.setattr(backbone, "download_pretrained", download)
    torch.jit.script(small()).save(tmp_path / "ViT-B-32.pt")
    with pytest.raises(UserError, match="ViT-B-32.pt: its SHA-256 is"):
        backbone.load_backbone("ViT-B-32", "openai")

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(backbone, "download_pretrained", offline)
    with pytest.raises(UserError, match=r"https://.*ViT-B-32.pt could not be downloaded \(OSError: no .*path of"):
        backbone.load_backbone("ViT-B-32", "openai")


def test_of_two_processes_one_downloads_and_the_other_waits(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    downloads = []

    def download(config, prefer_hf_hub, cache_dir):
        path = Path(cache_dir) / "ViT-B-32.pt"
        if not path.exists():
            downloads.append(path)
            path.write_text("half")  # as open_clip does, which writes under the last name from the beginning
            time.sleep(0.2)
            path.write_text("whole")
        return str(path)

    monkeypatch.setattr(backbone, "download_pretrained", download)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: backbone._download("ViT-B-32").read_text(), range(2)))
    assert found == ["whole", "whole"] and downloads == [tmp_path / ".cache" / "clip" / "ViT-B-32.pt"]


def test_a_local_file_is_checked_too(tmp_path):
    torch.jit.script(small()).save(tmp_path / "ViT-B-32.pt")
    with pytest.raises(UserError, match="ViT-B-32.pt: its SHA-256 is"):
        backbone.load_backbone("ViT-B-32", str(tmp_path / "ViT-B-32.pt"))


def test_wrong_tensors():
    model = small()
    state = model.state_dict()
    with pytest.raises(UserError, match=r"x.pt: tensor bias: no such tensor in the file, \(2,\) in the model"):
        load_weights(model, {"weight": state["weight"]}, "x.pt")
    with pytest.raises(UserError, match=r"tensor weight: \(3, 2\) in the file, \(2, 3\) in the model"):
        load_weights(model, {**state, "weight": state["weight"].T}, "x.pt")
