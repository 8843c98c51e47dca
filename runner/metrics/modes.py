"""How much of a known mixture is there: the measures of VEEGAN and PacGAN."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from runner.data.points import Mixture

NEAR = 3  # standard deviations within which a sample is of high quality

Floats = NDArray[np.floating]


def coverage(toy: Mixture, points: Floats) -> dict[str, float]:
    """By VEEGAN (Srivastava et al., 2017, section 4) as PacGAN's code does it; points: (N, 2).

    A sample is of high quality if it lies within three deviations of its nearest anchor, a mode is
    covered if it has a sample of high quality, and the divergence is that of the nearest modes of
    all samples from the true weights. At best 98.89 % are of high quality (of a mixture: the mass
    of a Gaussian of the plane within three deviations, 1 - exp(-4.5)), and k modes and n samples
    leave a divergence of (k - 1) / 2n.
    """
    far, anchor = KDTree(toy.anchors).query(points)
    modes = toy.modes[anchor]
    good = far <= NEAR * toy.sd
    return {
        "modes-covered": float(len(np.unique(modes[good]))),
        "high-quality": float(good.mean()),
        "reverse-kl": divergence(np.bincount(modes, minlength=len(toy.weights)), toy.weights),
    }


def divergence(counts: NDArray[np.integer], weights: Floats) -> float:
    """KL of the shares that were counted from the weights, (K,) each; in nats."""
    shares = counts / counts.sum()
    there = shares > 0  # an empty mode adds nothing: 0 log 0 = 0
    return float((shares[there] * np.log(shares[there] / weights[there])).sum())
