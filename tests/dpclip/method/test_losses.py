"""The loss: a case worked by hand, the schedule, and what must always hold."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpclip.method.interface import Features
from dpclip.method.losses import hard_weight, triplet_loss
from dpclip.method.model import DPCLIPConfig

CONFIG = DPCLIPConfig()


def angle(*degrees):
    radians = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], dim=-1)


def test_by_hand():
    """cos 60 = 1/2, cos 90 = 0: every distance is read off the angles. Rows 0 and 1 show the same photo."""
    sketch, positive = Features(angle(0, 0, 0)), Features(angle(90, 60, 60))
    negative = Features(angle(90, 60, 90))
    ids = torch.tensor([7, 7, 8])
    _, parts = triplet_loss(sketch, positive, negative, ids, 10, CONFIG)
    # random: d+ = 1, .5, .5; d- = 1, .5, 1; relu(d+ - d- + .15) = .15, .15, 0
    assert parts["random"].item() == pytest.approx(0.1)
    # hard: nearest other photo at 60, 60, 60 degrees, d/2 = .25; d+/2 = .5, .25, .25 -> .40, .15, .15
    assert parts["hard"].item() == pytest.approx(0.7 / 3)


def test_hardest_is_found_level_by_level():
    """For sketch 0, photo 1 is the hardest globally and photo 2 in the window; the other sketches are far from all."""
    far = [180.0, 180.0]
    sketch = Features(angle(0, *far), angle(0, *far)[:, None])
    positive = Features(angle(90, 0, 60), angle(90, 60, 0)[:, None])
    config = DPCLIPConfig(local_weight=1.0, margin=0.0)
    _, parts = triplet_loss(sketch, positive, positive, torch.arange(3), 0, config)
    # d/2 of sketch 0 in each level: positive .5, hardest 0 -> .5
    # sketches 1, 2: positive at 180 (1.0) and 120 degrees (.75), hardest photo 0 at 90 (.5) -> .5 and .25 in each level
    assert parts["hard"].item() == pytest.approx(2 * (0.5 + 0.5 + 0.25) / 3)


@pytest.mark.parametrize(("epoch", "weight"), [(0, 0), (9, 0), (10, 0.25), (39, 0.75), (40, 1), (59, 1.25)])
def test_schedule(epoch, weight):
    assert hard_weight(epoch, 10) == weight
    assert hard_weight(epoch, 0) == 0
    torch.manual_seed(0)
    f = Features(torch.randn(8, 5), torch.randn(8, 4, 5))
    loss, parts = triplet_loss(f[:2], f[2:4], f[4:6], torch.arange(2), epoch, CONFIG)
    expected = weight * parts["hard"] + (0 if weight >= 1 else (1 - weight) * parts["random"])
    torch.testing.assert_close(loss, expected)


def test_batch_of_one_photo_has_no_hard_negative():
    feature = torch.randn(3, 4, requires_grad=True)
    f = Features(feature)
    loss, parts = triplet_loss(f, f[[1, 2, 0]], f, torch.zeros(3), 20, CONFIG)
    loss.backward()
    assert parts["hard"] == 0 and feature.grad.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 4), st.integers(0, 59), st.integers(0, 10**6))
def test_order_and_length_do_not_matter(count, windows, epoch, seed):
    g = torch.Generator().manual_seed(seed)

    def features():
        local = torch.randn(count, windows, 3, generator=g, dtype=torch.float64) if windows else None
        return Features(torch.randn(count, 3, generator=g, dtype=torch.float64), local)

    s, p, n = features(), features(), features()
    ids = torch.randint(0, 3, (count,), generator=g)
    loss, _ = triplet_loss(s, p, n, ids, epoch, CONFIG)
    order = torch.randperm(count, generator=g)
    again, _ = triplet_loss(s[order], p[order], n[order], ids[order], epoch, CONFIG)
    longer = Features(5 * s.global_feature, None if s.local_features is None else 0.1 * s.local_features)
    scaled, _ = triplet_loss(longer, p, n, ids, epoch, CONFIG)
    assert loss >= 0
    torch.testing.assert_close(again, loss)
    torch.testing.assert_close(scaled, loss)
