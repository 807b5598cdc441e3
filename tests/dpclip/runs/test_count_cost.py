"""Parameters and FLOPs against counts by hand; time and memory only for being there."""

import json
import time
from functools import cache
from itertools import combinations

import pytest
import torch

from benchmarks import clock_costs
from benchmarks.clock import in_fresh_process, least_ms
from benchmarks.clock_costs import cost_record, write_costs
from dpclip.errors import UserError
from dpclip.runs import count_cost as counting
from dpclip.runs.count_cost import COSTED, Cost, count_cost, flops, read_costs
from dpclip.runs.experiments import MODULES
from dpclip.runs.machine import peak_memory_mb
from dpclip.training.train import build_model

count = cache(count_cost)
EXACT = ("parameters", "text_parameters", "trained_clip", "trained_new")
EXACT += ("image_flops", "category_flops", "text_flops", "query_flops")
VIT = dict(width=768, depth=12, patch=32, grid=7, output=512)  # ViT-B/32
RANK, PROMPTS, WINDOWS, SUPPORT = 16, 3, 4, 3


def product(rows: int, inner: int, columns: int) -> int:
    """(rows, inner) @ (inner, columns): a multiply-add is 2."""
    return 2 * rows * inner * columns


def block(asked: int, seen: int, width: int, rank: int = 0) -> int:
    """One transformer block that updates `asked` tokens which look at `seen` ones, and its low-rank paths."""
    query, key_value = product(asked, width, width), product(seen, width, 2 * width)
    attention = product(asked, width, seen) + product(asked, seen, width)
    mlp = product(asked, width, 4 * width) + product(asked, 4 * width, width)
    down, up = product(asked, width, rank), product(asked, rank, width)
    if asked == seen:  # q, k and v in one product
        side = down + product(asked, rank, 3 * width)
    else:
        side = down + up + product(seen, width, rank) + product(seen, rank, 2 * width)
    return query + key_value + attention + product(asked, width, width) + mlp + side + down + up


def image_by_hand(v: bool, t: bool, patch: bool) -> int:
    width, patches = VIT["width"], VIT["grid"] ** 2
    rank, length = RANK if t else 0, 1 + patches + (PROMPTS if v else 0)
    embed = product(patches, 3 * VIT["patch"] ** 2, width)
    layers = (VIT["depth"] - 1) * block(length, length, width, rank) + block(1, length, width, rank)
    local = block(WINDOWS, 1 + patches, width, rank) + product(WINDOWS, width, VIT["output"]) if patch else 0
    return embed + layers + product(1, width, VIT["output"]) + local


def category_by_hand(v: bool, t: bool) -> int:
    width, depth, patches = VIT["width"], VIT["depth"], VIT["grid"] ** 2
    embed = product(SUPPORT * patches, 3 * VIT["patch"] ** 2, width)
    learned = product(depth * PROMPTS, width, width)
    asked = depth * PROMPTS  # of all layers, in one pass; masked attention counts in full
    prompts = embed + learned + block(asked, SUPPORT * (1 + patches) + asked, width)
    scales = depth * (product(1, VIT["output"], VIT["output"]) + product(1, VIT["output"], 2 * RANK))
    return prompts * v + scales * t


@pytest.mark.parametrize(
    "name, v, t, patch",
    [
        ("CLIP, untrained", False, False, False),
        ("+V", True, False, False),
        ("+T", False, True, False),
        ("+patch", False, False, True),
        ("DP-CLIP", True, True, True),
    ],
)
def test_flops_by_hand(name, v, t, patch):
    counted = count(name, "ViT-B-32")
    assert counted["image_flops"] == image_by_hand(v, t, patch)
    assert counted["category_flops"] == category_by_hand(v, t)
    levels = 1 + WINDOWS if patch else 1
    assert counted["query_flops"] - counted["image_flops"] == product(1, levels * VIT["output"], counting.GALLERY)
    width, length, sentences = 512, 77, 63  # the text encoder has 12 layers too
    text = sentences * (VIT["depth"] * block(length, length, width) + product(1, width, VIT["output"]))
    assert counted["text_flops"] == text * t


def test_counting_without_memory_is_counting():
    """torch's counter knows the attention of the processor as well as that of the device "meta"."""
    model = build_model(counting.costed_config("DP-CLIP", "mini"), 0).eval()
    images, support, words = counting.inputs(model, "cpu")
    counted = count("DP-CLIP", "mini")
    assert flops(lambda: model.context(support, words)) == counted["category_flops"]
    both = flops(lambda: model.encode(images[:1], model.context(support, words)))
    assert both == counted["category_flops"] + counted["image_flops"]


def test_what_is_clocked_is_noise_and_the_same_every_time():
    model = build_model(counting.costed_config("DP-CLIP", "mini"), 0)
    first, second = counting.inputs(model, "cpu"), counting.inputs(model, "cpu")
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one, two) and one.std() > 0.9
    images, support, _ = first
    assert len(torch.cat([images, support]).flatten(1).unique(dim=0)) == counting.BATCH + 3
    assert counting.inputs(model, "meta")[0].is_meta


