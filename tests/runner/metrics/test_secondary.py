import numpy as np
import pytest

from runner.metrics import SECONDARY, MetricError, measure, reference, secondary_of
from runner.metrics.kernel import KernelTarget
from runner.metrics.neighbours import Neighbourhoods
from tests.runner.metrics.test_references import Pixels

N = 120


def images(n, seed, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (n, 3, 4, 4), dtype=np.uint8)


@pytest.fixture
def held_out():
    return reference(images(N, 0), Pixels(), n=N)


def test_they_are_worked_out_from_the_first_draws_features(held_out):
    before = held_out.extractor.calls
    score = measure(lambda n, seed: images(n, 5 + seed), held_out, draws=2, seed=1)
    assert held_out.extractor.calls == before + 2  # once a draw, as for the distance alone
    first = Pixels()(images(N, 6))
    assert tuple(score.secondary) == SECONDARY
    assert score.secondary == secondary_of(first, held_out)
    kid = KernelTarget(held_out.features).distance(first)
    assert (score.secondary["kid"], score.secondary["kid-sd"]) == kid
    shares = Neighbourhoods.of(held_out.features).shares(first)
    assert shares == {name: score.secondary[name] for name in shares}


def test_looks_go_without_or_with_one(held_out):
    whole = measure(lambda n, seed: images(n, 5), held_out)
    none = measure(lambda n, seed: images(n, 5), held_out, secondary=False)
    one = measure(lambda n, seed: images(n, 5), held_out, secondary=["coverage"])
    assert none.secondary == {}
    assert one.secondary == {"coverage": whole.secondary["coverage"]}
    assert none.value == one.value == whole.value
    assert none.protocol == one.protocol == whole.protocol


def test_the_real_side_is_worked_out_once(held_out, monkeypatch):
    asked = []
    real_side = Neighbourhoods.of
    monkeypatch.setattr(Neighbourhoods, "of", lambda *given: asked.append(1) or real_side(*given))
    for seed in range(3):
        measure(lambda n, at, seed=seed: images(n, seed), held_out)
    assert len(asked) == 1


@pytest.mark.parametrize(("n", "names"), [(3, ()), (5, SECONDARY[:2]), (6, SECONDARY)])
def test_what_so_few_images_do_not_have_is_left_out(n, names):
    few = reference(images(N, 0), Pixels(), n=n)
    assert tuple(secondary_of(Pixels()(images(n, 1)), few)) == names


def test_another_name_is_refused(held_out):
    with pytest.raises(MetricError, match=r"no 'coverige'.*density, coverage"):
        secondary_of(held_out.features, held_out, ["coverige"])


def test_worse_images_have_worse_figures(held_out):
    good, bright = (
        measure(lambda n, seed, low=low: images(n, 5, low), held_out).secondary for low in (0, 150)
    )
    assert bright["kid"] > 5 * abs(good["kid"])
    assert good["kid-sd"] > 0
    assert bright["coverage"] < good["coverage"]
    assert bright["recall"] < good["recall"]
