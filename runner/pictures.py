"""Sample grids as PNG, and pictures as text that a web page can hold."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CELL = 64  # pixels that a small image is enlarged to, about: 32 px can hardly be seen
GAP = 2
GREY = 128  # of the gaps: told from black and from white images, on dark and light pages


def grid(images: NDArray[np.uint8], columns: int = 8) -> bytes:
    """Row by row, small images enlarged by whole numbers without smoothing.

    images: uint8 (N, C, H, W), C being 1 (grey) or 3 (colour). Returns a PNG.
    """
    count, channels, height, width = images.shape
    if images.dtype != np.uint8 or channels not in (1, 3) or not count:
        raise ValueError(f"no grid of {images.dtype} images of the shape {images.shape}")
    times = max(1, round(CELL / max(height, width)))
    large = images.repeat(times, axis=2).repeat(times, axis=3).transpose(0, 2, 3, 1)
    columns = min(columns, count)
    down, across = height * times + GAP, width * times + GAP
    canvas = np.full(
        (-(-count // columns) * down - GAP, columns * across - GAP, channels), GREY, np.uint8
    )
    for index, cell in enumerate(large):
        top, left = index // columns * down, index % columns * across
        canvas[top : top + height * times, left : left + width * times] = cell
    file = BytesIO()
    Image.fromarray(canvas.squeeze(-1) if channels == 1 else canvas).save(file, "PNG")
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


def webp(picture: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", quality=quality)
    return file.getvalue()


def data_uri(picture: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"


def dimensions(path: Path) -> tuple[int, int]:
    """Width and height in pixels; only the header is read."""
    with Image.open(path) as picture:
        return picture.size
