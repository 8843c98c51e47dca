"""Which images are trained on, and in which order all of them stand."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runner.data.images import DataError, Pixels, Points
from runner.data.source import Decoded

FEWEST = 64  # images on either side of two batches; placeholder
MOST_HELD_OUT = 10_000  # what published FIDs compare on CIFAR-10's test split

Rows = NDArray[np.intp]


class Order(NamedTuple):
    train: Rows
    held_out: Rows
    held_out_is: str


def arrange(decoded: Decoded) -> Order:
    """Order the images by a hash of their pixels, and hold out a tenth where no test split is given.

    So neither the split nor the order depends on names, the first n of a side are a fair sample of
    it, and equal images stand together and are never on both sides of a split that we draw.
    """
    content = contents(decoded.images)
    if len(content) < 2 * FEWEST:
        raise too_few(len(content))
    labels = np.zeros(len(content)) if decoded.labels is None else decoded.labels
    order = np.lexsort((labels, content))
    if decoded.held_out is None or not decoded.held_out.any():
        cut = boundary(content[order])
        if (left := len(order) - cut) < FEWEST:
            different = len(np.unique(content))
            raise DataError(
                f"the {len(order)} usable images are copies of {different} "
                f"image{'' if different == 1 else 's'}: copies are held out together, which leaves "
                f"{left} to train on, and at least {FEWEST} are needed; add different images"
            )
        held_out_is = f"{cut:,} of the {len(order):,} images, drawn by their content"
        return checked(Order(order[cut:], order[:cut], held_out_is))

    held_out = decoded.held_out[order]
    train, test = order[~held_out], order[held_out]
    known = int(np.isin(content[test], content[train]).sum())
    also = f" ({known:,} of its {len(test):,} images are also trained on)" if known else ""
    return checked(Order(train, test, decoded.held_out_is + also))


def contents(images: Pixels | Points) -> NDArray[np.uint64]:
    """A hash of every image's values."""
    hashes = (hashlib.blake2b(image, digest_size=8).digest() for image in images)
    return np.frombuffer(b"".join(hashes), "<u8").astype(np.uint64)


def boundary(content: NDArray[np.uint64]) -> int:
    """How many of the sorted images to hold out: about a tenth, and no image without its copies."""
    wanted = min(max(len(content) // 10, 1), MOST_HELD_OUT)
    first, last = (
        int(np.searchsorted(content, content[wanted : wanted + 1], side)[0])
        for side in ("left", "right")
    )
    return first or last


def checked(order: Order) -> Order:
    train, held_out = len(order.train), len(order.held_out)
    if train + held_out < 2 * FEWEST or train < FEWEST:
        raise too_few(train + held_out, f", {train} of them to train on,")
    return order


def too_few(count: int, beside: str = "") -> DataError:
    return DataError(
        f"{count} usable image{'' if count == 1 else 's'}{beside} "
        f"{'is' if count == 1 else 'are'} too few: "
        f"at least {2 * FEWEST} are needed, {FEWEST} of them to train on"
    )
