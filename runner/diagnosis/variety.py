"""How many kinds of image a generator shows, beside how many there are.

Features of a network confuse variety with quality: to them, blurred shirts and blurred boots are
both blurs. What an image shows at 8 x 8 pixels, or where a point lies, depends little on quality.
Real images fall into cells of it, and each cell ought to be hit as often as by real images
(Richardson & Weiss, 2018, "On GANs and GMMs", whose bins these are).
"""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from runner.metrics import Images, is_points
from runner.metrics.neighbours import radii, squared

SIDE = 8  # pixels
CELLS = 20
SHARE = 0.1  # of its due: a cell that gets less is neglected
MOST = 2_000  # images on either side


class Variety(NamedTuple):
    neglected: float  # the share of real images in cells that hardly any sample falls into
    cells: float  # that samples fall into: the exponential of the entropy of their shares
    of_real: float  # the same of real images
    closeness: float  # the distance of a sample to the nearest other, over that of real images


def variety(samples: Images, train: Images, held_out: Images) -> Variety | None:
    """Cells are those of training images. None where there are too few images for any."""
    cells = min(CELLS, min(len(train), len(held_out)) // 10)
    if cells < 2:
        return None
    made, known, real = (layout(images[:MOST]) for images in (samples, train, held_out))
    centres = cells_of(known, cells)
    due, got = shares(real, centres), shares(made, centres)
    count = min(len(made), len(real))
    usual = nearest(real[:count])
    return Variety(
        neglected=float(due[got < SHARE * due].sum()),
        cells=entropic(got),
        of_real=entropic(due),
        closeness=nearest(made[:count]) / usual if usual else 1.0,
    )


def layout(images: Images) -> Tensor:
    """(N, d) in [0, 1]: what is where. Points as they are."""
    values = torch.as_tensor(np.array(images)).float()
    if not is_points(images):
        values = adaptive_avg_pool2d(values / 255, SIDE)
    return values.flatten(1)


def cells_of(points: Tensor, count: int) -> Tensor:
    """Centres by k-means, from a start by k-means++ (Arthur & Vassilvitskii, 2007)."""
    rng = np.random.default_rng(0)
    start = points[:1]
    while len(start) < count:
        far = squared(points, start).min(1).values.double().numpy()
        if not far.sum():
            break  # there are no more different ones
        start = torch.cat([start, points[[rng.choice(len(points), p=far / far.sum())]]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an empty cell, which then is hit by nobody
        centres, _ = kmeans2(points.double().numpy(), start.double().numpy(), 20, minit="matrix")
    return torch.from_numpy(centres).float()


def shares(points: Tensor, centres: Tensor) -> NDArray[np.float64]:
    cells = squared(points, centres).argmin(1).numpy()
    return np.bincount(cells, minlength=len(centres)) / len(cells)


def entropic(shares: NDArray[np.float64]) -> float:
    hit = shares[shares > 0]
    return float(np.exp(-(hit * np.log(hit)).sum()))


def nearest(points: Tensor) -> float:
    """Median distance to the nearest other."""
    return float(radii(points)[:, 0].sqrt().median())
