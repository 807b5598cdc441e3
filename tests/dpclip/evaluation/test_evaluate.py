"""What a test means when there is little to test on."""

import pytest

from dpclip.config import DPCLIPConfig
from dpclip.data.store import ImageStore
from dpclip.evaluation.evaluate import SETTINGS, category_level, fine_grained, open_bench
from dpclip.method.model import DPCLIP
from tests.toy import make_toy


@pytest.mark.parametrize("prompts", ["deep", "none"])
def test_of_a_single_category_nothing_is_said_at_category_level(tmp_path, tiny_backbone, prompts):
    config = DPCLIPConfig(templates=1, rank=2, visual_prompt=prompts, scaling="none")
    bench = open_bench(DPCLIP(tiny_backbone, config), ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache"))
    level = category_level(bench, "val", "warped", "held-out", 0)  # every photo would be relevant: always 1.000
    assert [level[setting] for setting in SETTINGS] == [{"ap": []}] * 3 and level["predicted"] == {}
    assert level["convention"] == category_level(bench, "unseen", "warped", "held-out", 0)["convention"]
    assert fine_grained(bench, "val", "warped", "held-out", 0)["queries"] == 5  # of ten: two photos and a sketch left
