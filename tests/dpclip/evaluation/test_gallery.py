"""One's own photos: found, indexed once, ranked as the distances say."""

import os

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dpclip.config import DPCLIPConfig
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import category_test, open_bench, rank_photos
from dpclip.evaluation.gallery import check_pictures, find_pictures, load_pictures, open_gallery, rank_gallery
from dpclip.evaluation.prompt_similarity import category_contexts, similarity
from dpclip.method.interface import Context, Features, find_method, retrieval_distance
from dpclip.method.model import DPCLIP
from tests.toy import make_toy


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
        support, pair = (
            model.normalise(load_pictures(model, files))
            for files in (gallery.files[:3], [photos / "photo 2.PNG", ranking[1][0]])
        )
        two = model.encode(pair, model.context(support, model.text_feature("purple teapot")))
        assert model.distance(two[:1], two[1:]).item() == pytest.approx(ranking[1][1], abs=1e-5)


@pytest.fixture
def counts(monkeypatch):
    """How many pictures each call of `encode` had."""
    found, encode = [], DPCLIP.encode
    monkeypatch.setattr(DPCLIP, "encode", lambda self, x, c: found.append(len(x)) or encode(self, x, c))
    return found


def test_the_second_query_encodes_a_trial_and_the_sketch_and_a_changed_folder_everything(
    model, photos, tmp_path, counts
):
    for _ in range(2):
        rank_gallery(open_gallery(model, "run", photos, "teapot", [], tmp_path / "index"), photos / "photo 1.PNG")
    assert counts == [1, 5, 1, 1, 1]
    (photos / "photo 3.PNG").unlink()
    open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
    open_gallery(model, "run", photos, "cup", [], tmp_path / "index")
    open_gallery(model, "run", photos, "cup", [photos / "photo 1.PNG"], tmp_path / "index")
    assert counts[5:] == [1, 4] * 3


def test_other_weights_code_or_pixels_make_a_new_index(model, photos, tmp_path, counts, monkeypatch):
    def indexed() -> bool:
        counts.clear()
        found = open_gallery(model, "run", photos, "teapot", [photos / "photo 1.PNG"], tmp_path / "index")
        fresh = open_gallery(model, "run", photos, "teapot", [photos / "photo 1.PNG"], tmp_path / "fresh" / str(counts))
        torch.testing.assert_close(found.features.global_feature, fresh.features.global_feature)
        return counts[:2] == [1, 5]

    assert indexed() and not indexed()
    model.visual_prompt.learned.data += 0.5
    assert indexed() and not indexed()
    file, state = photos / "photo 2.PNG", (photos / "photo 2.PNG").stat()
    Image.new("RGB", (70, 50)).save(file)
    file.write_bytes(file.read_bytes().ljust(state.st_size, b"\0"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))  # size and date are those of before
    assert indexed() and not indexed()
    normalise = DPCLIP.normalise
    monkeypatch.setattr(DPCLIP, "normalise", lambda self, x: normalise(self, 1 - x))
    assert indexed() and not indexed()


def test_a_photo_that_cannot_be_read_is_named_and_left_out_or_an_error(model, photos, tmp_path, capsys):
    (photos / "photo 1.PNG").write_bytes(b"no picture")
    (photos / "photo 3.PNG").unlink()
    (photos / "photo 3.PNG").symlink_to("nowhere")
    for _ in range(2):  # also from the index
        gallery = open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
        assert [file.name for file in gallery.files] == ["photo 4.PNG", "photo 0.jpg", "photo 2.PNG"]
        assert len(gallery.features) == 3
        said = capsys.readouterr().err
        assert "photo 1.PNG" in said and "photo 3.PNG" in said and "2 of 5 photos are left out" in said
        with pytest.raises(UserError, match="photo 1.PNG"):  # where `strict` is asked for
            check_pictures(find_pictures(photos))
    for file in find_pictures(photos):
        file.unlink()
        file.write_bytes(b"")
    with pytest.raises(UserError, match="none of its 5 pictures can be read"):
        open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")


def test_a_folder_without_pictures_is_named_and_a_damaged_index_made_again(model, photos, tmp_path):
    with pytest.raises(UserError, match="no pictures there"):
        find_pictures(tmp_path / "nowhere")
    first = open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
    (index,) = (tmp_path / "index").iterdir()
    index.write_bytes(index.read_bytes()[:100])
    again = open_gallery(model, "run", photos, "teapot", [], tmp_path / "index")
    assert torch.equal(first.features.global_feature, again.features.global_feature)


class Thumbnail(nn.Module):
    """A method that knows no words, has no weights, and only what the interface asks for."""

    on_backbone, image_size, uses_category = False, 32, False

    def __init__(self, config):
        super().__init__()
        self.config = config

    @classmethod
    def trains(cls, config):
        return False

    def normalise(self, images):
        return images

    def context(self, support_images, text_feature):
        assert text_feature is None
        return Context([], [])

    def encode(self, images, context):
        return Features(images.flatten(1))

    def distance(self, query, gallery):
        return retrieval_distance(query, gallery, 0.0)


def test_a_method_without_words_ranks_photos_of_one_s_own_and_of_the_data_set(photos, tmp_path):
    assert find_method(f"{__name__}:Thumbnail") is Thumbnail
    model = Thumbnail(DPCLIPConfig())
    gallery = open_gallery(model, "run", photos, "purple teapot", [], tmp_path / "index")
    assert rank_gallery(gallery, photos / "photo 2.PNG")[0][0].name == "photo 2.PNG"
    bench = open_bench(model, ImageStore(make_toy(tmp_path / "toy"), 32, tmp_path / "cache"))
    test = category_test(bench.store, bench, "pear")
    assert rank_photos(bench, bench.store[test.gallery[1:2]][0], test, test.gallery).rows[0] == test.gallery[1]
    assert category_contexts(bench, ["any words"], [photos])["any words"].prompts == []
    with pytest.raises(UserError, match="no visual prompts"):
        similarity(model, torch.rand(1, 3, 32, 32), Context([], []))
