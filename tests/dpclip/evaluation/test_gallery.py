"""One's own photos: found, indexed once, ranked as the distances say."""

import numpy as np
import pytest
import torch
from PIL import Image

from dpclip.errors import UserError
from dpclip.evaluation.gallery import find_pictures, open_gallery, rank_gallery, read_pictures
from dpclip.method.model import DPCLIP, DPCLIPConfig


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(0)
    for number in range(5):
        path = tmp_path / "photos" / ("inner" if number == 4 else "") / f"photo {number}.{'PNG' if number else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (70, 50, 3), dtype=np.uint8)).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    (tmp_path / "photos" / ".hidden.png").write_text("nor this")
    return tmp_path / "photos"


@pytest.fixture
def model(tiny_backbone):
    torch.manual_seed(0)
    return DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2))


def test_a_photo_finds_itself_first_and_distances_are_those_of_the_model(model, photos, tmp_path):
    gallery = open_gallery(model, "run", photos, "purple teapot", [], tmp_path / "index")
    assert [file.name for file in gallery.files] == [
        "photo 4.PNG",
        *(f"photo {n}.{'PNG' if n else 'jpg'}" for n in range(4)),
    ]
    ranking = rank_gallery(gallery, photos / "photo 2.PNG")
    assert ranking[0][0].name == "photo 2.PNG" and ranking[0][1] == pytest.approx(0, abs=1e-5)
    assert [d for _, d in ranking] == sorted(d for _, d in ranking) and len(ranking) == 5
    with torch.no_grad():
        context = model.context(read_pictures(model, gallery.files[:3]), model.text_feature("purple teapot"))
        two = model.encode(read_pictures(model, [photos / "photo 2.PNG", ranking[1][0]]), context)
        assert model.distance(two[:1], two[1:]).item() == pytest.approx(ranking[1][1], abs=1e-5)


def test_the_second_query_encodes_the_sketch_only_and_a_changed_folder_everything(model, photos, tmp_path, monkeypatch):
    counts = []
    encode = DPCLIP.encode
    monkeypatch.setattr(DPCLIP, "encode", lambda self, x, c: counts.append(len(x)) or encode(self, x, c))
    for _ in range(2):
        rank_gallery(open_gallery(model, "run", photos, "teapot", [], tmp_path / "index"), photos / "photo 1.PNG")
    assert counts == [5, 1, 1]
    (photos / "photo 3.PNG").unlink()
    open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
    open_gallery(model, "run", photos, "cup", [], tmp_path / "index")
    open_gallery(model, "run", photos, "cup", [photos / "photo 1.PNG"], tmp_path / "index")
    assert counts[3:] == [4, 4, 4]


def test_nothing_to_index_or_a_damaged_photo_is_named(model, photos, tmp_path):
    with pytest.raises(UserError, match="no pictures there"):
        find_pictures(tmp_path / "nowhere")
    (photos / "photo 1.PNG").write_bytes(b"no picture")
    with pytest.raises(UserError, match="photo 1.PNG"):
        open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
    assert not (tmp_path / "index").exists()
