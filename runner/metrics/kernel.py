"""The kernel distance between two sets of features (KID: Binkowski et al., 2018).

It has no bias, so that unlike the Fréchet distance it is about zero between equals, at any number
of images, and sometimes below.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from runner.metrics.frechet import Features

SUBSETS, SIZE = 20, 1_000  # images in each; of fewer than twice as many, half of them


@dataclass(frozen=True, eq=False)
class KernelTarget:
    """Features that many sets of features are held against."""

    features: Features  # (N, d), N at least 4
    device: torch.device | str = "cpu"

    def distance(self, features: Features) -> tuple[float, float]:
        """Squared, the mean over subsets, and its standard deviation between them."""
        size = min(self.size, len(features) // 2)
        theirs = subsets(len(features), size, seed=1)
        values = []
        for number, (a, b) in enumerate(zip(self.rows, theirs, strict=True)):
            real, made = self._some(self.features, a[:size]), self._some(features, b)
            within = self.within[number] if size == self.size else kernel_within(real)
            values.append(within + kernel_within(made) - 2 * kernel(real, made).mean().item())
        return float(np.mean(values)), float(np.std(values))

    @property
    def size(self) -> int:
        return min(SIZE, len(self.features) // 2)

    @cached_property
    def rows(self) -> list[np.ndarray]:
        return subsets(len(self.features), self.size, seed=0)

    @cached_property
    def within(self) -> list[float]:
        """Of each subset: the same for whatever is held against it."""
        return [kernel_within(self._some(self.features, rows)) for rows in self.rows]

    def _some(self, features: Features, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(features[rows]).to(self.device)


def subsets(count: int, size: int, seed: int) -> list[np.ndarray]:
    """Rows without repetition, the same ones for every candidate."""
    random = np.random.default_rng(seed)
    return [random.choice(count, size, replace=False) for _ in range(SUBSETS)]


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """(x·y / d + 1)^3 of all pairs, (N, d) and (M, d) to float64 (N, M)."""
    # Products in the features' precision err by 1e-7, each by chance; the sums must not add to it.
    grown = (a @ b.T).double() / a.shape[1] + 1
    return grown * grown * grown


def kernel_within(features: Tensor) -> float:
    """Its mean over pairs of different ones: those of one with itself would be a bias."""
    values = kernel(features, features)
    count = len(features)
    return (values.sum() - values.trace()).item() / (count * (count - 1))
