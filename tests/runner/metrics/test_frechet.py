import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.metrics import MetricError, Moments, Target, frechet_distance


def gaussians_with_common_axes(d, seed=0):
    """Two Gaussians whose covariances commute, spectra falling as they do in networks."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    spectra = rng.uniform(0.5, 2, (2, d)) * np.arange(1, d + 1) ** -1.5
    means = rng.standard_normal((2, d))
    moments = [
        Moments(mean, (axes * spectrum) @ axes.T, 0)
        for mean, spectrum in zip(means, spectra, strict=True)
    ]
    distance = ((means[0] - means[1]) ** 2).sum()
    distance += ((np.sqrt(spectra[0]) - np.sqrt(spectra[1])) ** 2).sum()
    return *moments, distance


def features(n, d, seed):
    """Like a network's: correlated, not negative, spectrum falling, a few that never fire."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).standard_normal((d, d)) * np.arange(1, d + 1)[:, None] ** -0.7
    out = np.maximum(rng.standard_normal((n, d)) @ mixing + 0.1 * seed, 0)
    out[:, :3] = 0
    return out.astype(np.float32)


def by_torch_fidelity(a, b):
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    torch = pytest.importorskip("torch")
    statistics = [fid.fid_features_to_statistics(torch.from_numpy(x).double()) for x in (a, b)]
    return fid.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


def by_pytorch_fid(a, b):
    """pytorch-fid's formula. The package itself calls sqrtm(disp=), which SciPy 1.18 removed."""
    covariances = [np.cov(x.astype(np.float64), rowvar=False) for x in (a, b)]
    apart = a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)
    shared = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return apart @ apart + sum(map(np.trace, covariances)) - 2 * np.trace(shared).real


@pytest.mark.parametrize("d", [1, 2, 64, 300])
def test_gaussians_with_common_axes_have_their_closed_form(d):
    a, b, expected = gaussians_with_common_axes(d)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-11)


@given(
    st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)
)  # fmt: skip
def test_on_a_line_it_is_the_distance_of_means_and_deviations(mean_a, mean_b, sd_a, sd_b):
    a, b = (
        Moments(np.array([m]), np.array([[s * s]]), 0) for m, s in ((mean_a, sd_a), (mean_b, sd_b))
    )
    expected = (mean_a - mean_b) ** 2 + (sd_a - sd_b) ** 2
    assert frechet_distance(a, b) == pytest.approx(
        expected, rel=1e-9, abs=1e-9 * (sd_a + sd_b) ** 2
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(1, 40), st.integers(0, 99))
def test_it_does_not_depend_on_the_order(n_a, n_b, d, seed):
    a, b = features(n_a, d + 3, seed), features(n_b, d + 3, seed + 1)
    there, back = Target.of(a).distance(b), Target.of(b).distance(a)
    # The root of a variance that is zero but for rounding is as large as the root of epsilon,
    # 1.5e-8 of the variance in all, which is about 1 here. At most 1.1e-8 was found in 3,000 pairs.
    assert there == pytest.approx(back, rel=1e-6, abs=1e-7)
    moments = Moments.of(a), Moments.of(b)
    assert frechet_distance(*moments) == pytest.approx(there, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("n", [20, 500])
def test_the_distance_of_features_from_themselves_is_zero(n):
    some = features(n, 64, 0)
    spread = Moments.of(some).covariance.trace()
    assert 0 <= Target.of(some).distance(some) < 1e-6 * spread
    assert 0 <= frechet_distance(Moments.of(some), Moments.of(some)) < 1e-6 * spread


def test_a_shift_adds_its_square():
    some = features(500, 32, 0).astype(np.float64)
    shifted = some + np.linspace(0, 1, 32)
    expected = (np.linspace(0, 1, 32) ** 2).sum()
    assert Target.of(some).distance(shifted) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("theirs", [by_torch_fidelity, by_pytorch_fid])
def test_it_agrees_with_the_published_implementations(theirs):
    a, b = features(2000, 128, 0)[:, 3:], features(1500, 128, 1)[:, 3:]
    expected = theirs(a, b)
    assert Target.of(a).distance(b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(Moments.of(a), Moments.of(b)) == pytest.approx(expected, rel=1e-9)


def test_features_that_never_fire_change_nothing():
    a, b = features(500, 64, 0), features(500, 64, 1)
    assert (a[:, :3] == 0).all()
    with_them, without = Target.of(a).distance(b), Target.of(a[:, 3:]).distance(b[:, 3:])
    assert with_them == pytest.approx(without, rel=1e-12)


@pytest.mark.parametrize(("n_reference", "n"), [(40, 50), (40, 400), (400, 50), (64, 64)])
def test_few_features_have_the_distance_of_their_moments(n_reference, n):
    a, b = features(n_reference, 64, 0), features(n, 64, 1)
    expected = frechet_distance(Moments.of(a), Moments.of(b))
    assert Target.of(a).distance(b) == pytest.approx(expected, rel=1e-7)


def test_two_images_a_side_have_their_closed_form():
    """Rank one against rank one: what is shared is |cos| of the angle between the deviations."""
    a, b = np.random.default_rng(0).standard_normal((2, 2, 50))
    deviation_a, deviation_b = ((x[1] - x[0]) / np.sqrt(2) for x in (a, b))
    apart = a.mean(0) - b.mean(0)
    expected = apart @ apart + deviation_a @ deviation_a + deviation_b @ deviation_b
    expected -= 2 * abs(deviation_a @ deviation_b)
    assert Target.of(a).distance(b) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("n", [20, 100])
def test_a_collapsed_side_leaves_the_spread_of_the_other(n):
    some, same = features(n, 32, 0), np.ones((n, 32), np.float32)
    spread = Moments.of(some).covariance.trace()
    expected = ((some.mean(0, dtype=np.float64) - 1) ** 2).sum() + spread
    assert Target.of(same).distance(some) == pytest.approx(expected, rel=1e-12)
    assert Target.of(some).distance(same) == pytest.approx(expected, rel=1e-12)


def test_moments_are_those_of_numpy():
    some = features(100, 8, 0)
    moments = Moments.of(some)
    np.testing.assert_allclose(moments.covariance, np.cov(some.T.astype(np.float64)), rtol=1e-12)
    np.testing.assert_allclose(moments.mean, some.mean(0, dtype=np.float64), rtol=1e-12)
    assert moments.count == 100
    assert moments.covariance.dtype == moments.mean.dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_have_no_distance(bad):
    some = features(50, 8, 0)
    target = Target.of(some)
    some[3, 4] = bad
    with pytest.raises(MetricError, match="not finite"):
        target.distance(some)


def test_one_image_has_no_covariance():
    with pytest.raises(MetricError, match=r"\(1, 8\)"):
        Target.of(features(1, 8, 0))
