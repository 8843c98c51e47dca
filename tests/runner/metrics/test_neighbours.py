import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from runner.metrics import neighbours
from runner.metrics.neighbours import MOST, NEAREST, ROBUST, Neighbourhoods, radii, squared


def cloud(n, d, seed, shift=0.0, spread=1.0):
    return np.random.default_rng(seed).normal(shift, spread, (n, d)).astype(np.float32)


def naive(real, made):
    """As the papers define them, all pairs at once, in float64."""
    real, made = real.astype(np.float64), made.astype(np.float64)
    within_real, within_made = np.sort(cdist(real, real)), np.sort(cdist(made, made))
    apart = cdist(real, made)
    of_real = {k: within_real[:, k, None] for k in (NEAREST, ROBUST)}  # the 0th is the image itself
    return {
        "precision": (apart <= of_real[NEAREST]).any(0).mean(),
        "recall": (apart <= within_made[:, NEAREST]).any(1).mean(),
        "density": (apart <= of_real[ROBUST]).sum() / (ROBUST * len(made)),
        "coverage": (apart <= of_real[ROBUST]).any(1).mean(),
    }


SETS = {
    "equals": (cloud(700, 16, 0), cloud(700, 16, 1)),
    "narrow": (cloud(700, 16, 0), cloud(700, 16, 1, spread=0.5)),
    "broad": (cloud(700, 16, 0), cloud(700, 16, 1, spread=1.5)),
    "shifted, fewer": (cloud(700, 128, 0, shift=9), cloud(400, 128, 1, shift=9.1)),
    "wide": (cloud(300, 1280, 0, shift=3), cloud(500, 1280, 1, shift=3)),
    "plane": (cloud(900, 2, 0), cloud(900, 2, 1, spread=0.1)),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("block", [64, 1_000])
def test_they_are_those_of_all_pairs_at_once(name, block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    real, made = SETS[name]
    assert Neighbourhoods.of(real).shares(made) == pytest.approx(naive(real, made), abs=1e-12)


@pytest.mark.parametrize("name", ["narrow", "broad", "wide"])
def test_precision_and_recall_are_torch_fidelitys(name):
    theirs = pytest.importorskip("torch_fidelity.metric_prc")
    real, made = SETS[name]
    found = theirs.prc_features_to_metric(
        torch.from_numpy(made).double(), torch.from_numpy(real).double(),
        prc_neighborhood=NEAREST, verbose=False,
    )  # fmt: skip
    ours = Neighbourhoods.of(real).shares(made)
    assert {name: ours[name] for name in ("precision", "recall")} == pytest.approx(
        {name: found[name] for name in ("precision", "recall")}
    )


@pytest.mark.parametrize("name", ["narrow", "broad", "wide"])
def test_density_and_coverage_are_prdcs(name):
    prdc = pytest.importorskip("prdc")
    real, made = SETS[name]
    theirs = prdc.compute_prdc(real, made, nearest_k=ROBUST)
    ours = Neighbourhoods.of(real).shares(made)
    assert ours["density"] == pytest.approx(theirs["density"])
    assert ours["coverage"] == pytest.approx(theirs["coverage"])


def test_equals_have_their_closed_forms():
    """E[density] = 1, and E[coverage] is that of Naeem et al., 2020, lemma 2 (1 - 2^-k at last)."""
    n, m, k = 3000, 3000, ROBUST
    missed = 1.0  # that none of m samples is among the k nearest of m + n - 1 points
    for step in range(k):
        missed *= (n - 1 - step) / (n + m - 1 - step)
    ours = Neighbourhoods.of(cloud(n, 4, 0)).shares(cloud(m, 4, 1))
    assert ours["density"] == pytest.approx(1, abs=0.05)
    assert ours["coverage"] == pytest.approx(1 - missed, abs=0.01)
    assert 1 - missed == pytest.approx(1 - 2**-k, abs=1e-3)


def test_they_tell_causes_apart():
    real = np.concatenate([cloud(500, 8, seed, shift=20 * seed) for seed in range(2)])
    half = cloud(1000, 8, 9)
    everything = np.concatenate([real + 1e-3, 100 * cloud(1000, 8, 10)])
    of_half, of_everything = (Neighbourhoods.of(real).shares(made) for made in (half, everything))
    assert of_half["precision"] > 0.8
    assert of_half["coverage"] == pytest.approx(0.5, abs=0.02)
    assert of_half["recall"] < 0.55
    assert of_everything["coverage"] == of_everything["recall"] == 1
    assert of_everything["precision"] == pytest.approx(0.5, abs=0.02)


def test_the_images_themselves_are_precise_and_cover_all():
    """Also where many are alike, so that their balls have no extent."""
    for d in (2, 300):
        alike = np.repeat(cloud(60, d, 0, shift=5), 7, 0)
        ours = Neighbourhoods.of(alike).shares(alike[::-1])
        assert [ours[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]


def test_a_collapsed_generator_covers_next_to_nothing():
    real = cloud(600, 128, 0)
    ours = Neighbourhoods.of(real).shares(np.repeat(real[:1], 600, 0))
    assert ours["precision"] == 1
    assert ours["recall"] == pytest.approx(1 / 600)  # the image that it makes
    assert ours["coverage"] < 0.1


def test_a_mode_far_below_the_spread_is_resolved():
    """The ring's modes are a hundredth of its radius wide, and neighbours a hundredth of that."""
    modes = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], np.float32)
    real, made = (np.repeat(modes, 500, 0) + cloud(2000, 2, seed, spread=1e-3) for seed in (0, 1))
    assert Neighbourhoods.of(real).shares(made) == pytest.approx(naive(real, made), abs=1e-12)


def test_recall_is_left_out_where_it_is_not_wanted():
    real, made = SETS["narrow"]
    every = Neighbourhoods.of(real).shares(made)
    assert Neighbourhoods.of(real).shares(made, recall=False) == {
        name: every[name] for name in ("precision", "density", "coverage")
    }


def test_many_are_thinned_out_by_chance():
    sorted_by_class = np.repeat(cloud(10, 8, 0, spread=50), MOST // 4, 0)
    several = sorted_by_class + cloud(len(sorted_by_class), 8, 1)
    real = Neighbourhoods.of(several)
    assert real.points.shape == (MOST, 8)
    assert real.shares(several[::3], recall=False)["coverage"] > 0.9


def test_copies_are_at_distance_zero_and_others_are_not():
    some = torch.from_numpy(cloud(200, 1280, 0, shift=2))
    apart = squared(some, some)
    assert (apart.diagonal() == 0).all()
    assert (apart > 0).sum() == 200 * 199
    expected = cdist(some.double(), some.double()) ** 2
    np.testing.assert_allclose(apart, expected, rtol=1e-4)


def test_radii_are_in_order_and_leave_the_point_itself_out():
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0], [15.0], [31.0]], dtype=torch.float64)
    assert radii(points)[0].tolist() == [1, 9, 49, 225, 961]


def test_memory_grows_with_the_images_and_not_with_their_pairs(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 100)
    sets = {n: (cloud(n, 8, 0), cloud(n, 8, 1)) for n in (1000, 2000)}
    few, many = (peak(lambda s=s: Neighbourhoods.of(s[0]).shares(s[1])) for s in sets.values())
    assert many < 2.1 * few


def peak(work):
    """Bytes that torch held most at a time."""
    with torch.profiler.profile(profile_memory=True) as profile:
        work()
    held = most = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most
