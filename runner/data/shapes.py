"""A set that needs no file: coloured polygons, whose class is the number of their corners."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runner.data.images import Pixels
from runner.data.prepare import with_channels
from runner.data.source import Channels, Decoded, Progress

TRAIN, HELD_OUT = 24_000, 6_000
CLASSES = ("triangle", "quadrilateral", "pentagon", "hexagon", "heptagon", "octagon")
MOST = 8  # corners
LINES = 4  # scan lines a pixel
STEPS = 64  # levels of coverage of a pixel along a line
FULL = np.uint16(LINES * STEPS)
GRAIN = 8  # levels; uniform noise, of standard deviation 4.9
VERSION = 2  # raise it when the pixels change

Floats = NDArray[np.float64]


class Polygons(NamedTuple):
    corners: Floats  # (N, 8, 2) x and y from 0 to 1, the last corner repeated where there are fewer
    sides: NDArray[np.int64]  # (N,)
    colour: NDArray[np.uint16]  # (N, 3)
    background: NDArray[np.uint16]  # (N, 3)


class Shapes:
    """24,000 polygons to train on and 6,000 held out: the same on every machine, at any size."""

    name = "shapes"

    def listing(self) -> list[object]:
        return [VERSION, TRAIN, HELD_OUT]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        total = TRAIN + HELD_OUT
        polygons = draw(total)
        batch = max(1, 2**20 // (size * size))  # keeps what paint() works with in the cache
        path = scratch / "decoded"
        with path.open("wb") as file:
            for start in range(0, total, batch):
                pixels = grainy(paint(polygons, size, slice(start, start + batch)), start)
                file.write(with_channels(pixels, channels).data)
                progress(min(start + batch, total), total)
        images: Pixels = np.memmap(path, np.uint8, "r", shape=(total, channels or 3, size, size))
        return Decoded(
            images,
            f"drawn at {size} px",
            polygons.sides - 3,
            CLASSES,
            np.arange(total) >= TRAIN,
            "6,000 further polygons",
        )


def draw(total: int, seed: int = 0) -> Polygons:
    """Polygons inscribed in ellipses, which makes them convex, each in a colour of its own."""
    # RandomState's streams are frozen for good (NEP 19); a Generator's may change with NumPy.
    random = np.random.RandomState(seed)
    sides = random.randint(3, MOST + 1, total, np.int64)
    corner = np.minimum(np.arange(MOST), sides[:, None] - 1)
    wobble = random.uniform(-0.25, 0.25, (total, MOST))
    wobble = np.take_along_axis(wobble, corner, 1)
    angle = 2 * np.pi * (corner + wobble + random.rand(total, 1)) / sides[:, None]
    radius = random.uniform(0.26, 0.42, (total, 1))
    flat = random.uniform(0.75, 1, (total, 1))
    tilt = random.uniform(0, np.pi, (total, 1))
    centre = 0.5 + random.uniform(-1, 1, (total, 2)) * (0.47 - radius)
    along, across = radius * np.cos(angle), radius * flat * np.sin(angle)
    corners = np.stack(
        [
            centre[:, :1] + along * np.cos(tilt) - across * np.sin(tilt),
            centre[:, 1:] + along * np.sin(tilt) + across * np.cos(tilt),
        ],
        axis=2,
    )
    # Sines differ in the last bit between machines; in steps of 2**-20 they do not.
    corners = np.round(corners * 2**20) / 2**20
    colour = from_hsv(
        random.rand(total), random.uniform(0.6, 0.95, total), random.uniform(0.5, 0.95, total)
    )
    background = from_hsv(
        random.rand(total), random.uniform(0, 0.12, total), random.uniform(0.88, 1, total)
    )
    return Polygons(corners, sides, darkened(colour), background.astype(np.uint16))


def from_hsv(hue: Floats, saturation: Floats, value: Floats) -> NDArray[np.int64]:
    """(N,) each, from 0 to 1, to (N, 3) from 0 to 255 (Smith, 1978)."""
    sector = (np.array([5, 3, 1]) + 6 * hue[:, None]) % 6
    fall = np.clip(np.minimum(sector, 4 - sector), 0, 1)
    channels: Floats = value[:, None] * (1 - saturation[:, None] * fall)
    return np.round(channels * 255).astype(np.int64)


def darkened(colour: NDArray[np.int64], brightest: int = 150) -> NDArray[np.uint16]:
    """Dark enough to stand out in grey as well."""
    grey = (299 * colour[:, :1] + 587 * colour[:, 1:2] + 114 * colour[:, 2:]) // 1000
    darker: NDArray[np.int64] = colour * brightest // np.maximum(grey, brightest)
    return darker.astype(np.uint16)


def paint(polygons: Polygons, size: int, some: slice) -> Pixels:
    """Some of them, (N, 3, size, size); in integers, which no machine rounds otherwise."""
    corners = polygons.corners[some] * size
    x, y = corners[:, None, :, 0], corners[:, None, :, 1]
    next_x, next_y = np.roll(x, -1, 2), np.roll(y, -1, 2)
    line = ((np.arange(size * LINES) + 0.5) / LINES)[None, :, None]
    crosses = (y <= line) != (next_y <= line)  # two edges, or none
    slope = (next_x - x) / np.where(y == next_y, 1, next_y - y)
    crossing = x + (line - y) * slope  # (N, lines, edges)
    left = in_steps(np.where(crosses, crossing, size).min(2))
    right = in_steps(np.where(crosses, crossing, 0).max(2))

    pixel = np.arange(size, dtype=np.int32) * STEPS
    covered = np.minimum(right[..., None], pixel + STEPS) - np.maximum(left[..., None], pixel)
    steps = np.maximum(covered, 0).astype(np.uint16).reshape(-1, size, LINES, size)
    inside = (steps[:, :, 0] + steps[:, :, 1] + steps[:, :, 2] + steps[:, :, 3])[:, None]
    colour = polygons.colour[some, :, None, None]
    background = polygons.background[some, :, None, None]
    # At most 255 × 256 + 128, which sixteen bits can just hold.
    mixed: NDArray[np.uint16] = colour * inside + background * (FULL - inside) + FULL // 2
    return (mixed // FULL).astype(np.uint8)


def grainy(pixels: Pixels, seed: int) -> Pixels:
    """As a camera's: on perfectly flat colours features see the faintest noise as the worst."""
    noise = np.random.RandomState(seed).randint(-GRAIN, GRAIN + 1, pixels.shape, np.int16)
    seen: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return seen


def in_steps(place: Floats) -> NDArray[np.int32]:
    return np.rint(place * STEPS).astype(np.int32)
