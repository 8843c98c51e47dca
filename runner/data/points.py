"""Toys in the plane whose distribution is known: points, carried as images of one pixel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runner.data.source import Channels, Decoded, Progress

TRAIN, HELD_OUT = 100_000, 2_500  # as PacGAN trains and evaluates (Lin et al., 2018, appendix)
VERSION = 1  # raise it when the points change
STRETCHES, FINENESS = 50, 4_000  # modes and anchors that the roll is cut into

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians around anchors, all of the same weight; each anchor belongs to a mode.

    Everything is divided by `unit`, so that it lies where images do, about in [-1, 1].
    """

    name: str
    anchors: Floats  # (A, 2)
    modes: NDArray[np.int64]  # (A,), from 0
    sd: float
    unit: float  # of the published coordinates
    published: str

    @property
    def weights(self) -> Floats:
        """Of the modes; they add up to one."""
        weights: Floats = np.bincount(self.modes) / len(self.modes)
        return weights

    def draw(self, count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Points (N, 2) and their modes."""
        # RandomState's streams are frozen for good (NEP 19); a Generator's may change with NumPy.
        random = np.random.RandomState(seed)
        chosen = random.randint(0, len(self.anchors), count, np.int64)
        points = self.anchors[chosen] + self.sd * random.standard_normal((count, 2))
        # Sines differ in the last bit between machines; in steps of 2**-20 they do not.
        rounded = np.round(points * 2**20) / 2**20
        return rounded.astype(np.float32), self.modes[chosen]


def ring8() -> Mixture:
    """VEEGAN's ring (Srivastava et al., 2017), by PacGAN's code: radius 1, deviation 0.01."""
    angle = 2 * np.pi * np.arange(8) / 8
    around = np.stack([np.cos(angle), np.sin(angle)], 1)
    unit = 1.25
    return Mixture("ring8", around / unit, np.arange(8), 0.01 / unit, unit, "radius 1")


def grid25() -> Mixture:
    """VEEGAN's grid, by PacGAN's code: at -4, -2, 0, 2 and 4 both ways, deviation 0.05."""
    places = np.arange(-4.0, 5.0, 2.0)
    across = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)
    unit = 5.0
    return Mixture("grid25", across / unit, np.arange(25), 0.05 / unit, unit, "from -4 to 4")


def swissroll() -> Mixture:
    """The roll of WGAN-GP's toys (Gulrajani et al., 2017): angles 1.5 pi to 4.5 pi, noise 0.25.

    Its modes are equal stretches of the angle, which is uniform.
    """
    angle = 1.5 * np.pi * (1 + 2 * (np.arange(FINENESS) + 0.5) / FINENESS)
    along = np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1)
    modes = np.arange(FINENESS) * STRETCHES // FINENESS
    unit = 16.0
    return Mixture("swissroll", along / unit, modes, 0.25 / unit, unit, "radius 14.1")


MIXTURES = {"ring8": ring8, "grid25": grid25, "swissroll": swissroll}


@dataclass(frozen=True)
class Points:
    """100,000 points to train on and 2,500 held out, float32 (N, 2, 1, 1), about in [-1, 1]."""

    name: str

    def listing(self) -> list[object]:
        return [VERSION, TRAIN, HELD_OUT]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        total = TRAIN + HELD_OUT
        toy = MIXTURES[self.name]()
        points, modes = toy.draw(total, seed=0)
        progress(total, total)
        return Decoded(
            points[:, :, None, None],
            f"points of the plane ({toy.published}), divided by {toy.unit:g}",
            modes,
            tuple(f"mode {mode}" for mode in range(1, len(toy.weights) + 1)),
            np.arange(total) >= TRAIN,
            f"{HELD_OUT:,} further points",
        )
