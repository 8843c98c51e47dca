import itertools
from statistics import fmean

import numpy as np
import pytest

from runner.metrics import MetricError, Score, floor, measure, metric_name, reference

N = 192  # three batches


@pytest.fixture(scope="module")
def held_out(scenes, efficientnet):
    return reference(scenes(N, seed=1), efficientnet, n=N)


@pytest.fixture(scope="module")
def clean(scenes):
    return scenes(N, seed=2)


@pytest.mark.parametrize(
    ("n", "name"),
    [
        (10_000, "fd-efficientnet-lite0@64-10k"),
        (2_500, "fd-efficientnet-lite0@64-2.5k"),
        (1_000, "fd-efficientnet-lite0@64-1k"),
        (12_345, "fd-efficientnet-lite0@64-12.345k"),
        (999, "fd-efficientnet-lite0@64-999"),
    ],
)
def test_the_metric_is_named_for_its_features_and_images(efficientnet, n, name):
    assert metric_name(efficientnet, n) == name


def test_a_score_carries_its_protocol(held_out, clean, efficientnet):
    score = measure(lambda n, seed: clean, held_out)
    assert score.metric == f"fd-efficientnet-lite0@64-{N}"
    assert score.value == held_out.distance(efficientnet(clean))
    assert (score.n_generated, score.n_reference) == (N, N)
    assert (score.features, score.dimension) == (efficientnet.name, 1280)
    assert (score.digest, score.resize) == (efficientnet.digest, "bilinear-antialias")
    assert score.reference == held_out.key
    assert Score.model_validate_json(score.model_dump_json()) == score


def test_a_score_is_the_mean_of_independent_draws(held_out, scenes):
    asked = []

    def sample(n, seed):
        asked.append((n, seed))
        return scenes(n, seed=100 + seed)

    score = measure(sample, held_out, draws=2, seed=5)
    assert asked == [(N, 5), (N, 6)]
    assert len(set(score.draws)) == 2
    assert score.value == fmean(score.draws)
    assert measure(sample, held_out, draws=2, seed=5) == score


def test_scores_compare_only_within_a_protocol(held_out, clean, scenes, efficientnet):
    def against(real, n):
        real = reference(real, efficientnet, n=n)
        return measure(lambda n, seed: clean[:n], real).protocol

    ours = measure(lambda n, seed: clean, held_out).protocol
    assert against(scenes(N, seed=1), N) == ours
    assert against(scenes(N, seed=1), N - 1) != ours
    assert against(scenes(N, seed=3), N) != ours


@pytest.mark.parametrize(
    ("damage", "amounts"), [("blurred", (0.5, 0.8, 1.3, 2.5)), ("noisy", (10, 20, 40, 100))]
)
def test_more_damage_is_further_away(held_out, clean, damage, amounts, request):
    damaged = request.getfixturevalue(damage)
    distances = [measure(lambda n, seed: clean, held_out).value]
    for amount in amounts:
        images = damaged(clean, amount)
        distances.append(measure(lambda n, seed, images=images: images, held_out).value)
    assert all(b > 1.05 * a for a, b in itertools.pairwise(distances)), distances


def test_repeating_an_image_is_far_away(held_out, clean):
    collapsed = np.repeat(clean[:1], N, 0)
    varied = measure(lambda n, seed: clean, held_out).value
    assert measure(lambda n, seed: collapsed, held_out).value > 3 * varied


def test_the_floor_is_below_anything_generated(held_out, scenes, noisy):
    training = scenes(2 * N, seed=4)
    real = floor(training, held_out, draws=2)
    assert real.protocol == measure(lambda n, seed: training[:n], held_out).protocol
    assert len(set(real.draws)) == 2
    assert real.value < measure(lambda n, seed: noisy(training[:n], 20), held_out).value


def test_few_images_for_the_features_earn_a_caution(held_out, clean):
    score = measure(lambda n, seed: clean, held_out)
    (caution,) = score.cautions
    assert caution.startswith(f"{N} images are few for 1280 features")
    enough = score.model_copy(update={"n_generated": 2560, "n_reference": 2560})
    assert enough.cautions == ()


def test_a_short_sample_is_refused(held_out, clean):
    with pytest.raises(MetricError, match=f"{N} samples were asked for and {N - 1} came"):
        measure(lambda n, seed: clean[1:], held_out)
