"""Precision and recall on a known manifold: white triangles on black (Lucic et al., 2018).

Precision is the share of samples that are near some triangle, which is found by fitting one.
Recall is the share of held-out triangles that the generator can come near to, by inverting it.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import jacfwd, vmap

# Squared, over pixels from 0 to 1, as if of 28 px. Section 5 of the paper, as it is remembered: no
# code for it was released. A whole outline 0.13 px off, or noise of 0.03 a pixel, is as far.
NEAR = 0.75
LINES = 4  # scan lines a pixel, both ways
FITTINGS = 12
FAINT = 0.25  # what is darker does not count in a first guess; placeholder
INVERSIONS = 100  # steps
CANDIDATES = 2_000  # latents, the nearest of which an inversion starts from
TURNS = 12  # of the first guess
BATCH = 64


class Found(NamedTuple):
    corners: Tensor  # (N, 3, 2), x and y from 0 to 1
    distance: Tensor  # (N,)


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Between pairs of images from 0 to 1, (N, S, S) each: squared and Euclidean, as of 28 px."""
    return 28**2 * (a - b).square().mean((-2, -1))


# Fitting --------------------------------------------------------------------------------------


def nearest_triangles(images: Tensor, least_area: float) -> Found:
    """The triangle that is nearest to each image, (N, S, S) from 0 to 1.

    By Levenberg and Marquardt's method from the best of several guesses. Where nothing is bright,
    or what fits best is smaller than any triangle (`least_area`, of the picture), it is infinity.
    """
    parts = [fitted(some, least_area) for some in images.split(BATCH)]
    return Found(torch.cat([p.corners for p in parts]), torch.cat([p.distance for p in parts]))


@torch.no_grad()
def fitted(images: Tensor, least_area: float) -> Found:
    size = images.shape[-1]
    corners = guessed(images)
    far = distance(painted(corners, size), images)
    damping = torch.full_like(far, 1e-2)
    slopes = vmap(jacfwd(lambda corner: painted(corner, size).flatten()))
    for _ in range(FITTINGS):
        with warnings.catch_warnings():
            # Forward mode loads decompositions that torch itself scripts, and warns of that.
            warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
            slope = slopes(corners).flatten(2)  # (N, pixels, 6)
        residual = (painted(corners, size) - images).flatten(1)
        normal = slope.mT @ slope
        scale = normal.diagonal(dim1=1, dim2=2) + 1e-3
        step = torch.linalg.solve(
            normal + torch.diag_embed(damping[:, None] * scale + 1e-6),
            slope.mT @ residual[..., None],
        )
        moved = corners - step.reshape(-1, 3, 2)
        now = distance(painted(moved, size), images)
        better = now < far
        corners = torch.where(better[:, None, None], moved, corners)
        far = torch.where(better, now, far)
        damping = torch.where(better, damping / 5, damping * 5).clamp(1e-6, 1e6)
    return Found(corners, far.masked_fill(area(corners) < 0.9 * least_area, torch.inf))


def guessed(images: Tensor) -> Tensor:
    """Corners (N, 3, 2): the best of equilateral triangles turned, of the same mean and spread."""
    size = images.shape[-1]
    weight = (images - FAINT).clamp(min=0).flatten(1) + 1e-9
    weight = weight / weight.sum(1, keepdim=True)
    place = (torch.arange(size, device=images.device) + 0.5) / size
    at = torch.stack(torch.meshgrid(place, place, indexing="xy"), -1).reshape(-1, 2)
    mean = weight @ at
    apart = at - mean[:, None]
    spread = torch.einsum("np,npi,npj->nij", weight, apart, apart)
    root = torch.linalg.cholesky(spread + 1e-6 * torch.eye(2, device=images.device))
    # A triangle's covariance is a twelfth of the sum of its corners' outer products.
    turn = torch.arange(TURNS, device=images.device) / TURNS * 2 * torch.pi / 3
    angle = turn[:, None] + torch.arange(3, device=images.device) * 2 * torch.pi / 3
    unit = 8**0.5 * torch.stack([angle.cos(), angle.sin()], -1)
    every = mean[:, None, None] + torch.einsum("nij,tkj->ntki", root, unit)  # (N, turns, 3, 2)
    far = torch.stack(
        [distance(painted(every[:, number], size), images) for number in range(TURNS)], 1
    )
    return every[torch.arange(len(images)), far.argmin(1)]


def area(corners: Tensor) -> Tensor:
    """Of triangles (N, 3, 2), (N,)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).abs() / 2


def painted(corners: Tensor, size: int) -> Tensor:
    """Triangles (..., 3, 2) as images (..., size, size) from 0 to 1, with gradients.

    Scan lines follow a corner smoothly along themselves and in steps across: so both ways.
    """
    return (scanned(corners, size) + scanned(corners.flip(-1), size).mT) / 2


def scanned(corners: Tensor, size: int) -> Tensor:
    """Along each scan line exactly what is covered of each pixel, as the data are painted."""
    x, y = (corners * size).unbind(-1)
    next_x, next_y = x.roll(-1, -1), y.roll(-1, -1)
    line = (torch.arange(size * LINES, device=corners.device) + 0.5)[:, None] / LINES
    y, x, next_y, next_x = (each[..., None, :] for each in (y, x, next_y, next_x))
    crosses = (y <= line) != (next_y <= line)  # two edges, or none
    rise = torch.where(crosses, next_y - y, 1.0)
    crossing = x + (line - y) * (next_x - x) / rise  # (..., lines, edges)
    left = torch.where(crosses, crossing, float(size)).amin(-1, keepdim=True)
    right = torch.where(crosses, crossing, 0.0).amax(-1, keepdim=True)
    pixel = torch.arange(size, device=corners.device)
    covered = (torch.minimum(right, pixel + 1.0) - torch.maximum(left, pixel + 0.0)).clamp(min=0)
    shares: Tensor = covered.unflatten(-2, (size, LINES)).mean(-2)
    return shares


# Inverting ------------------------------------------------------------------------------------


def inverted(
    images: Tensor, latents: Tensor, generate: Callable[[Tensor], Tensor], *, rate: float = 0.1
) -> Tensor:
    """How near the generator comes to each image, (N,), by gradient descent on its latents.

    images: (N, S, S) from 0 to 1; latents: (M, d), of which the nearest are started from;
    generate: latents to such images. The best of all steps counts. Of a generator that
    makes every triangle this finds 84 % (at a rate of 0.05 it was 73 %): recall is a lower bound.
    """
    with torch.no_grad():
        made = torch.cat([generate(some).flatten(1) for some in latents.split(250)])
        first = torch.cdist(images.flatten(1), made).argmin(1)
    start = latents[first].clone().requires_grad_()
    optimizer = torch.optim.Adam([start], lr=rate)
    best = torch.full((len(images),), torch.inf, device=images.device)
    for step in range(INVERSIONS + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / (INVERSIONS + 1))
        far = distance(generate(start), images)
        best = torch.minimum(best, far.detach())
        if step < INVERSIONS:
            optimizer.zero_grad()
            far.sum().backward()
            optimizer.step()
    return best


def shares(from_samples: Tensor, from_truth: Tensor) -> dict[str, float]:
    """Precision, recall and their harmonic mean, from distances."""
    precision, recall = (float((far <= NEAR).double().mean()) for far in (from_samples, from_truth))
    both = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
    }
