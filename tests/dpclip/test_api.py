"""What `import dpclip` offers: found, documented, and doing what the command line does."""

import inspect
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

import dpclip
from dpclip import api
from dpclip.config import DPCLIPConfig, RunConfig
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import category_test, open_bench, rank_photos
from dpclip.method.model import DPCLIP
from tests.stand_in import make_sketchy
from tests.toy import make_toy


def test_every_name_is_there_and_documented():
    for name in dpclip.__all__:
        assert inspect.getdoc(getattr(dpclip, name)), name
    assert set(dpclip.__all__) <= set(dir(dpclip))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        dpclip.trian  # noqa: B018


@pytest.fixture
def folders(tmp_path):
    """Data set -> a folder that looks like it."""
    names = {
        "folder": ("photo/cat/one.png", "sketch/cat/one-1.png"),
        "tuberlin-ext": ("all/ImageResized_ready/cat/one.jpg", "all/png_ready/cat/1.png"),
        "quickdraw-ext": ("QuickDraw_images_final/cat/one.jpg", "QuickDraw_sketches_final/cat/1.png"),
    }
    for dataset, files in names.items():
        for file in files:
            (tmp_path / dataset / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(tmp_path / dataset / file)
    for dataset in ("sketchy", "sketchy-ext"):
        make_sketchy(tmp_path / dataset, "flat", ["cow", "door"], per_category=2, per_photo=1)
    extended = tmp_path / "sketchy-ext" / "EXTEND_image_sketchy" / "cow" / "ext_1.jpg"
    extended.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(extended)
    return {dataset: tmp_path / dataset for dataset in (*names, "sketchy", "sketchy-ext")}


def test_a_folder_is_recognised_by_its_names(folders):
    assert {name: api.recognise(folder) for name, folder in folders.items()} == {name: name for name in folders}


@pytest.fixture
def chosen(monkeypatch):
    """What `choose_run` opened last."""
    last = SimpleNamespace(manifest=None)

    def open_store(config, data):
        last.config, last.data = config, data
        return last

    monkeypatch.setattr(api, "open_store", open_store)
    monkeypatch.setattr(api, "make_run", lambda *_: None)
    return last


@pytest.mark.parametrize("name", ["folder", "sketchy", "sketchy-ext", "tuberlin-ext", "quickdraw-ext"])
def test_a_folder_alone_is_the_data_set_and_that_is_said(name, folders, chosen, capsys):
    folder = folders[name]
    api.choose_run("mini", 0, folder, {})
    assert chosen.config.dataset == name and chosen.data == folder
    assert capsys.readouterr().err.startswith(f"{folder} is read as data set {name!r}")
    for preset, settings in (("mini", {"dataset": "sketchy"}), ("paper", {})):
        api.choose_run(preset, 0, folder, settings)
        assert chosen.config.dataset == "sketchy" and chosen.data == folder and not capsys.readouterr().err


def test_a_folder_is_never_passed_over(folders):
    for settings in ({}, {"dataset": "folder"}, {"dataset": "icon-sbir"}):
        with pytest.raises(UserError, match="nowhere is no folder"):
            api.choose_run("mini", 0, folders["folder"] / "nowhere", settings)
    with pytest.raises(UserError, match="is embedded and has no other folder"):
        api.choose_run("mini", 0, folders["folder"], {"dataset": "icon-sbir"})


def test_the_environment_names_a_folder_only_for_those_who_need_one(folders, monkeypatch, capsys):
    monkeypatch.setenv("DPCLIP_DATA", str(folders["folder"] / "nowhere"))
    assert api.choose_run("smoke", 0, None, {})[1].manifest.name == "icon-sbir" and not capsys.readouterr().err
    with pytest.raises(UserError, match="nowhere is no folder"):
        api.choose_run("smoke", 0, None, {"dataset": "folder"})


@pytest.fixture
def trained(tmp_path, tiny_backbone, monkeypatch):
    """A run on the toy that needs no training, and what was asked for it."""
    torch.manual_seed(0)
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    model = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2)).eval()
    run = SimpleNamespace(config=RunConfig(model=model.config), name="run")
    asked = []
    monkeypatch.setattr(api, "choose_run", lambda *choice: asked.append(choice) or (run, store))
    monkeypatch.setattr(api, "ensure_model", lambda *_: asked.append("trained") or SimpleNamespace(model=model))
    monkeypatch.setattr("dpclip.api.INDEX", tmp_path / "index")
    return SimpleNamespace(store=store, model=model, asked=asked, root=tmp_path / "toy")


def test_query_ranks_the_photos_of_a_category(trained):
    sketch = trained.root / "sketch" / "pear" / "pear-2-1.png"
    ranking = dpclip.query(sketch, "pear", seed=3, rank=2)
    bench = open_bench(trained.model, trained.store)
    row = trained.store.manifest.table.index[trained.store.manifest.table["path"] == "sketch/pear/pear-2-1.png"][0]
    test = category_test(trained.store, bench, "pear", "transductive")
    found = rank_photos(bench, trained.store[[row]][0], test, test.gallery)
    assert [photo.name for photo, _ in ranking] == [
        trained.store.manifest.table["path"][row].rpartition("/")[2] for row in found.rows
    ]
    assert [d for _, d in ranking] == pytest.approx(found.distance.tolist(), abs=1e-3)
    assert trained.asked[0] == ("mini", 3, None, {"rank": 2}) and ranking[0][0].is_file()


def test_query_ranks_photos_of_one_s_own(trained):
    photos = trained.root / "photo" / "saw"
    ranking = dpclip.query(photos / "saw-1.png", "purple teapot", gallery=photos, support=[photos / "saw-0.png"])
    assert ranking[0][0].name == "saw-1.png" and len(ranking) == 5


def test_query_refuses_before_it_trains(trained):
    sketch = trained.root / "sketch" / "pear" / "pear-2-1.png"
    (trained.root / "photo" / "odd.png").write_bytes(b"no picture")
    for wrong, message in (
        ({"sketch": "nowhere.png"}, "nowhere.png is missing"),
        ({"category": "dragon"}, "'dragon' is not in toy"),
        ({"gallery": trained.root / "nowhere"}, "no pictures there"),
        ({"support": [sketch]}, "needs a gallery"),
        ({"gallery": trained.root, "support": ["nowhere.png"]}, "nowhere.png is missing"),
        ({"gallery": trained.root / "photo", "strict": True}, "odd.png is of a kind"),
    ):
        with pytest.raises(UserError, match=message):
            dpclip.query(**{"sketch": sketch, "category": "pear"} | wrong)
    assert "trained" not in trained.asked


def test_train_and_evaluate_pass_on_what_they_are_told(trained, monkeypatch):
    monkeypatch.setattr(api, "ensure", lambda run, store: {"run": run.name})
    assert dpclip.train("smoke", 1, rank=4).model is trained.model
    assert dpclip.evaluate("smoke", data=trained.root) == {"run": "run"}
    assert trained.asked == [("smoke", 1, None, {"rank": 4}), "trained", ("smoke", 0, trained.root, {})]
