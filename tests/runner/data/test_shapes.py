import hashlib

import numpy as np
import pytest

from runner.data import open_images
from runner.data.shapes import CLASSES, Polygons, draw, grainy, paint

EVERY = slice(None)


def polygon(corners, colour=(0, 0, 0), background=(255, 255, 255)):
    corners = np.array(corners, float)
    padded = np.concatenate([corners, np.repeat(corners[-1:], 8 - len(corners), 0)])
    return Polygons(
        padded[None],
        np.array([len(corners)]),
        np.array([colour], np.uint16),
        np.array([background], np.uint16),
    )


def covered(polygon, size=32):
    """The share of the picture that the polygon covers."""
    return 1 - paint(polygon, size, EVERY).mean() / 255


def area(corners):
    """The shoelace formula."""
    x, y = np.asarray(corners).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_a_square_of_whole_pixels_is_exact():
    image = paint(polygon([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]), 8, EVERY)
    expected = np.full((1, 3, 8, 8), 255, np.uint8)
    expected[:, :, 2:6, 2:6] = 0
    assert np.array_equal(image, expected)


def test_half_a_pixel_is_half_the_colour():
    image = paint(polygon([(0, 0), (1 / 16, 0), (1 / 16, 1), (0, 1)]), 8, EVERY)
    assert (image[..., 0] == 127 + 1).all()
    assert (image[..., 1:] == 255).all()


@pytest.mark.parametrize("number", range(20))
def test_the_painted_area_is_the_polygons(number):
    drawn = draw(20)
    corners = drawn.corners[number, : drawn.sides[number]]
    assert covered(polygon(corners), 64) == pytest.approx(area(corners), rel=0.01)


def test_polygons_are_convex_inside_the_picture_and_of_every_kind():
    drawn = draw(3000)
    assert drawn.corners.min() > 0
    assert drawn.corners.max() < 1
    for corners, sides in zip(drawn.corners, drawn.sides, strict=True):
        edges = np.diff(corners[[*range(sides), 0, 1]], axis=0)
        turns = np.cross(np.c_[edges[:-1], np.zeros(sides)], np.c_[edges[1:], np.zeros(sides)])[
            :, 2
        ]
        assert (turns > 0).all()
    assert np.bincount(drawn.sides, minlength=9)[3:].min() > 400


def test_they_stand_out_in_grey_too():
    drawn = draw(3000)
    weights = np.array([0.299, 0.587, 0.114])
    assert (drawn.background @ weights - drawn.colour @ weights).min() > 40


def test_they_are_the_same_on_every_machine():
    pixels = grainy(paint(draw(500), 32, EVERY), 0)
    assert hashlib.sha256(pixels).hexdigest()[:16] == "5e0d6d889546fdd6"


def test_the_set_is_what_it_says():
    images = open_images("shapes", size=16)
    assert images.train.shape == (24_000, 3, 16, 16)
    assert images.held_out.shape == (6_000, 3, 16, 16)
    assert images.classes == CLASSES
    assert np.bincount(images.labels).min() > 3_800
    assert images.held_out_is == "6,000 further polygons"


def test_grey_shapes_are_the_coloured_ones_in_grey():
    colour, grey = (open_images("shapes", size=8, channels=channels) for channels in (3, 1))
    assert grey.train.shape == (24_000, 1, 8, 8)
    assert grey.train.mean() == pytest.approx(
        np.tensordot([0.299, 0.587, 0.114], colour.train.mean((0, 2, 3)), 1), abs=0.6
    )
