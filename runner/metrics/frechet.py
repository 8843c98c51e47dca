"""The Fréchet distance between two sets of features (Heusel et al., 2017), in float64.

With A = a'a and B = b'b, tr sqrt(A B) is the sum of the singular values of a b', which are the
square roots of the eigenvalues of the symmetric a B a'. So one side's root, worked out once,
leaves a symmetric eigenvalue problem for every distance: no matrix square root, and nothing
complex to throw away.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runner.metrics.errors import MetricError

Array = NDArray[np.float64]
Features = NDArray[np.floating]  # (N, dimension)


@dataclass(frozen=True, eq=False)
class Moments:
    """What the distance knows of a set of features."""

    mean: Array  # (d,)
    covariance: Array  # (d, d), unbiased
    count: int

    @classmethod
    def of(cls, features: Features) -> "Moments":
        mean, deviations = _centre(features)
        return cls(mean, deviations.T @ deviations, len(features))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Between the Gaussians with these moments."""
    root = _root(a.covariance)
    return _distance(
        a.mean - b.mean,
        a.covariance.trace() + b.covariance.trace(),
        root @ b.covariance @ root.T,
    )


@dataclass(frozen=True, eq=False)
class Target:
    """A Gaussian that many sets of features are held against."""

    mean: Array  # (d,)
    root: Array  # (r, d), and root.T @ root is the covariance
    count: int

    @classmethod
    def of(cls, features: Features) -> "Target":
        mean, deviations = _centre(features)
        n, dimension = features.shape
        # Of few features the deviations are a root already, and a thin one.
        return cls(mean, deviations if n <= dimension else _root(deviations.T @ deviations), n)

    def distance(self, features: Features) -> float:
        """From these features; one eigenvalue problem no wider than the smallest of n, r and d."""
        mean, deviations = _centre(features)
        if len(features) <= len(self.root):
            cross = self.root @ deviations.T
            shared = cross.T @ cross
        else:
            shared = self.root @ (deviations.T @ deviations) @ self.root.T
        return _distance(
            self.mean - mean,
            np.vdot(self.root, self.root) + np.vdot(deviations, deviations),
            shared,
        )


def _distance(apart: Array, traces: np.floating, shared: Array) -> float:
    spectrum = np.linalg.eigvalsh(shared).clip(min=0)
    # Not below zero, where rounding takes the distance between equals.
    return max(0.0, float(apart @ apart + traces - 2 * np.sqrt(spectrum).sum()))


def _root(covariance: Array) -> Array:
    """(r, d) with root.T @ root = covariance, whose rank is r: Cholesky's needs r = d."""
    spectrum, vectors = np.linalg.eigh(covariance)
    # What lies below is rounding: its square roots would add up to something.
    some = spectrum > spectrum[-1] * len(spectrum) * np.finfo(np.float64).eps
    return np.ascontiguousarray((vectors[:, some] * np.sqrt(spectrum[some])).T)


def _centre(features: Features) -> tuple[Array, Array]:
    """The mean, and deviations from it whose inner products are the covariance."""
    if features.ndim != 2 or len(features) < 2:
        raise MetricError(f"Two or more features are needed, not an array {features.shape}.")
    if not np.isfinite(features).all():
        raise MetricError("Some features are not finite, so there is no distance.")
    deviations = features.astype(np.float64)
    mean = deviations.mean(0)
    deviations -= mean
    deviations /= np.sqrt(len(features) - 1)
    return mean, deviations
