"""The simplest convex polygons of Lucic et al. (2018): every image is known by its three corners."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runner.data.images import Pixels
from runner.data.prepare import with_channels
from runner.data.shapes import MOST, Polygons, paint
from runner.data.source import Channels, Decoded, Progress

TRAIN, HELD_OUT = 60_000, 10_000
LEAST_ARC = np.pi / 3  # between corners on their circle: there are no slivers
RADIUS = (0.25, 0.42)  # of that circle, in pictures
# The least there is: arcs of 60, 60 and 240 degrees on the smallest circle.
LEAST_AREA = RADIUS[0] ** 2 * np.sqrt(3) / 4
VERSION = 1  # raise it when the pixels change

Floats = NDArray[np.float64]


class Triangles:
    """White triangles on black, of any size, shape and place: 60,000, and 10,000 held out."""

    name = "polygons"

    def listing(self) -> list[object]:
        return [VERSION, TRAIN, HELD_OUT]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        total = TRAIN + HELD_OUT
        corners = draw(total, seed=0)
        batch = max(1, 2**19 // (size * size))
        path = scratch / "decoded"
        with path.open("wb") as file:
            for start in range(0, total, batch):
                images = painted(corners[start : start + batch], size)
                file.write(with_channels(images, channels).data)
                progress(min(start + batch, total), total)
        images = np.memmap(path, np.uint8, "r", shape=(total, channels or 1, size, size))
        return Decoded(
            images,
            f"drawn at {size} px, white on black",
            held_out=np.arange(total) >= TRAIN,
            held_out_is=f"{HELD_OUT:,} further triangles",
        )


def draw(total: int, seed: int) -> Floats:
    """Corners (N, 3, 2), x and y from 0 to 1: three on a circle, which is inside the picture."""
    # RandomState's streams are frozen for good (NEP 19); a Generator's may change with NumPy.
    random = np.random.RandomState(seed)
    spare = 2 * np.pi - 3 * LEAST_ARC
    cuts = np.sort(random.uniform(0, spare, (total, 2)), 1)
    angle = random.uniform(0, 2 * np.pi, (total, 1)) + np.concatenate(
        [np.zeros((total, 1)), cuts + LEAST_ARC * np.array((1, 2))], 1
    )
    radius = random.uniform(*RADIUS, (total, 1))
    centre = 0.5 + random.uniform(-1, 1, (total, 1, 2)) * (0.49 - radius[..., None])
    corners = centre + radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], 2)
    # Sines differ in the last bit between machines; in steps of 2**-20 they do not.
    rounded: Floats = np.round(corners * 2**20) / 2**20
    return rounded


def painted(corners: Floats, size: int) -> Pixels:
    """uint8 (N, 1, size, size), antialiased with eight scan lines a pixel."""
    count = len(corners)
    last = np.repeat(corners[:, -1:], MOST - 3, 1)
    polygons = Polygons(
        np.concatenate([corners, last], 1),
        np.full(count, 3),
        np.full((count, 3), 255, np.uint16),
        np.zeros((count, 3), np.uint16),
    )
    fine = paint(polygons, 2 * size, slice(None))[:, :1].astype(np.uint16)
    four = fine.reshape(count, 1, size, 2, size, 2).sum((3, 5), dtype=np.uint16)
    seen: Pixels = ((four + 2) // 4).astype(np.uint8)
    return seen
