"""What is near to what: precision and recall, density and coverage.

A sample is real if it lies in some ball around a real image that reaches to its k-th nearest real
neighbour, and a real image is covered if some sample lies in its ball. Distances are worked out a
block at a time, in float32 where there are many dimensions: 5,000 against as many take 100 MB.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from runner.metrics.frechet import Features

NEAREST = 3  # neighbours, for precision and recall (Kynkäänniemi et al., 2019)
ROBUST = 5  # for density and coverage, as their paper has it (Naeem et al., 2020)
MOST = 5_000  # images on either side: their time grows with the square
BLOCK = 1_000
FEW = 64  # dimensions up to which distances may be far below the spread, and float64 is cheap


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Real images with their balls, and samples are held against them."""

    points: Tensor  # (N, d), from the centre
    centre: Tensor  # (d,)
    radii: Tensor  # (N, ROBUST), squared: to the first, second, ... neighbour

    @classmethod
    def of(cls, features: Features, device: torch.device | str = "cpu") -> "Neighbourhoods":
        """Of MOST of them by chance; features: (N, d), more than ROBUST."""
        points = some(features, device)
        # From the centre, since squares of what is far from zero cancel.
        centre = points.mean(0, dtype=torch.float64).to(points.dtype)
        points = points - centre
        return cls(points, centre, radii(points))

    def shares(self, features: Features, *, recall: bool = True) -> dict[str, float]:
        """precision, density and coverage, and recall, which takes half of the time."""
        made = some(features, self.points.device) - self.centre
        reach = radii(made)[:, NEAREST - 1] if recall else None
        close = inside = torch.zeros((), device=made.device, dtype=torch.long)
        covered = torch.zeros(len(self.points), dtype=torch.bool, device=made.device)
        recalled = covered.clone()
        for start in range(0, len(made), BLOCK):
            rows = slice(start, start + BLOCK)
            apart = squared(made[rows], self.points)
            inside = inside + (apart <= self.radii[:, NEAREST - 1]).any(1).sum()
            held = apart <= self.radii[:, ROBUST - 1]
            close = close + held.sum()
            covered |= held.any(0)
            if reach is not None:
                recalled |= (apart <= reach[rows, None]).any(0)
        found = {
            "precision": inside.item() / len(made),
            "recall": recalled.double().mean().item(),
            "density": close.item() / (ROBUST * len(made)),
            "coverage": covered.double().mean().item(),
        }
        return {name: share for name, share in found.items() if recall or name != "recall"}


def some(features: Features, device: torch.device | str) -> Tensor:
    if len(features) > MOST:
        rows = np.random.default_rng(0).choice(len(features), MOST, replace=False)
        features = features[np.sort(rows)]
    exact = features.shape[1] <= FEW
    values = np.array(features, np.float64 if exact else np.float32)
    return torch.from_numpy(values).to(device)


def radii(points: Tensor) -> Tensor:
    """Squared distances to the ROBUST nearest others, in order, (N, ROBUST)."""
    nearest = [
        squared(block, points).topk(ROBUST + 1, largest=False).values
        for block in points.split(BLOCK)
    ]
    return torch.cat(nearest)[:, 1:]  # the first is the point itself


def squared(a: Tensor, b: Tensor) -> Tensor:
    """Distances of all pairs, (N, d) and (M, d) to (N, M); zero is zero in spite of rounding."""
    norms = a.square().sum(1)[:, None] + b.square().sum(1)
    apart = torch.addmm(norms, a, b.T, alpha=-2)
    # Copies must lie in balls without extent, so what rounding cannot tell from zero is zero.
    return apart.masked_fill_(apart <= 64 * torch.finfo(a.dtype).eps * norms, 0)
