"""What the critic sees, and what flows back through it."""

import pytest
import torch

from knowledge.schema import Part
from runner.game import build
from runner.parts import augmentation
from tests.runner.small import IMAGE, recipe, scene_of

ALL = tuple({"name": name} for name in augmentation.known)


@pytest.fixture
def images():
    return torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5


def augmented(name, images, seed=1, **settings):
    part = Part(name=name, settings=settings)
    return augmentation.get(part)(images, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", augmentation.known)
@pytest.mark.parametrize(("channels", "size"), [(1, 16), (2, 1), (3, 8), (4, 32)])
def test_shapes_seeds_and_gradients(name, channels, size):
    images = torch.rand(4, channels, size, size, requires_grad=True)
    out = augmented(name, images)
    assert out.shape == images.shape
    assert torch.equal(out, augmented(name, images))
    assert size == 1 or not torch.equal(out, augmented(name, images, seed=2))
    (gradient,) = torch.autograd.grad(out.sum(), images)
    assert gradient.isfinite().all()
    assert size == 1 or gradient.any()


@pytest.mark.parametrize("name", augmentation.known)
def test_nothing_is_done_at_strength_zero(name, images):
    zero = {
        "color": {"brightness": 0.0, "saturation": 0.0, "contrast": 0.0},
        "translation": {"reach": 0.0},
        "cutout": {"side": 0.0},
    }
    assert torch.allclose(augmented(name, images, **zero[name]), images, atol=1e-6)


def test_brightness_adds_one_number_to_each_image(images):
    off = augmented("color", images, saturation=0.0, contrast=0.0) - images
    shifts = off.mean((1, 2, 3))
    assert torch.allclose(off, shifts[:, None, None, None].expand_as(off), atol=1e-6)
    assert shifts.abs().max() <= 0.5
    assert shifts.std() == pytest.approx(1 / 12**0.5, rel=0.3)  # of a uniform number


def test_saturation_keeps_the_mean_of_a_pixel_and_contrast_that_of_an_image(images):
    colourful = augmented("color", images, brightness=0.0, contrast=0.0)
    assert torch.allclose(colourful.mean(1), images.mean(1), atol=1e-6)
    assert not torch.allclose(colourful, images)
    strong = augmented("color", images, brightness=0.0, saturation=0.0)
    assert torch.allclose(strong.mean((1, 2, 3)), images.mean((1, 2, 3)), atol=1e-6)
    gains = strong.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.5 <= gains.min() < 0.75
    assert 1.25 < gains.max() <= 1.5 + 1e-6


def test_translation_moves_whole_images_by_up_to_an_eighth(images):
    seen = set()
    for image, moved in zip(images, augmented("translation", images), strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        seen |= {(y, x) for y in range(5) for x in range(5)
                 if torch.equal(padded[:, y : y + 16, x : x + 16], moved)}  # fmt: skip
    assert len(seen) > 15
    assert all(torch.isin(torch.arange(5), torch.tensor(list(seen))[:, i]).all() for i in (0, 1))


def test_cutout_leaves_a_hole_of_up_to_half_the_side(images):
    cut = augmented("cutout", images)
    holes = (cut == 0).all(1)
    assert torch.equal(cut, torch.where(holes[:, None], 0, images))
    for hole in holes:
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns)  # a rectangle
        assert 1 <= rows.sum() <= 8
        assert 1 <= columns.sum() <= 8
    assert holes.sum((1, 2)).max() == 64
    assert holes.any(0).all()  # anywhere


def test_both_players_see_augmented_images_and_the_generator_learns_through_them():
    game = build(recipe(augmentations=ALL), IMAGE, 0)
    scene = scene_of(game)
    for kind in ("real", "fake"):
        assert not torch.equal(scene[kind], scene[f"{kind}_view"])
        assert torch.equal(scene[f"{kind}_score"], game.networks["critic"](scene[f"{kind}_view"]))
    (gradient,) = torch.autograd.grad(scene["fake_score"].sum(), scene["fake"])
    assert gradient.any()


def test_penalties_are_taken_where_the_critic_looks():
    part = {"name": "r1", "settings": {"gamma": 2.0, "interval": 2}}
    game = build(recipe(augmentations=ALL, penalties=(part,)), IMAGE, 0)
    scene, term = scene_of(game), game.turns[0].terms["r1"]
    view = scene["real_view"].requires_grad_()
    (slope,) = torch.autograd.grad(game.networks["critic"](view).sum(), view)
    expected = 2 * slope.square().flatten(1).sum(1).mean()
    assert torch.isclose(scene.work_out(term), expected, rtol=1e-4)
    assert term.interval == 2
