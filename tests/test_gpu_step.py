"""The GPU benchmark on the processor, with a tiny model: what it measures is there, and it sees what is wrong."""

from functools import partial

import pytest
import torch

from benchmarks import gpu_step
from dpclip.training import train as lab_train

pytestmark = pytest.mark.programs

COMPILE = torch.compile
TINY = gpu_step.CONFIG.set(batch=4, rank=2)


@pytest.fixture(autouse=True)
def tiny(make_tiny, monkeypatch):
    monkeypatch.setattr(lab_train, "load_backbone", lambda *_: make_tiny())
    monkeypatch.setattr("benchmarks.clock.FEWEST", 1)
    monkeypatch.setattr("benchmarks.clock.ENOUGH", 0.0)
    monkeypatch.setattr(torch, "compile", lambda function: function)  # it takes minutes


def test_every_arithmetic_has_a_row_and_agrees_with_fp32():
    table, wrong = gpu_step.report("cpu", TINY, side=64)
    assert not wrong
    precision, compiled, rate, share, _, loss, gradient = (list(column.cells) for column in table.columns)
    assert list(zip(precision, compiled, strict=True)) == [(p, c) for c in ("no", "yes") for p in gpu_step.LOSS_WITHIN]
    assert all(float(images.replace(",", "")) > 0 for images in rate) and all(value.endswith("%") for value in share)
    assert loss[0] == gradient[0] == loss[3] == "0.0e+00" and gradient[2] == gradient[5] != gradient[0]


def test_the_same_step_every_time_and_bf16_is_a_little_off():
    one, two, bf16 = (gpu_step.measure(TINY.set(precision=p), "cpu") for p in ("fp32", "fp32", "bf16"))
    assert one.differences(two) == (0, 0) and one.seconds > 0
    loss, gradient = bf16.differences(one)
    assert 0 < loss < gpu_step.LOSS_WITHIN["bf16"] and 0 < gradient < 0.5


def test_the_tower_is_compiled_whole_and_the_step_stays_the_same(monkeypatch):
    compiler, asked = partial(COMPILE, backend="aot_eager", fullgraph=True), []  # all but the making of kernels
    monkeypatch.setattr(torch, "compile", lambda function: asked.append(function) or compiler(function))
    one, compiled = (gpu_step.measure(TINY.set(compile=compiled), "cpu") for compiled in (False, True))
    loss, gradient = compiled.differences(one)
    assert len(asked) == 1 and loss < 1e-6 and gradient < 1e-4


def test_flops_grow_with_the_batch():
    (small, tower), (large, _) = (gpu_step.count_flops(TINY.set(batch=batch), "cpu") for batch in (4, 8))
    assert 1.5 < large / small < 2  # the support images are the same
    assert 0.9 * small < tower <= small


def test_wrong_numbers_and_too_much_memory_are_told(monkeypatch):
    def measure(config, device):
        loss = 1.1 if config.precision == "tf32" else 1.0
        return gpu_step.Measured(loss, torch.ones(3), 0.1, 2 * gpu_step.CARD_MB)

    monkeypatch.setattr(gpu_step, "measure", measure)
    _, wrong = gpu_step.report("cpu", TINY, side=64)
    assert [text.split(" ")[:2] for text in wrong] == [["fp32:", "a"], ["tf32:", "loss"], ["tf32,", "compiled:"]]
    assert gpu_step.disagreements("x", "bf16", (float("nan"), 0)) and gpu_step.disagreements("x", "fp32", (0, 1))


def test_without_a_gpu_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_step.main() == 0 and capsys.readouterr().out.count("\n") == 1
