"""Exact distances between sets of points, for toys: no features, no Gaussian in between."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, pdist
from torch import Tensor

from runner.metrics.errors import MetricError
from runner.metrics.pixels import Images, is_points

NAME = "coordinates"
Array = NDArray[np.floating]


@dataclass(frozen=True)
class Coordinates:
    """What takes the place of a feature network: points as they are."""

    name: str = NAME
    dimension: int = 2
    resize: str = "none"
    engine: str = "none"
    digest: str = hashlib.sha256(b"coordinates 1").hexdigest()

    def __call__(self, points: Images) -> NDArray[np.float32]:
        """float32 (N, 2, 1, 1) to (N, 2)."""
        values = points.cpu().numpy() if isinstance(points, Tensor) else points
        if not is_points(values):
            raise MetricError(f"Points are measured as float32 (N, 2, 1, 1), not {values.shape}.")
        return values.reshape(len(values), 2).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points that others are held against."""

    points: Array  # (N, 2)

    @property
    def count(self) -> int:
        return len(self.points)

    def distance(self, others: Array) -> float:
        """How far the others have to move on average, by the best assignment."""
        return wasserstein(self.points, others)


def wasserstein(a: Array, b: Array) -> float:
    """The first Wasserstein distance between equally many points, (N, d) each, exactly.

    Between two such sets one of the cheapest transports is a permutation (Birkhoff). 2,500 points
    take 1.5 s, and the time grows with the cube. Raises MetricError.
    """
    if a.shape != b.shape:
        raise MetricError(f"As many points on either side are needed, not {a.shape} and {b.shape}.")
    check_finite(a, b)
    costs = cdist(a, b)
    return float(costs[linear_sum_assignment(costs)].mean())


def energy_distance(a: Array, b: Array) -> float:
    """2 E|A - B| - E|A - A'| - E|B - B'| (Szekely and Rizzo, 2013), (N, d) and (M, d).

    Pairs of a point with itself are left out, so equal distributions give 0 on average and
    sometimes less.
    """
    check_finite(a, b)
    return float(2 * cdist(a, b).mean() - pdist(a).mean() - pdist(b).mean())


def check_finite(*sets: Array) -> None:
    if not all(np.isfinite(points).all() for points in sets):
        raise MetricError("Some points are not finite, so there is no distance.")
