from itertools import permutations

import numpy as np
import pytest
import torch

from runner.data.points import MIXTURES
from runner.metrics import (
    MetricError,
    extractor,
    floor,
    is_points,
    measurable,
    measure,
    reference_points,
)
from runner.metrics.points import energy_distance, wasserstein


def cloud(n, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (n, 2))


def test_the_distance_of_points_from_themselves_is_zero():
    points = cloud(200, 0)
    assert wasserstein(points, points[::-1]) == 0


def test_the_distance_of_shifted_points_is_the_shift():
    points = cloud(200, 0)
    assert wasserstein(points, points + np.array((3, 4))) == pytest.approx(5)


def test_on_a_line_the_distance_pairs_the_sorted_points():
    a, b = (np.random.default_rng(seed).normal(size=300) for seed in (1, 2))
    line = np.abs(np.sort(a) - np.sort(b)).mean()
    assert wasserstein(a[:, None], b[:, None]) == pytest.approx(line)


def test_the_assignment_is_the_best_of_all():
    a, b = cloud(6, 3), cloud(6, 4)
    every = (np.linalg.norm(a - b[list(order)], axis=1).mean() for order in permutations(range(6)))
    assert wasserstein(a, b) == pytest.approx(min(every))


def test_the_energy_distance_of_normals_has_a_closed_form():
    """In one dimension, N(m, 1) and N(0, 1): 2 E|N(m, 2)| - 4 / sqrt(pi)."""
    from scipy.stats import norm

    shift, sd = 1.5, np.sqrt(2)
    z = shift / sd
    apart = sd * (2 * norm.pdf(z) + z * (2 * norm.cdf(z) - 1))
    truth = 2 * apart - 2 * 2 / np.sqrt(np.pi)
    random = np.random.default_rng(0)
    a, b = random.normal(shift, 1, (4000, 1)), random.normal(0, 1, (4000, 1))
    assert energy_distance(a, b) == pytest.approx(truth, rel=0.05)


def test_the_energy_distance_of_equals_is_zero_on_average():
    found = [energy_distance(cloud(300, 2 * k), cloud(300, 2 * k + 1)) for k in range(30)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(30)


@pytest.mark.parametrize("distance", [wasserstein, energy_distance])
def test_points_that_are_not_finite_have_no_distance(distance):
    broken = cloud(20, 0)
    broken[3, 1] = np.nan
    with pytest.raises(MetricError, match="not finite"):
        distance(broken, cloud(20, 1))


def test_unequally_many_points_are_refused():
    with pytest.raises(MetricError, match="As many points"):
        wasserstein(cloud(20, 0), cloud(19, 1))


def test_points_are_measured_as_they_are_and_images_as_pixels():
    made = torch.randn(5, 2, 1, 1, dtype=torch.bfloat16)
    assert torch.equal(measurable(made), made.float())
    assert is_points(measurable(made))
    assert measurable(torch.zeros(5, 2, 8, 8)).dtype == torch.uint8
    with pytest.raises(MetricError, match="no points"):
        measurable(torch.full((5, 2, 1, 1), torch.inf))


def test_pixels_are_no_coordinates():
    with pytest.raises(MetricError, match="Points are measured"):
        extractor("coordinates")(np.zeros((4, 1, 8, 8), np.uint8))


def drawn(toy, n, seed):
    return toy.draw(n, seed)[0][:, :, None, None]


@pytest.mark.parametrize("name", list(MIXTURES))
def test_scores_of_points_rise_with_what_is_missing(name):
    toy = MIXTURES[name]()
    held_out = reference_points(drawn(toy, 600, 0), extractor("coordinates"), n=500)
    least = floor(drawn(toy, 600, 1), held_out)
    assert least.metric == "w1-500"
    assert least.cautions == ()

    def half(n, seed):
        points, modes = toy.draw(3 * n, seed)
        return points[modes < len(toy.weights) / 2][:n, :, None, None]

    true = measure(lambda n, seed: drawn(toy, n, seed), held_out, seed=5)
    one = measure(lambda n, seed: np.repeat(drawn(toy, 1, seed), n, 0), held_out)
    assert max(least.value, true.value) < measure(half, held_out).value < one.value
    assert true.protocol == least.protocol
