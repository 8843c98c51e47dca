import itertools

import numpy as np
import pytest
import torch

from runner.metrics.kernel import SUBSETS, KernelTarget, kernel, kernel_within, subsets


def features(n, d, seed, shift=0.0):
    """Like a network's: not negative, far from zero, and more alike than not."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).standard_normal((d, d)) * np.arange(1, d + 1)[:, None] ** -0.7
    return np.maximum(rng.standard_normal((n, d)) @ mixing + 0.5 + shift, 0).astype(np.float32)


def naive(a, b):
    """The paper's unbiased estimate, pair by pair."""

    def k(x, y):
        return (float(x.astype(np.float64) @ y) / len(x) + 1) ** 3

    same = [np.mean([k(x, y) for x, y in itertools.permutations(s, 2)]) for s in (a, b)]
    return sum(same) - 2 * np.mean([k(x, y) for x in a for y in b])


def test_two_points_a_side_have_their_closed_form():
    """Zero and e: k(0, 0) = k(0, e) = 1 and k(e, e) = (1/d + 1)^3."""
    zeros, ones = torch.zeros(2, 4), torch.eye(4)[:1].repeat(2, 1)
    assert kernel_within(zeros) == 1
    assert kernel_within(ones) == pytest.approx(1.25**3)
    assert kernel(zeros, ones).mean().item() == 1


def test_it_is_the_papers_estimate():
    a, b = features(14, 8, 0), features(20, 8, 1, shift=0.3)
    target = KernelTarget(a)
    value, deviation = target.distance(b)
    pairs = zip(subsets(14, 7, seed=0), subsets(20, 7, seed=1), strict=True)
    expected = [naive(a[rows], b[others]) for rows, others in pairs]
    assert value == pytest.approx(np.mean(expected), rel=1e-5)
    assert deviation == pytest.approx(np.std(expected), rel=1e-5)


def test_normals_apart_have_the_distance_of_their_moments():
    """On a line the kernel is a polynomial, so its distance is one of moments.

    (xy + 1)^3 = 1 + 3xy + 3x²y² + x³y³, so the squared distance is the sum of the squares of
    the differences of E x, E x² and E x³, weighted 3, 3 and 1.
    """
    shift, spread = 0.4, 1.2
    a, b = (np.random.default_rng(seed).standard_normal((400_000, 1)) for seed in (0, 1))
    target = KernelTarget(a[:200_000])
    truth = 3 * shift**2 + 3 * (shift**2 + spread**2 - 1) ** 2
    truth += (shift**3 + 3 * shift * spread**2) ** 2
    value, deviation = target.distance(shift + spread * b)
    assert abs(value - truth) < 4 * deviation / np.sqrt(SUBSETS)
    assert deviation < 0.3 * truth


def test_it_agrees_with_torch_fidelity():
    """On subsets of its own choice: within what the choice makes of it."""
    theirs = pytest.importorskip("torch_fidelity.metric_kid")
    a, b = features(2000, 64, 0), features(2000, 64, 1, shift=0.3)
    value, deviation = KernelTarget(a).distance(b)
    settings = {"kid_subsets": SUBSETS, "kid_subset_size": 1000, "verbose": False}
    found = theirs.kid_features_to_metric(torch.from_numpy(a), torch.from_numpy(b), **settings)
    expected = found["kernel_inception_distance_mean"]
    apart = found["kernel_inception_distance_std"]
    assert deviation == pytest.approx(apart, rel=0.5)
    assert abs(value - expected) < 4 * apart / np.sqrt(SUBSETS / 2)
    assert value > 10 * apart


def test_on_the_same_subset_it_is_torch_fidelitys(monkeypatch):
    theirs = pytest.importorskip("torch_fidelity.metric_kid")
    a, b = features(300, 256, 0), features(300, 256, 1, shift=0.02)
    monkeypatch.setattr("runner.metrics.kernel.subsets", lambda n, size, seed: [np.arange(size)])
    value, _ = KernelTarget(a).distance(b)
    expected = theirs.kernel_mmd(
        a[:150].astype(np.float64), b[:150].astype(np.float64),
        kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
    )  # fmt: skip
    assert value == pytest.approx(expected, rel=1e-4)


def test_it_has_no_bias_between_equals():
    """Which is the point of it: the Fréchet distance between these is far from zero."""
    values = [KernelTarget(features(200, 32, 2 * s)).distance(features(200, 32, 2 * s + 1))[0]
              for s in range(30)]  # fmt: skip
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_float32_products_cost_a_thousandth_of_the_deviation():
    a, b = features(1000, 1280, 0), features(1000, 1280, 1)
    value, deviation = KernelTarget(a).distance(b)
    exact, _ = KernelTarget(a.astype(np.float64)).distance(b.astype(np.float64))
    assert abs(value - exact) < 1e-3 * deviation


def test_the_real_side_is_worked_out_once(monkeypatch):
    target = KernelTarget(features(100, 16, 0))
    first = target.distance(features(100, 16, 1))
    again = KernelTarget(target.features)
    monkeypatch.setattr(KernelTarget, "within", target.within)
    assert again.distance(features(100, 16, 1)) == first


def test_fewer_samples_than_real_images_leave_equal_subsets():
    a, b = features(100, 16, 0), features(60, 16, 1)
    value, _ = KernelTarget(a).distance(b)
    pairs = zip(subsets(100, 50, seed=0), subsets(60, 30, seed=1), strict=True)
    expected = np.mean([naive(a[rows[:30]], b[others]) for rows, others in pairs])
    assert value == pytest.approx(expected, rel=1e-4, abs=1e-6)
