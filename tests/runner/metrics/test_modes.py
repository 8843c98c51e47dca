import numpy as np
import pytest
from scipy.stats import entropy

from runner.data.points import MIXTURES
from runner.metrics.modes import coverage, divergence

RING, GRID, ROLL = (MIXTURES[name]() for name in ("ring8", "grid25", "swissroll"))


@pytest.mark.parametrize("toy", [RING, GRID], ids=lambda toy: toy.name)
def test_the_true_mixture_reaches_the_analytic_ceiling_and_floor(toy):
    """1 - exp(-4.5) of a Gaussian of the plane lie within three deviations; KL (k - 1) / 2n."""
    found = [coverage(toy, toy.draw(2500, seed)[0]) for seed in range(40)]
    modes = len(toy.weights)
    assert {each["modes-covered"] for each in found} == {modes}
    ceiling = 1 - np.exp(-4.5)
    assert np.mean([each["high-quality"] for each in found]) == pytest.approx(ceiling, abs=0.0015)
    floor = (modes - 1) / 5000
    assert np.mean([each["reverse-kl"] for each in found]) == pytest.approx(floor, rel=0.25)


def test_of_the_roll_almost_all_are_near():
    """Where it is nearly straight only the distance across counts: 99.73 % in three deviations."""
    found = coverage(ROLL, ROLL.draw(20_000, 1)[0])
    assert found["modes-covered"] == 50
    assert found["high-quality"] == pytest.approx(0.9973, abs=0.002)
    assert found["reverse-kl"] < 0.01


def test_one_mode_is_one_mode():
    found = coverage(RING, np.repeat(RING.anchors[:1], 100, 0))
    assert found == {"modes-covered": 1, "high-quality": 1, "reverse-kl": pytest.approx(np.log(8))}


def test_the_middle_of_the_ring_covers_nothing():
    found = coverage(RING, np.zeros((100, 2)))
    assert found["modes-covered"] == found["high-quality"] == 0


@pytest.mark.parametrize(("deviations", "good"), [(2.99, 1), (3.01, 0)])
def test_quality_ends_at_three_deviations(deviations, good):
    aside = RING.anchors + np.array((0, deviations * RING.sd))
    assert coverage(RING, aside)["high-quality"] == good


def test_samples_of_low_quality_count_in_the_divergence_and_not_as_coverage():
    bridge = (RING.anchors + np.roll(RING.anchors, -1, 0)) / 2 + 1e-6
    found = coverage(RING, bridge)
    assert found["modes-covered"] == 0
    assert found["reverse-kl"] < np.log(8)


def test_the_divergence_is_scipys_entropy():
    counts, weights = np.array([5, 0, 20, 75]), np.array([0.1, 0.2, 0.3, 0.4])
    assert divergence(counts, weights) == pytest.approx(entropy(counts / 100, weights))
    assert divergence(np.array([10, 20, 30, 40]), weights) == pytest.approx(0)
