"""The Fréchet distance here and elsewhere: CPU seconds and errors, as a Markdown table.

python tests/benchmarks/frechet.py [dimension ...]
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # before NumPy reads them
    os.environ[f"{library}_NUM_THREADS"] = "1"

import sys
from collections.abc import Callable
from time import process_time

import numpy as np
import scipy.linalg
import torch
from torch_fidelity.metric_fid import fid_statistics_to_metric

from runner.metrics import Moments, Target, frechet_distance

REPEATS = 3
FEW = 512  # images, where the thin form is measured


def main(dimensions: list[int]) -> None:
    torch.set_num_threads(1)
    print("| dimension | method | CPU s | times as fast as sqrtm | relative error |")
    print("|---|---|---|---|---|")
    for d in dimensions:
        compare(*common_axes(d))


def compare(a: Moments, b: Moments, expected: float) -> None:
    kept = Target(a.mean, np.linalg.cholesky(a.covariance).T, 0)
    few = np.random.default_rng(1).multivariate_normal(b.mean, b.covariance, FEW)
    methods = {
        "scipy.linalg.sqrtm (pytorch-fid, clean-fid, StudioGAN)": lambda: by_sqrtm(a, b),
        "eigvals (torch-fidelity)": lambda: by_torch_fidelity(a, b),
        "eigh + eigvalsh (ours)": lambda: frechet_distance(a, b),
        "eigvalsh, root kept (ours)": lambda: from_moments(kept, b),
        f"the same from {FEW} images, moments included (ours)": lambda: kept.distance(few),
    }
    truths = [expected] * 4 + [by_singular_values(kept, few)]
    slowest = None
    for (name, method), truth in zip(methods.items(), truths, strict=True):
        seconds, distance = best(method)
        slowest = slowest or seconds
        error = abs(distance / truth - 1)
        print(
            f"| {len(a.mean)} | {name} | {seconds:.2f} | {slowest / seconds:.1f} | {error:.0e} |",
            flush=True,
        )


def common_axes(d: int) -> tuple[Moments, Moments, float]:
    """Gaussians of the same axes, and their distance in closed form."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    spectra = rng.uniform(0.5, 2, (2, d)) * np.arange(1, d + 1) ** -1.0
    means = 0.1 * rng.standard_normal((2, d))
    a, b = (
        Moments(mean, (axes * spectrum) @ axes.T, 0)
        for mean, spectrum in zip(means, spectra, strict=True)
    )
    apart = (means[0] - means[1]) @ (means[0] - means[1])
    return a, b, apart + ((np.sqrt(spectra[0]) - np.sqrt(spectra[1])) ** 2).sum()


def from_moments(target: Target, b: Moments) -> float:
    """What Target.distance does once it has the moments, which every method has to work out."""
    apart = target.mean - b.mean
    spectrum = np.linalg.eigvalsh(target.root @ b.covariance @ target.root.T).clip(min=0)
    traces = np.vdot(target.root, target.root) + b.covariance.trace()
    return float(apart @ apart + traces - 2 * np.sqrt(spectrum).sum())


def by_singular_values(target: Target, features: np.ndarray) -> float:
    """Slow, and without a square to lose digits in."""
    deviations = (features - features.mean(0)) / np.sqrt(len(features) - 1)
    apart = target.mean - features.mean(0)
    shared = np.linalg.svd(target.root @ deviations.T, compute_uv=False).sum()
    return float(apart @ apart + (target.root**2).sum() + (deviations**2).sum() - 2 * shared)


def by_sqrtm(a: Moments, b: Moments) -> float:
    apart = a.mean - b.mean
    shared = scipy.linalg.sqrtm(a.covariance @ b.covariance).trace().real
    return float(apart @ apart + a.covariance.trace() + b.covariance.trace() - 2 * shared)


def by_torch_fidelity(a: Moments, b: Moments) -> float:
    statistics = ({"mu": m.mean, "sigma": m.covariance} for m in (a, b))
    return float(fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"])


def best(method: Callable[[], float]) -> tuple[float, float]:
    """The shortest of a few times, and the result."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        result = method()
        times.append(process_time() - start)
    return min(times), result


if __name__ == "__main__":
    main([int(d) for d in sys.argv[1:]] or [1280, 2048])
