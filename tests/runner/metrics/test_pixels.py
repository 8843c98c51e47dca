import numpy as np
import pytest
import torch

from runner.metrics import MetricError, measurable, to_uint8
from runner.metrics.pixels import on_white, pick


def test_every_level_survives_the_way_to_the_generator_and_back():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(to_uint8(levels.float() / 127.5 - 1), levels)


def test_values_are_rounded_not_truncated():
    values = torch.tensor([100.4, 100.6, 254.6, 0.4]) / 127.5 - 1
    assert to_uint8(values).tolist() == [100, 101, 255, 0]


def test_what_lies_outside_is_clamped():
    assert to_uint8(torch.tensor([-7.0, -1.0, 1.0, 1.01, 900.0])).tolist() == [0, 0, 255, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_precision_is_scaled_in_float32(dtype):
    values = torch.linspace(-1, 1, 99).to(dtype)
    assert torch.equal(to_uint8(values), to_uint8(values.float()))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_no_image(bad):
    with pytest.raises(MetricError, match="not finite"):
        to_uint8(torch.tensor([0.0, bad]))


def test_picking_takes_different_images_from_everywhere():
    images = np.arange(200, dtype=np.uint8).reshape(-1, 1, 1, 1)
    picked = pick(images, 100, seed=0).ravel()
    assert len(set(picked)) == 100
    assert (np.diff(picked.astype(int)) > 0).all()
    assert 70 < picked.mean() < 130
    assert (picked != pick(images, 100, seed=1).ravel()).any()
    assert (pick(images, 200, seed=5) == images).all()


@pytest.mark.parametrize("n", [0, 1, 11])
def test_more_images_than_there_are_cannot_be_picked(n):
    with pytest.raises(MetricError, match=f"all 10 of the images, so not {n}"):
        pick(np.zeros((10, 1, 4, 4), np.uint8), n, seed=0)


@pytest.mark.parametrize("channels", [2, 4])
def test_images_with_alpha_are_measured_as_they_look_on_white(channels):
    colour = np.full((1, channels - 1, 1, 3), 100, np.uint8)
    alpha = np.array([0, 51, 255], np.uint8).reshape(1, 1, 1, 3)
    seen = np.array([255, 224, 100], np.uint8)  # 100 / 5 + 255 * 4 / 5 = 224
    images = np.concatenate([colour, alpha], 1)
    assert (on_white(images) == seen).all()
    assert (pick(images.repeat(2, 0), 2, seed=0) == seen).all()
    made = measurable(torch.from_numpy(images) / 127.5 - 1)
    assert made.shape == (1, channels - 1, 1, 3)
    assert (made.numpy() == seen).all()


def test_what_has_no_alpha_is_measured_as_it_is():
    images = np.zeros((2, 3, 4, 4), np.uint8)
    assert on_white(images) is images
    points = np.zeros((2, 2, 1, 1), np.float32)
    assert on_white(points) is points