def test_parameters_at_vit_b_32():
    """What trains by name is pinned in tests/dpclip/method/test_model.py."""
    clip, full = count("CLIP, untrained", "ViT-B-32"), count("DP-CLIP", "ViT-B-32")
    assert full["trained_clip"] + full["trained_new"] == 15_839_616
    frozen_copy = 768 * 768 * 9 + 768 * 6  # out_proj and MLP of the windows' layer
    assert full["parameters"] == clip["parameters"] + full["trained_new"] + frozen_copy
    assert clip["parameters"] + full["text_parameters"] == 151_277_313  # all of CLIP
    assert (clip["text_parameters"], clip["trained_clip"], clip["trained_new"]) == (0, 0, 0)
    assert (count("LoRA", "ViT-B-32")["trained_clip"], count("LoRA", "ViT-B-32")["trained_new"]) == (0, 884_736)


def test_a_module_more_never_costs_less():
    rows = {frozenset(): "CLIP, norms tuned", frozenset(MODULES): "DP-CLIP"}
    rows |= {frozenset(kept): " ".join(f"+{m}" for m in kept) for n in (1, 2) for kept in combinations(MODULES, n)}
    assert len(rows) == 8 and set(rows.values()) <= set(COSTED)
    for small, large in combinations(sorted(rows, key=len), 2):
        if small < large:
            few, many = count(rows[small], "mini"), count(rows[large], "mini")
            assert all(few[name] <= many[name] for name in EXACT), (small, large)
            assert few["image_flops"] < many["image_flops"] and few["trained_new"] < many["trained_new"]


@pytest.mark.parametrize(
    "backbone, counted", [("mini", COSTED), ("ViT-B-32", ["CLIP, untrained", "+V", "+T", "+patch", "DP-CLIP"])]
)
def test_the_committed_record_counts_as_we_do(backbone, counted):
    record = read_costs(backbone)
    assert record["costs"].keys() == COSTED.keys()
    for name, recorded in record["costs"].items():
        if name in counted:
            assert {field: recorded[field] for field in EXACT} == count(name, backbone), name
        assert all(recorded[field] > 0 for field in ("image_ms", "batch_ms", "inference_mb")), name
        assert (recorded["training_mb"] is None) == (recorded["trained_clip"] + recorded["trained_new"] == 0), name


def test_time_is_measured(monkeypatch):
    monkeypatch.setattr("benchmarks.clock.ENOUGH", 0)
    calls = []
    assert least_ms(lambda: calls.append(sum(range(1000)))) > 0 and len(calls) == 4
    waits = iter((0, 0.03, 0.005, 0.03))
    assert 5 <= least_ms(lambda: time.sleep(next(waits))) < 30
    monkeypatch.setattr("benchmarks.clock.FEWEST", 1)
    monkeypatch.setattr(counting, "BATCH", 2)
    full, clip = (clock_costs.measure_inference(name, "mini", "cpu") for name in ("DP-CLIP", "CLIP, untrained"))
    assert len(full) == 5 and all(value > 0 for name, value in full.items() if name.endswith("ms"))
    assert clip["image_ms"] > 0 and clip["category_ms"] == clip["text_ms"] == 0


def test_a_training_step_is_measured(monkeypatch):
    for module in (counting, clock_costs):
        monkeypatch.setattr(module, "TRAINING_BATCH", 2)
    assert isinstance(clock_costs.measure_training("CLIP-AT", "mini", "cpu"), float)
    assert clock_costs.measure_training("CLIP, untrained", "mini", "cpu") is None


def test_a_fresh_process_does_not_begin_with_our_memory():
    ours = torch.ones(2**28)  # 1 GB
    assert 0 < in_fresh_process(peak_memory_mb) < peak_memory_mb() - 0.9 * ours.nbytes / 2**20


MADE = Cost(**dict.fromkeys(Cost.__dataclass_fields__, 1))


def test_a_record_is_written_and_read(monkeypatch, tmp_path):
    monkeypatch.setattr(clock_costs, "measure_cost", lambda *_: MADE)
    record = cost_record("mini")
    assert list(record["costs"]) == list(COSTED)
    assert write_costs(record, tmp_path).name == "mini.json" and read_costs("mini", tmp_path) == record


def test_an_error_ends_the_measuring(monkeypatch):
    def measure(name, backbone, device):
        raise UserError("weights.safetensors: missing")

    monkeypatch.setattr(clock_costs, "measure_cost", measure)
    with pytest.raises(UserError, match="weights.safetensors: missing"):
        cost_record("mini")


def test_bad_records_and_names(tmp_path):
    with pytest.raises(UserError, match="mini.json is missing.*benchmarks.clock_costs"):
        read_costs("mini", tmp_path)
    whole = dict.fromkeys(counting.RECORDED, "") | {"costs": {"a": {"parameters": 1}}}
    for text in ("{", "[]", json.dumps({"costs": {}}), json.dumps(whole)):
        (tmp_path / "mini.json").write_text(text)
        with pytest.raises(UserError, match="mini.json is damaged.*benchmarks.clock_costs"):
            read_costs("mini", tmp_path)
    with pytest.raises(UserError, match="unknown method 'DPCLIP'"):
        count_cost("DPCLIP", "mini")
    with pytest.raises(UserError, match="unknown backbone 'maxi'. Choose one of ViT-B-32; mini"):
        count_cost("DP-CLIP", "maxi")
