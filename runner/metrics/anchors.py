"""What to hold a score against: real images, and what anybody could make without learning."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter
from torch import Tensor

from knowledge.files import write_whole
from knowledge.schema import Record
from runner.metrics.pixels import Images, is_points, pick
from runner.metrics.references import Reference
from runner.metrics.score import Sample, Score, measure

VERSION = 1  # raise it when an anchor's images would be others, or a score has new measures
BLUR = 16  # of a picture's side is a deviation: 2 px of 32. Shapes and colours stay, details go
ROWS = 1_000  # images blurred at a time

ANCHORS = {  # in the order of how much of the data they know
    "noise": "every pixel by chance (of points: anywhere in the box that holds the training ones)",
    "mean": "the mean of the training images, over and over",
    "blur": f"training images, blurred by a Gaussian with a deviation of 1/{BLUR} of their side",
}

Pixels = NDArray[np.uint8] | NDArray[np.float32]


def floor(
    images: Images,
    reference: Reference,
    *,
    draws: int = 1,
    seed: int = 0,
    cache: Path | None = None,
) -> Score:
    """Training images against the held-out ones: what a perfect generator would score."""
    drawn = [array(pick(images, reference.count, seed + draw)) for draw in range(draws)]

    def scores() -> dict[str, Score]:
        score = measure(lambda n, at: drawn[at - seed], reference, draws=draws, seed=seed)
        return {"floor": score}

    return kept(scores, cache, f"floor {VERSION} {reference.key}", *drawn)["floor"]


def anchors(
    images: Images, reference: Reference, *, seed: int = 0, cache: Path | None = None
) -> dict[str, Score]:
    """Scores of ANCHORS by name, made from as many training images as the reference has.

    Points have no blur. With a cache folder, as reference() has it, they are measured once.
    """
    real = array(pick(images, reference.count, seed))

    def scores() -> dict[str, Score]:
        makers = made_of(real)
        return {name: measure(make, reference, seed=seed) for name, make in makers.items()}

    return kept(scores, cache, f"anchors {VERSION} {seed} {reference.key}", real)


def made_of(real: Pixels) -> dict[str, Sample]:
    if is_points(real):
        low, high = real.min(0), real.max(0)
        return {
            "noise": lambda n, seed: uniform(seed, low, high, n),
            "mean": lambda n, seed: np.broadcast_to(real.mean(0), (n, *real.shape[1:])),
        }
    mean = real.mean(0, dtype=np.float64).round().astype(np.uint8)
    return {
        "noise": lambda n, seed: noise(seed, (n, *real.shape[1:])),
        "mean": lambda n, seed: np.broadcast_to(mean, (n, *mean.shape)),
        "blur": lambda n, seed: blurred(np.asarray(real[:n], np.uint8)),
    }


def noise(seed: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def uniform(seed: int, low: Pixels, high: Pixels, n: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(low, high, (n, *low.shape)).astype(np.float32)


def blurred(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sigma = images.shape[-1] / BLUR
    out = np.empty_like(images)
    for start in range(0, len(images), ROWS):
        some = images[start : start + ROWS].astype(np.float32)
        smooth = gaussian_filter(some, (0, 0, sigma, sigma), mode="nearest")
        out[start : start + ROWS] = smooth.round()
    return out


def array(images: Images) -> Pixels:
    return images.cpu().numpy() if isinstance(images, Tensor) else images


# The cache -------------------------------------------------------------------------------------


class Kept(Record):
    key: str
    scores: dict[str, Score]


def kept(
    scores: Callable[[], dict[str, Score]], cache: Path | None, what: str, *images: Pixels
) -> dict[str, Score]:
    """Measured once for these images; a torn or foreign file is measured again."""
    if cache is None:
        return scores()
    digest = hashlib.sha256(what.encode())
    for some in images:
        digest.update(f"{some.dtype} {some.shape}".encode())
        digest.update(np.ascontiguousarray(some).reshape(-1).view(np.uint8).data)
    key = digest.hexdigest()
    file = cache / f"anchors-{key[:32]}.json"
    try:
        found = Kept.model_validate_json(file.read_bytes())
        if found.key == key:
            return found.scores
    except (OSError, ValidationError):
        pass
    found = Kept(key=key, scores=scores())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        write_whole(file, found.model_dump_json(indent=1))
    except OSError as error:
        warnings.warn(f"The anchors were not kept in {cache}: {error}", stacklevel=3)
    return found.scores
