"""What images that nobody copied come to under the limits of diagnosis, and what copies do.

python -m tests.benchmarks.limits [DATA ...]: the share of images that runner/metrics/copies.py takes
for copies, for images of Fashion-MNIST, and of DATA, at 16 px that nobody copied (of each class,
blurred, paler, noisy, without contrast) and for training images under noise and blur; then the share
of single real images that would be taken for a checkerboard, were they all that a generator makes.
A minute for each.
"""

import gzip
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from runner.data import open_images
from runner.diagnosis.spectrum import ripple
from runner.diagnosis.verdicts import OVER_ONE, OVER_REAL, VISIBLE
from runner.metrics import extractor
from runner.metrics.copies import MOST, compared, detail, nearness, small
from runner.metrics.pixels import pick

HELD_OUT, FRESH, FEW = 2000, 700, 64
LABELS = Path("/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz")

Pixels = NDArray[np.uint8]


def main(*data: str) -> None:
    for name in ("fashion-mnist", *data):
        memorised(name)
    print(f"\nVisible beyond {OVER_REAL:g} and {OVER_ONE:g} times, each of the real images alone")
    for name, real in singles(data):
        seen = [ripple(one[None], real) for one in real]
        shares = (
            np.mean([each.levels > VISIBLE and each.over_real > over for each in seen if each])
            for over in (OVER_REAL, OVER_ONE)
        )
        print(f"{name:32}" + "".join(f"{100 * share:7.2f} %" for share in shares))


def memorised(name: str) -> None:
    images = open_images(name, size=16)
    held_out, rest = np.split(np.asarray(images.held_out), [HELD_OUT])
    labels = np.frombuffer(gzip.decompress(LABELS.read_bytes())[8:], np.uint8)[HELD_OUT:]
    of_classes = dict(classes(rest, labels)) if name == "fashion-mnist" else {}
    network = extractor("efficientnet-lite0")
    for count in (MOST, FEW):
        train = np.asarray(pick(images.train, count, seed=0))
        title = f"{images.name}, {len(train):,} training images"
        print(f"\n{title}: taken for copies, in pixels and in features")
        known = [
            (of, nearness(of(train), details), of(held_out))
            for of, details in ((small, detail(train)), (network, None))
        ]
        for what, some in (*of_classes.items(), *cases(train, rest)):
            shares = (
                compared(near(of(some)), near(held), len(train)).share_copied
                for of, near, held in known
            )
            print(f"{what:32}" + "".join(f"{100 * share:7.1f} %" for share in shares))


def classes(fresh: Pixels, labels: Pixels) -> Iterator[tuple[str, Pixels]]:
    for label in range(10):
        yield f"fresh, class {label} alone", fresh[labels == label][:FRESH]


def cases(train: Pixels, fresh: Pixels) -> Iterator[tuple[str, Pixels]]:
    rng = np.random.default_rng(1)
    some = fresh[:FRESH].astype(float)
    yield "fresh", fresh[:FRESH]
    for sigma in (0.7, 1.5, 4):
        yield f"fresh, blurred by {sigma} px", rounded(gaussian_filter(some, (0, 0, sigma, sigma)))
    yield "fresh, half as bright", rounded(some * 0.5)
    yield "fresh, halfway to the mean", rounded((some + some.mean(0)) / 2)
    yield "fresh, with noise of 8 %", noisy(some, 20, rng)
    colour = some.mean((2, 3), keepdims=True)
    for contrast in (0.5, 0.1, 0.05, 0):
        yield (
            f"fresh, contrast of {100 * contrast:g} %",
            rounded(colour + contrast * (some - colour)),
        )
    grey = rng.uniform(100, 156, (len(some), 1, 1, 1)) + np.zeros_like(some)
    yield "flat grey", rounded(grey)
    yield "flat grey, with noise of 2 %", noisy(grey, 5, rng)
    taken = train[rng.integers(0, len(train), FRESH)].astype(float)
    other = train[rng.integers(0, len(train), FRESH)]
    yield "halfway between training images", rounded((taken + other) / 2)
    for levels in (10, 20, 40):
        yield f"copies, with noise of {levels / 2.55:.0f} %", noisy(taken, levels, rng)
    for sigma in (0.7, 1.5):
        yield (
            f"copies, blurred by {sigma} px",
            rounded(gaussian_filter(taken, (0, 0, sigma, sigma))),
        )


def noisy(images: Pixels, levels: float, rng: np.random.Generator) -> Pixels:
    return rounded(images + rng.normal(0, levels, images.shape))


def rounded(images: NDArray[np.generic]) -> Pixels:
    return np.asarray(images, float).round().clip(0, 255).astype(np.uint8)


def singles(data: Sequence[str]) -> Iterator[tuple[str, Pixels]]:
    for name, size in (
        ("fashion-mnist", 16),
        ("fashion-mnist", 32),
        *((each, 32) for each in data),
    ):
        images = open_images(name, size=size)
        yield f"{images.name} at {size} px", np.asarray(images.held_out[:HELD_OUT])


if __name__ == "__main__":
    main(*sys.argv[1:])
