"""Checkerboards: patterns of the pixel grid, which transposed convolutions lay over images.

A kernel that its stride does not divide overlaps unevenly (Odena, Dumoulin & Olah, 2016): every
second pixel, or every fourth, is brighter or darker. Multiplied with what the image shows, that
copies its spectrum to the frequencies 1/2 and 1/4, its mean to exactly these (Zhang, Karaman &
Chang, 2019). So their power stands above that of the frequencies beside them; in real images it
does not, unless they were compressed or enlarged.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PERIODS = (2, 4)  # pixels: of the last doubling of the size, and of the one before
BESIDE = (2, 3)  # frequencies below and above that are compared with: the next ones hold a shape's


class Ripple(NamedTuple):
    """The most conspicuous pattern of the grid."""

    period: int  # pixels
    levels: float  # of 256, how far it lifts and lowers pixels: root mean square
    over_real: (
        float  # its power over that of the frequencies beside it, over the same of real images
    )


def ripple(images: NDArray[np.uint8], real: NDArray[np.uint8]) -> Ripple | None:
    """Of images (N, C, H, W) beside real ones; None where they are too small for any."""
    made, wanted = power(images), power(real)
    found = []
    for period, at in lattice(images.shape[-1]):
        over_real = above(made, *at) / above(wanted, *at)
        # What is left without what stands there in real images, too.
        own = made[at] * max(0.0, 1 - 1 / over_real)
        waves = 1 if period == 2 else 2  # a frequency and its negative, which of 1/2 is the same
        found.append(Ripple(period, float(np.sqrt(waves * own)), over_real))
    return max(found, key=lambda each: each.levels, default=None)


def power(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean power at each frequency, (H, W), in squared grey levels: they add up to the mean square."""
    grey = images.astype(np.float64).mean(1)
    waves = np.fft.fft2(grey, norm="forward")
    total: NDArray[np.float64] = np.square(np.abs(waves)).mean(0)
    return total


def lattice(size: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Periods and the frequencies that a pattern of them has and one of half of them has not."""
    for period in PERIODS:
        step = size // period
        # The highest frequency has neighbours on one side; of the others both must be clear of it.
        room = step if period == 2 else step // 2
        if size % period or room < max(BESIDE):
            continue
        for at in product(range(period), repeat=2):
            negative = tuple(-each % period for each in at)
            if any(each % 2 for each in at) and at <= negative:
                yield period, (at[0] * step, at[1] * step)


def above(power: NDArray[np.float64], down: int, across: int) -> float:
    """Of this frequency over the geometric mean of those beside it, in the pattern's directions."""
    size = len(power)
    near = (*BESIDE, *(-each for each in BESIDE))
    beside = [
        power[(down + d) % size, (across + a) % size]
        for d in (near if down else (0,))
        for a in (near if across else (0,))
    ]
    least = 1e-6  # squared levels: far below the rounding to whole ones
    mean = np.exp(np.log(np.maximum(beside, least)).mean())
    return float(max(power[down, across], least) / mean)
