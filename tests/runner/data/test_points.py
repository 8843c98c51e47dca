import numpy as np
import pytest

from runner.data import Batches, DataError, open_images
from runner.data.points import HELD_OUT, MIXTURES, TRAIN

NAMES = list(MIXTURES)


@pytest.mark.parametrize("name", NAMES)
def test_points_are_images_of_one_pixel_and_two_channels(name):
    points = open_images(name, size=64, channels=3)
    assert points.train.shape == (TRAIN, 2, 1, 1)
    assert points.held_out.shape == (HELD_OUT, 2, 1, 1)
    assert points.train.dtype == points.held_out.dtype == np.float32
    assert points.of_points
    assert (points.size, points.channels) == (1, 2)


@pytest.mark.parametrize("name", NAMES)
def test_points_lie_where_tanh_reaches(name):
    train = open_images(name).train
    assert 0.75 < np.abs(train).max() < 1


@pytest.mark.parametrize("name", NAMES)
def test_whatever_size_is_asked_for_the_points_are_the_same_and_cached_once(name):
    assert open_images(name).fingerprint == open_images(name, size=1).fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_batches_hold_the_points_as_they_are(name):
    points = open_images(name)
    batches = Batches(points.train, batch_size=32, seed=0, device="cpu", labels=points.labels)
    rows = Batches(points.train, batch_size=32, seed=0, device="cpu").next_rows()
    assert np.array_equal(next(batches)["real"].numpy(), points.train[rows])


@pytest.mark.parametrize("name", NAMES)
def test_every_mode_has_its_weight(name):
    toy = MIXTURES[name]()
    _, modes = toy.draw(50_000, seed=1)
    shares = np.bincount(modes) / 50_000
    assert toy.weights.sum() == pytest.approx(1)
    spread = np.sqrt(toy.weights * (1 - toy.weights) / 50_000)
    assert (np.abs(shares - toy.weights) < 5 * spread).all()


@pytest.mark.parametrize(
    ("name", "modes", "apart", "sd"),
    [("ring8", 8, 2 * np.sin(np.pi / 8), 0.01), ("grid25", 25, 2, 0.05)],
)
def test_modes_lie_as_published(name, modes, apart, sd):
    """PacGAN's configuration: ring of radius 1, sd 0.01; grid of spacing 2, sd 0.05."""
    toy = MIXTURES[name]()
    between = np.linalg.norm(toy.anchors[:, None] - toy.anchors[None], axis=2)
    nearest = (between + np.eye(modes) * 9).min(1) * toy.unit
    assert len(toy.weights) == modes
    assert nearest == pytest.approx([apart] * modes)
    assert toy.sd * toy.unit == pytest.approx(sd)
    points, of = toy.draw(50_000, seed=2)
    spread = (points - toy.anchors[of]).std(0) * toy.unit
    assert spread == pytest.approx([sd, sd], rel=0.02)


def test_the_roll_turns_once_and_a_half_and_grows():
    toy = MIXTURES["swissroll"]()
    radius = np.linalg.norm(toy.anchors, axis=1) * toy.unit
    assert (np.diff(radius) > 0).all()
    assert radius[[0, -1]] == pytest.approx([1.5 * np.pi, 4.5 * np.pi], rel=1e-3)


def test_images_still_need_a_size():
    with pytest.raises(DataError, match="choose a size"):
        open_images("shapes", size=1)
