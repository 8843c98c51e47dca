"""Samples as pictures: grids of images and maps of points, as files and as text of a web page."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runner.metrics.pixels import is_points, on_white

CELL = 64  # pixels that a small image is enlarged to, about: 32 px can hardly be seen
GAP = 2
IMAGES, POINTS = 64, 2_500  # that a picture shows
COLUMNS = 8
QUALITY = 75  # of WebP: 64 samples of 32 px take 14 kB in grey and 22 kB in colour
MAP = 512  # pixels a side of a picture of points, which shows [-1, 1] each way
GREY = 128  # of the gaps: told from black and from white images, on dark and light pages


Samples = NDArray[np.uint8] | NDArray[np.float32]  # (N, C, H, W), or points (N, 2, 1, 1)


def shown(size: int) -> int:
    """How many a picture shows: of images of so many pixels a side, or of points, which have one."""
    return POINTS if size == 1 else IMAGES


def picture(samples: Samples) -> bytes:
    """Images in a grid, or points on a map, as a PNG."""
    return png(drawing(samples))


def small_picture(samples: Samples) -> bytes:
    """The same as a small WebP, for one of many that show a course: no sample larger than CELL."""
    if is_points(samples):
        return webp(drawing(samples), lossless=True)
    seen = drawing(samples, CELL // 2)
    while seen.width > COLUMNS * (CELL + GAP):
        seen = seen.reduce(2)
    return webp(seen)


def drawing(samples: Samples, cell: int = CELL) -> Image.Image:
    if is_points(samples):
        return point_map(np.asarray(samples, np.float32).reshape(-1, 2))
    return tiled(np.asarray(on_white(samples)), columns=COLUMNS, cell=cell)


def point_map(points: NDArray[np.floating]) -> Image.Image:
    """Every point a dot, the darker the more lie there; y upwards. points: (N, 2).

    Points outside of [-1, 1] stand at the edge, so that none is lost from sight.
    """
    places = np.rint((np.clip(points, -1, 1) + 1) / 2 * (MAP - 3)).astype(np.intp) + 1
    counts = np.zeros((MAP, MAP))
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            np.add.at(counts, (MAP - 1 - places[:, 1] + down, places[:, 0] + across), 1)
    ink = np.where(counts > 0, 0.35 + 0.65 * np.log1p(counts) / np.log1p(max(counts.max(), 1)), 0)
    return Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8))


def grid(images: NDArray[np.uint8], columns: int = COLUMNS) -> bytes:
    """Row by row, small images enlarged by whole numbers without smoothing.

    images: uint8 (N, C, H, W), C being 1 (grey) or 3 (colour). Returns a PNG.
    """
    return png(tiled(images, columns))


def tiled(images: NDArray[np.uint8], columns: int, cell: int = CELL) -> Image.Image:
    count, channels, height, width = images.shape
    if images.dtype != np.uint8 or channels not in (1, 3) or not count:
        raise ValueError(f"no grid of {images.dtype} images of the shape {images.shape}")
    times = max(1, round(cell / max(height, width)))
    large = images.repeat(times, axis=2).repeat(times, axis=3).transpose(0, 2, 3, 1)
    columns = min(columns, count)
    down, across = height * times + GAP, width * times + GAP
    canvas = np.full(
        (-(-count // columns) * down - GAP, columns * across - GAP, channels), GREY, np.uint8
    )
    for index, tile in enumerate(large):
        top, left = index // columns * down, index % columns * across
        canvas[top : top + height * times, left : left + width * times] = tile
    return Image.fromarray(canvas.squeeze(-1) if channels == 1 else canvas)


def png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def png_data_uri(path: Path) -> str:
    return data_uri(path.read_bytes(), "png")


def small_data_uri(path: Path, limit: int) -> str:
    """The picture as it is if it has so many bytes at most, and with losses if it has more."""
    exact = path.read_bytes()
    if len(exact) <= limit:
        return data_uri(exact, "png")
    with Image.open(BytesIO(exact)) as opened:
        picture = opened.convert("RGB")
    for quality in (90, 80, 65):
        if len(lossy := webp(picture, quality)) <= limit:
            return data_uri(lossy, "webp")
    while len(lossy) > limit and min(picture.size) > CELL:
        picture = picture.reduce(2)
        lossy = webp(picture, 65)
    return data_uri(lossy, "webp")


def webp(picture: Image.Image, quality: int = QUALITY, *, lossless: bool = False) -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", quality=quality, lossless=lossless)
    return file.getvalue()


def data_uri(picture: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"


def dimensions(path: Path) -> tuple[int, int]:
    """Width and height in pixels; only the header is read."""
    with Image.open(path) as picture:
        return picture.size
