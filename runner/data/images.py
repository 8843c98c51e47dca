"""A set of images in memory, ready to train on."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (N, C, H, W)
Points = NDArray[np.float32]  # (N, 2, 1, 1), x and y, about in [-1, 1]
Labels = NDArray[np.int64]  # (N,)


class DataError(ValueError):
    """Images that cannot be used: one sentence for the person who named them."""


class Skipped(NamedTuple):
    """An image that was left out."""

    file: str
    why: str


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Square images of one size. They stand in the order of their content, well mixed.

    A point of the plane is an image of one pixel and two channels, so that all that trains and
    measures images takes points as well.
    """

    name: str
    train: Pixels | Points = field(repr=False)  # in memory, or a read-only memory map
    held_out: Pixels | Points = field(
        repr=False
    )  # never trained on: the reference of every distance
    labels: Labels | None = field(repr=False)  # of train
    classes: tuple[str, ...]  # what the labels stand for
    fingerprint: str  # see fingerprint()
    held_out_is: str  # "the test split"
    preparation: str  # what was done to the pixels
    skipped: tuple[Skipped, ...] = field(repr=False, default=())
    held_labels: Labels | None = field(repr=False, default=None)  # of held_out

    @property
    def size(self) -> int:
        """Pixels a side."""
        return int(self.train.shape[-1])

    @property
    def of_points(self) -> bool:
        return self.train.dtype == np.float32

    @property
    def channels(self) -> int:
        return int(self.train.shape[1])

    @property
    def kind(self) -> str:
        """What the channels are, in words."""
        alpha = " with alpha" if self.channels in (2, 4) else ""
        return ("grey" if self.channels <= 2 else "colour") + alpha


def fingerprint(train: Pixels | Points, held_out: Pixels | Points, labels: Labels | None) -> str:
    """The SHA-256 of all pixels and labels: equal sets have equal ones, whatever their names."""
    digest = hashlib.sha256(f"{train.shape} {held_out.shape} {labels is not None}".encode())
    for images in (train, held_out):
        for start in range(0, len(images), 4096):
            digest.update(np.ascontiguousarray(images[start : start + 4096]).data)
    if labels is not None:
        digest.update(labels.astype("<i8").data)
    return digest.hexdigest()
