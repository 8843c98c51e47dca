"""Whether a generator repeats images that it was trained on: how near its samples come to them.

Held-out images say how near images come that nobody copied. How far an image is from its nearest
training image is divided by how far that one is from its own neighbours: among trousers, which all
look alike, everything is near, and a generator that makes nothing else copies nothing. It is
divided by how far the image is from further training images where that is less: what is grey lies
in the middle of all and is near to nothing in particular. In pixels it is also held against how far
the training image is from itself blurred: whatever has no detail is near to a plain sky, and only
what has its detail too copies it. Two figures then compare samples with held-out images:

- z, of all samples: the test of three samples (Meehan, Chaudhuri and Dasgupta, 2020, section 3),
  which is Mann and Whitney's. Standard normal where samples are fresh draws of what the images were
  drawn from. They divide the space into cells where we divide distances. Blurred samples and
  such as are alike come nearer as well, so that z alone proves nothing.
- the share of copies: samples nearer, by a tenth, than 99 % of held-out images are. Whoever copies
  some images and makes the others badly is found by it; what is only blurred, pale or of few kinds
  is not, since what is denser has more that is near, but little that is much nearer.

Both in features and in pixels: features hardly see that an image was shifted, and see too much of
faint noise; pixels the other way round.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import betabinom, rankdata
from torch import Tensor
from torch.nn import functional as F

from knowledge.schema import Record
from runner.metrics.frechet import Features
from runner.metrics.neighbours import BLOCK, FEW, ROBUST, squared
from runner.metrics.pixels import Images, is_points, pick
from runner.metrics.references import Reference, reference
from runner.metrics.score import Sample

MOST = 10_000  # training images that are looked at: more take longer, and copies of them count less
FOR_EACH = 5  # training images for every held-out one, where these are few
SHOWN = 4  # neighbours that are kept of every sample
SIDE = 32  # pixels a side that images are averaged down to, where they have more
BLUR = 1 / 4  # of a side: the deviation beyond which an image is hardly more than its colours
DETAILED = (
    0.8  # of the way from an image to itself blurred: what is as far, or nearly, lacks its detail
)
NEARER = 0.01  # of held-out images come nearer than the bar by themselves
# Of that bar. Of Fashion-MNIST's held-out images at 16 px 1.1 % are that near, of any one class 1.3 %
# at the most, of blurred, paler or flat ones 0.1 %; of 10,000 training images with noise of 4 % of
# white 87 % are. Of CIFAR-10's at 16 px: 0.9 %, 0.9 % and 99 % (tests/benchmarks/limits.py).
MARGIN = 0.9
CERTAIN = 5e-4  # the chance, in either space, that fresh samples are taken for copies
LOW = -3.0  # of z: one in 740 fresh sets of samples is below

Space = Literal["features", "pixels"]
Array = NDArray[np.floating]


class Nearness(NamedTuple):
    """Of every image of a set to those trained on."""

    relative: Array  # (N,), to the nearest, in units of what is between neighbours there
    distances: Array  # (N, SHOWN), nearest first
    rows: NDArray[np.intp]  # (N, SHOWN), which ones of those looked at
    in_detail: Array | None = None  # (N,), to the nearest, in units of how much detail that one has


class Copies(Record):
    """What the nearness of samples says, beside that of held-out images."""

    space: Space
    count: int  # samples
    against: int  # training images that were looked at
    held_out: int
    z: float  # below zero: nearer than held-out images
    share_copied: float  # of the samples: nearer than MARGIN times the bar
    expected: float  # that share where samples are fresh, at the most: of those below the bar
    p: float  # how often fresh samples would have such a share, or a larger one, at the most

    @property
    def found(self) -> bool:
        return self.p < CERTAIN


class Memorisation(NamedTuple):
    """In both spaces, and what lies nearest to what."""

    of: dict[Space, Copies]
    made: dict[Space, Nearness]  # of the samples
    real: dict[Space, Nearness]  # of the held-out images
    train: Images  # that were looked at
    looked_at: int  # training images, those counted that are there more than once
    among: int  # all training images
    samples: Images

    @property
    def worst(self) -> Space:
        """Where copies were found, or where the distance looks."""
        return min(self.of, key=lambda space: (not self.of[space].found, self.of[space].p))

    @property
    def found(self) -> bool:
        return any(each.found for each in self.of.values())

    @property
    def says(self) -> str:
        """In a sentence."""
        worst, features = self.of[self.worst], self.of["features"]
        some = f" {self.looked_at:,} of the {self.among:,} training images were looked at."
        beside = some if self.looked_at < self.among else ""
        if worst.found:
            return (
                f"Memorisation: {100 * worst.share_copied:.1f} % of {worst.count:,} samples are "
                f"nearer to a training image, in {worst.space}, than any but "
                f"{100 * worst.expected:.1g} % of held-out images.{beside}"
            )
        if features.z < LOW:
            return (
                "No copies, but samples are nearer to training images than held-out images are "
                f"(z = {features.z:.1f}), as samples of few kinds are too.{beside}"
            )
        return (
            "No sign of memorisation: samples are no nearer to training images than held-out "
            f"images are (z = {features.z:.1f}).{beside}"
        )


def memorisation(
    sample: Sample,
    train: Images,
    held_out: Images,
    reference_: Reference,
    *,
    seed: int = 0,
    most: int = MOST,
    cache: Path | None = None,
) -> Memorisation:
    """As many samples as the reference has held-out images, in its features and in pixels.

    train, held_out: all of them, uint8 (N, C, H, W); the reference's are picked from the latter.
    Looks at `most` training images, always the same ones, or FOR_EACH for each held-out one; what is
    there more than once is looked at once, since it is no neighbour of itself. Their features are
    kept in the cache. For points features and pixels are the same. Raises MetricError where the
    samples are not the images that were asked for.
    """
    n = reference_.count
    looked_at = min(len(train), most, FOR_EACH * n)
    known = reference(train, reference_.extractor, n=looked_at, cache=cache)
    picked, real, made = pick(train, looked_at, seed=0), pick(held_out, n, seed=0), sample(n, seed)
    once = distinct(picked)
    some = picked[once]
    measured: dict[Space, tuple[Features, Features, Features]] = {
        "features": (reference_.extractor(made), known.features[once], reference_.features),
        "pixels": (small(made), small(some), small(real)),
    }
    of: dict[Space, Copies] = {}
    nearest_made: dict[Space, Nearness] = {}
    nearest_real: dict[Space, Nearness] = {}
    for space, (generated, trained, held) in measured.items():
        near = nearness(trained, detail(some) if space == "pixels" else None)
        nearest_made[space], nearest_real[space] = near(generated), near(held)
        of[space] = compared(nearest_made[space], nearest_real[space], len(once), space)
    return Memorisation(of, nearest_made, nearest_real, some, looked_at, len(train), made)


def distinct(images: Images) -> NDArray[np.intp]:
    """Where each image, or point, stands for the first time."""
    first: dict[bytes, int] = {}
    for at, image in enumerate(np.asarray(images)):
        first.setdefault(image.tobytes(), at)
    return np.fromiter(first.values(), np.intp)


def copies(
    generated: Features, train: Features, held_out: Features, space: Space = "features"
) -> Copies:
    """In one space, from (N, d), (M, d) and (K, d); M of more than ROBUST."""
    near = nearness(train)
    return compared(near(generated), near(held_out), len(train), space)


def compared(made: Nearness, real: Nearness, against: int, space: Space = "features") -> Copies:
    count, held_out = len(made.relative), len(real.relative)
    rank = max(1, int(NEARER * held_out))
    bar = np.sort(real.relative)[rank - 1]
    near = made.relative < MARGIN * bar
    if made.in_detail is not None:
        near &= made.in_detail < DETAILED
    nearer = int(near.sum())
    # Where all are draws of one distribution, whichever, its share below the rank-th held-out image
    # is Beta(rank, held_out + 1 - rank), and fewer are below a part of that, or have detail as well.
    chance = betabinom.sf(nearer - 1, count, rank, held_out + 1 - rank)
    return Copies(
        space=space,
        count=count,
        against=against,
        held_out=held_out,
        z=mann_whitney(made.relative, real.relative),
        share_copied=nearer / count,
        expected=rank / (held_out + 1),
        p=float(chance),
    )


def mann_whitney(a: Array, b: Array) -> float:
    """How much larger a is than b, in standard deviations of what equals give; ties are counted."""
    m, n = len(a), len(b)
    ranks = rankdata(np.concatenate([a, b]))
    _, ties = np.unique(ranks, return_counts=True)
    total = m + n
    variance = m * n / 12 * (total + 1 - (ties**3.0 - ties).sum() / (total * (total - 1)))
    u = ranks[:m].sum() - m * (m + 1) / 2
    return float((u - m * n / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def nearness(train: Features, details: Array | None = None) -> Callable[[Features], Nearness]:
    """To training images (M, d): what is asked for sets of others, (N, d).

    details: (M,), see detail(), another unit beside what is between neighbours.
    """
    exact = train.shape[1] <= FEW
    # From the centre, since squares of what is far from zero cancel.
    centre = train.mean(0, dtype=np.float64)

    def placed(features: Features) -> Tensor:
        values = np.asarray(features, np.float64) if exact else features - centre.astype(np.float32)
        return torch.from_numpy(values - centre if exact else values)

    points = placed(train)
    # The nearest and the five next, since a data set may hold an image several times.
    count = min(ROBUST + 1, len(points))

    def near(features: Features) -> Nearness:
        distances, rows = nearest(placed(features), points, count)
        first, last = distances[:, 0], distances[:, -1]
        asked, where = rows[:, 0].unique(return_inverse=True)
        between = nearest(points[asked], points, count)[0][:, -1][where]  # the first is itself
        unit = torch.minimum(between, last)
        relative = torch.where(first > 0, first / unit, 0)  # to what is there many times: infinite
        in_detail = None
        if details is not None:
            own = torch.from_numpy(details).to(first)[rows[:, 0]]
            in_detail = torch.where(first > 0, first / own, 0).numpy()
        shown = (each[:, :SHOWN].numpy() for each in (distances, rows))
        distances_shown, rows_shown = shown
        return Nearness(relative.numpy(), distances_shown, rows_shown, in_detail)

    return near


def nearest(features: Tensor, among: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances to the nearest ones and which these are, (N, count) each; in blocks of rows."""
    blocks = [
        squared(block, among).topk(count, largest=False, sorted=True)
        for block in features.split(BLOCK)
    ]
    return torch.cat([b.values for b in blocks]).sqrt(), torch.cat([b.indices for b in blocks])


def detail(images: Images) -> Array | None:
    """How far each image is from itself blurred, in the pixels of small(); of points: nothing."""
    if is_points(images):
        return None
    side, channels = min(SIDE, images.shape[-1]), images.shape[1]
    blurred = (0, 0, side * BLUR, side * BLUR)
    found = []
    for at in range(0, len(images), BLOCK):
        plain = small(images[at : at + BLOCK]).reshape(-1, channels, side, side)
        found.append(np.sqrt(((plain - gaussian_filter(plain, blurred)) ** 2).sum((1, 2, 3))))
    return np.concatenate(found)


def small(images: Images) -> NDArray[np.float32]:
    """Pixels in [0, 1], (N, C, H, W) to (N, d), of averages where there are more than SIDE a side."""
    if is_points(images):
        return np.asarray(images, np.float32).reshape(len(images), -1)
    side = min(SIDE, images.shape[-1])
    rows = [
        F.adaptive_avg_pool2d(torch.as_tensor(images[at : at + BLOCK]).float() / 255, side)
        for at in range(0, len(images), BLOCK)
    ]
    return torch.cat(rows).flatten(1).cpu().numpy()
