import hashlib

import numpy as np
import pytest

from runner.data import open_images
from runner.data.triangles import HELD_OUT, LEAST_AREA, TRAIN, draw, painted


def areas(corners):
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


@pytest.mark.parametrize("size", [28, 32, 64])
def test_as_many_pixels_are_white_as_the_triangle_is_large(size):
    corners = draw(100, seed=1)
    white = painted(corners, size).mean((1, 2, 3)) / 255
    assert white == pytest.approx(areas(corners), rel=0.02)


def test_triangles_are_inside_no_slivers_and_of_all_sizes():
    corners = draw(20_000, seed=2)
    assert corners.min() > 0
    assert corners.max() < 1
    found = areas(corners)
    assert LEAST_AREA <= found.min() < 1.4 * LEAST_AREA
    assert found.max() > 0.95 * 0.42**2 * 3 * np.sqrt(3) / 4  # the largest is equilateral


def test_pixels_are_the_same_on_every_machine():
    digest = hashlib.sha256(painted(draw(500, seed=0), 32)).hexdigest()
    assert digest == "bd972fe006593d3f0f0c11d3ccb0b5b1458f1daf99e4ad1772947b9351632a90"


@pytest.mark.parametrize("channels", [None, 3])
def test_polygons_are_grey_unless_asked_for(channels):
    images = open_images("polygons", size=8, channels=channels)
    assert images.train.shape == (TRAIN, channels or 1, 8, 8)
    assert images.held_out.shape[0] == HELD_OUT
    if channels:
        assert (images.train[:100, 0] == images.train[:100, 2]).all()
