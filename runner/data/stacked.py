"""Three grey images as the channels of one, by which the modes of ten classes become a thousand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runner.data.images import DataError, Pixels
from runner.data.source import Channels, Decoded, Progress, Source

VERSION = 1  # raise it when the triples change


@dataclass(frozen=True)
class Stacked:
    """Every image once in each channel, in three orders by chance (Metz et al., 2017)."""

    name: str
    single: Source

    def listing(self) -> list[object]:
        return [VERSION, self.single.name, *self.single.listing()]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        if channels not in (None, 3):
            raise DataError("stacked images have three channels")
        single = self.single.decode(size, 1, scratch, progress)
        if single.held_out is None or single.images.dtype != np.uint8:
            raise DataError(f"{self.single.name} has no test split to stack")
        # RandomState's streams are frozen for good (NEP 19); a Generator's may change with NumPy.
        random = np.random.RandomState(0)
        sides = [
            stacked(np.flatnonzero(side), random) for side in (~single.held_out, single.held_out)
        ]
        rows = np.concatenate(sides)
        images: Pixels = single.images[rows, 0]
        return Decoded(
            images,
            f"three at a time as channels, each {single.preparation}",
            held_out=np.arange(len(rows)) >= len(sides[0]),
            held_out_is="triples of the test split",
        )


def stacked(rows: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """As many triples as there are rows, (N, 3)."""
    return np.stack([random.permutation(rows) for _ in range(3)], 1)
