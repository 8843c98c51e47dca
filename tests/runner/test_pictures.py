from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from runner.pictures import (
    CELL,
    COLUMNS,
    GREY,
    MAP,
    dimensions,
    grid,
    picture,
    png_data_uri,
    small_data_uri,
    small_picture,
)

RNG = np.random.default_rng(0)


def opened(png):
    return np.asarray(Image.open(BytesIO(png)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 28, 32, 64, 128])
def test_every_pixel_of_every_image_can_be_read_back_from_the_grid(channels, size) -> None:
    images = RNG.integers(0, 256, (5, channels, size, size), np.uint8)
    canvas = opened(grid(images, columns=3))
    times = max(1, round(64 / size))
    side = size * times
    assert canvas.shape[:2] == (2 * side + 2, 3 * side + 4)
    canvas = canvas.reshape(*canvas.shape[:2], channels)
    for index, image in enumerate(images):
        top, left = index // 3 * (side + 2), index % 3 * (side + 2)
        cell = canvas[top : top + side, left : left + side]
        for dy in range(times):
            for dx in range(times):
                np.testing.assert_array_equal(cell[dy::times, dx::times], image.transpose(1, 2, 0))


def test_gaps_and_empty_places_are_grey() -> None:
    canvas = opened(grid(np.zeros((3, 1, 32, 32), np.uint8), columns=2))
    assert (canvas[64:66] == GREY).all()
    assert (canvas[:, 64:66] == GREY).all()
    assert (canvas[66:, 66:] == GREY).all()


def test_fewer_images_than_columns_leave_no_empty_columns() -> None:
    assert opened(grid(np.zeros((2, 3, 64, 64), np.uint8), columns=8)).shape == (64, 130, 3)


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 1, 8, 8)), np.zeros((0, 1, 8, 8), np.uint8), np.zeros((2, 2, 8, 8), np.uint8)],
)
def test_what_is_no_stack_of_images_is_refused(images) -> None:
    with pytest.raises(ValueError, match="no grid of"):
        grid(images)


def test_a_picture_survives_its_data_uri_and_tells_its_size(tmp_path) -> None:
    path = tmp_path / "samples.png"
    path.write_bytes(grid(RNG.integers(0, 256, (4, 3, 32, 32), np.uint8), columns=2))
    head, _, body = png_data_uri(path).partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(body) == path.read_bytes()
    assert dimensions(path) == (130, 130)
    assert small_data_uri(path, 10**6) == png_data_uri(path)


@pytest.mark.parametrize("limit", [300_000, 30_000])
def test_a_picture_too_large_for_a_page_is_compressed_under_the_limit(tmp_path, limit) -> None:
    path = tmp_path / "samples.png"
    path.write_bytes(grid(RNG.integers(0, 256, (64, 3, 64, 64), np.uint8)))
    head, _, body = small_data_uri(path, limit).partition(",")
    assert path.stat().st_size > 500_000
    assert head == "data:image/webp;base64"
    assert len(b64decode(body)) <= limit
    Image.open(BytesIO(b64decode(body))).load()


def scenes(n, side):
    """Flat rectangles on flat ground, with grain."""
    rng = np.random.default_rng(side)
    images = np.repeat(rng.uniform(0, 255, (n, 3, 1, 1)), side, 2).repeat(side, 3)
    for image in images:
        for _ in range(4):
            top, left = rng.integers(0, side - 4, 2)
            height, width = rng.integers(4, side, 2)
            colour = rng.uniform(0, 255, (3, 1, 1))
            image[:, top : top + height, left : left + width] = colour
    return (images + rng.normal(0, 6, images.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
def test_a_grid_of_a_course_is_small_and_shows_every_sample_in_its_place(side) -> None:
    images = scenes(64, side)
    small = small_picture(images)
    assert len(small) < (30_000 if side <= 32 else 90_000)
    assert small == small_picture(images)
    width, height = Image.open(BytesIO(small)).size
    assert width == height <= COLUMNS * (CELL + 2)
    seen = np.asarray(Image.open(BytesIO(small)).convert("RGB"), float)
    large = Image.open(BytesIO(picture(images))).resize((width, height), Image.Resampling.BOX)
    assert np.abs(seen - np.asarray(large, float)).mean() < 12


def test_points_are_drawn_without_losses() -> None:
    points = RNG.normal(0, 0.4, (2_500, 2, 1, 1)).astype(np.float32)
    small = Image.open(BytesIO(small_picture(points))).convert("L")
    assert small.size == (MAP, MAP)
    np.testing.assert_array_equal(np.asarray(small), opened(picture(points)))
