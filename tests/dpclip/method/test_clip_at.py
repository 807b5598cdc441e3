"""CLIP-AT's three losses against loops written from their definitions, and on cases worked by hand."""

import math

import pytest
import torch

from dpclip.method.losses import relative_distances, relative_loss, shuffle_loss, shuffle_patches, text_loss, two_orders

from .reference import cosine


@pytest.fixture(autouse=True)
def double():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_blocks_move_as_ordered():
    image = torch.arange(4.0).view(1, 1, 2, 2).repeat_interleave(3, 2).repeat_interleave(3, 3).expand(2, 3, 6, 6)
    moved = shuffle_patches(image, torch.tensor([[3, 1, 2, 0], [0, 1, 2, 3]]))
    assert moved[0, 1, ::3, ::3].tolist() == [[3, 1], [2, 0]]
    assert torch.equal(moved[1], image[1])


def test_blocks_keep_their_pixels_in_place():
    image = torch.randn(1, 3, 8, 8)
    moved = shuffle_patches(image, torch.tensor([[2, 3, 0, 1]]))
    assert torch.equal(moved, torch.cat([image[:, :, 4:], image[:, :, :4]], dim=2))


def test_the_two_orders_of_a_pair_always_differ():
    one, two = two_orders(2000, torch.Generator().manual_seed(0))
    assert (one != two).any(1).all()
    assert len(one.unique(dim=0)) == len(two.unique(dim=0)) == 24
    assert (one.sort(1).values == torch.arange(4)).all()


def test_shuffle_loss_against_a_loop():
    a, b, c = torch.randn(3, 7, 5)
    literal = (
        sum(max(0.3 + (1 - cosine(a[i], b[i])) - (1 - cosine(a[i], c[i])), torch.tensor(0.0)) for i in range(7)) / 7
    )
    torch.testing.assert_close(shuffle_loss(a, b, c, 0.3), literal)


def test_relative_loss_against_a_loop():
    first, second = torch.randn(2, 3, 6, 5)

    def distribution(triplet):
        delta = sorted(float((1 - cosine(s, n)) - (1 - cosine(s, p))) for s, p, n in zip(*triplet, strict=True))
        total = sum(math.exp(d) for d in delta)
        return [math.exp(d) / total for d in delta]

    p, q = distribution(first), distribution(second)
    literal = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 2
    literal += sum(b * math.log(b / a) for a, b in zip(p, q, strict=True)) / 2
    assert relative_loss(relative_distances(*first), relative_distances(*second)).item() == pytest.approx(literal)


def test_relative_loss_is_zero_for_categories_that_are_spread_alike():
    triplet = torch.randn(3, 6, 5)
    assert relative_loss(relative_distances(*triplet), relative_distances(*triplet[:, torch.randperm(6)])) < 1e-12


def test_text_loss_against_a_loop():
    images, texts, scale = torch.randn(4, 5), torch.randn(3, 5), torch.tensor(7.0)
    literal = 0.0
    for image in images:
        logits = [float(scale * cosine(image, text)) for text in texts]
        literal += (math.log(sum(math.exp(x) for x in logits)) - logits[2]) / 4
    assert text_loss(images, texts, 2, scale).item() == pytest.approx(literal)
