import torch

from dpclip.data.augment import augment, geometry, grey, turn


def test_sketch_and_positive_turn_alike_and_the_negative_on_its_own():
    image = torch.rand(6, 3, 32, 32)
    flat = image.mean(1, keepdim=True).expand_as(image)  # greyscale changes nothing
    sketch, positive, negative = augment(flat, flat, flat, torch.Generator().manual_seed(3))
    assert torch.allclose(sketch, positive, atol=1e-5)
    assert not torch.allclose(sketch, negative, atol=1e-2)


def test_half_of_the_photos_lose_their_colour():
    images = grey(torch.rand(400, 3, 4, 4), torch.Generator().manual_seed(0))
    colourless = (images.amax(1) - images.amin(1)).amax((1, 2)) < 1e-6
    assert 150 < colourless.sum() < 250


def test_turning_fills_with_white_and_the_identity_changes_nothing():
    images = torch.rand(2, 3, 16, 16)
    identity = torch.eye(2, 3).expand(2, 2, 3)
    assert torch.allclose(turn(images, identity), images, atol=1e-5)
    angle = torch.tensor(torch.pi / 4)
    cos, sin, zero = angle.cos(), angle.sin(), 0 * angle
    rotation = torch.stack([cos, -sin, zero, sin, cos, zero]).view(1, 2, 3)
    corners = turn(torch.zeros(1, 3, 16, 16), rotation)[0, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 1).all()
    assert geometry(5, torch.Generator()).shape == (5, 2, 3)
