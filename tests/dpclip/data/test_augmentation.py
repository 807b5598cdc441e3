import math

import torch

from dpclip.data.augmentation import Motion, augment, lose_colour, move, rotate
from dpclip.data.store import as_float


def bytes_(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def still(count):
    return Motion(torch.zeros(count, dtype=torch.bool), torch.zeros(count))


def test_sketch_and_positive_turn_alike_and_the_negative_not_at_all():
    grey = bytes_(6, 1, 32, 32)
    colour = grey.expand(-1, 3, -1, -1)  # greyscale changes nothing
    sketch, positive, negative = augment(grey, colour, colour, torch.Generator().manual_seed(3))
    assert sketch.shape == positive.shape == negative.shape == (6, 3, 32, 32)
    assert torch.allclose(sketch, positive, atol=1e-6) and not torch.allclose(sketch, as_float(colour), atol=1e-2)
    assert torch.allclose(negative, as_float(colour), atol=1e-6)


def literal(picture, flip, angle, grey):
    """One picture (C, S, S) of bytes, pixel by pixel: grey, then flipped, then rotated; white outside."""
    channels, size, _ = picture.shape
    made = torch.ones(channels, size, size)
    values = picture.double()
    if grey:
        values = (
            (values * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0, keepdim=True).round().repeat(3, 1, 1)
        )
    for row in range(size):
        for column in range(size):
            x, y = column - (size - 1) / 2, row - (size - 1) / 2
            from_x = math.cos(angle) * x - math.sin(angle) * y + (size - 1) / 2
            from_y = math.sin(angle) * x + math.cos(angle) * y + (size - 1) / 2
            if -0.5 < from_x < size - 0.5 and -0.5 < from_y < size - 0.5:
                near = round(from_x)
                made[:, row, column] = values[:, round(from_y), size - 1 - near if flip else near].float() / 255
    return made


def test_pixels_are_those_of_a_literal_version():
    sketch, photo, other = bytes_(9, 1, 15, 15), bytes_(9, 3, 15, 15), bytes_(9, 3, 15, 15).flip(0)
    views = augment(sketch, photo, other, torch.Generator().manual_seed(11))
    draws = torch.Generator().manual_seed(11)
    motion, grey = Motion.draw(9, draws), torch.rand(9, generator=draws) < 0.5
    assert 0 < motion.flip.sum() < 9 and 0 < (motion.angle != 0).sum() < 9 and 0 < grey.sum() < 9
    for n in range(9):
        flip, angle = bool(motion.flip[n]), float(motion.angle[n])
        wanted = literal(sketch[n], flip, angle, False), literal(photo[n], flip, angle, grey[n])
        for view, pixels in zip(views, (*wanted, literal(other[n], False, 0, grey[n])), strict=True):
            assert ((view[n] - pixels).abs() > 1e-3).float().mean() < 0.02  # a tie between two pixels may go either way


def test_half_are_flipped_half_rotated_within_30_degrees():
    motion = Motion.draw(4000, torch.Generator().manual_seed(0))
    assert 1850 < motion.flip.sum() < 2150 and 1850 < (motion.angle != 0).sum() < 2150
    assert 0.5 < motion.angle.abs().max() <= torch.pi / 6


def test_half_of_the_photos_lose_their_colour():
    pictures = bytes_(400, 3, 4, 4)
    _, views, _ = augment(pictures, pictures, pictures, torch.Generator().manual_seed(0))
    colourless = (views.amax(1) - views.amin(1)).amax((1, 2)) < 1e-6
    assert 150 < colourless.sum() < 250
    chosen = torch.arange(400) % 3 == 0
    some = lose_colour(pictures, chosen)
    assert torch.equal(some[~chosen], pictures[~chosen])
    luminance = (as_float(pictures) * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    assert (as_float(some)[chosen] - luminance[chosen][:, None]).abs().max() <= 0.51 / 255


def test_no_motion_changes_nothing_and_a_flip_mirrors():
    pictures = bytes_(2, 3, 16, 16)
    assert torch.allclose(move(pictures, still(2)), as_float(pictures), atol=1e-6)
    mirrored = move(pictures, Motion(torch.tensor([True, False]), torch.zeros(2)))
    assert torch.allclose(mirrored, torch.stack([as_float(pictures)[0].flip(-1), as_float(pictures)[1]]), atol=1e-6)


def test_a_quarter_turn_is_exact_and_goes_one_way():
    images = torch.rand(1, 2, 9, 9)
    assert torch.allclose(rotate(images, torch.tensor([torch.pi / 2])), images.rot90(1, (2, 3)), atol=1e-5)


def test_corners_are_filled_with_white():
    moved = move(torch.zeros(1, 1, 16, 16, dtype=torch.uint8), Motion(torch.tensor([False]), torch.tensor([0.5])))
    assert moved[0, 0, 0, 0] > 0.9 and moved[0, 0, 8, 8] == 0
