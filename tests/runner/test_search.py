"""Settings drawn from published ranges, and what so many of them are worth."""

from itertools import combinations, product
from math import inf, isclose
from statistics import fmean, median_low

import numpy as np
import pytest

from knowledge.library import load
from knowledge.recipes import UnknownSystem, objections, recipe_of
from knowledge.schema import Recipe
from runner.search import (
    beats,
    best_of,
    chances,
    dominates,
    now,
    ranges_for,
    settings,
    short,
    told_apart,
)

LIBRARY = load()


def recipes():
    for name in sorted(LIBRARY.gans):
        try:
            yield name, recipe_of(name, LIBRARY)
        except UnknownSystem:
            continue


RECIPES = dict(recipes())
every_recipe = pytest.mark.parametrize("name", RECIPES)


# Settings ----------------------------------------------------------------------------------------


@every_recipe
def test_the_first_setting_is_the_published_one_and_the_others_differ(name):
    found = settings(RECIPES[name], 4, LIBRARY)
    assert [each.number for each in found] == [0, 1, 2, 3]
    assert found[0].recipe == RECIPES[name]
    assert found[0].says.startswith("as published: ")
    assert len({each.recipe.model_dump_json() for each in found}) == 4


@every_recipe
def test_every_setting_is_a_recipe_that_breaks_no_rule_more(name):
    allowed = {rule.id for rule in objections(RECIPES[name], LIBRARY)}
    for each in settings(RECIPES[name], 6, LIBRARY):
        assert Recipe.model_validate(each.recipe.model_dump()) == each.recipe
        assert {rule.id for rule in objections(each.recipe, LIBRARY)} <= allowed


@every_recipe
@pytest.mark.parametrize("breadth", ["wide", "narrow"])
def test_what_is_drawn_lies_in_the_published_range_and_is_told(name, breadth):
    ranges = ranges_for(RECIPES[name], LIBRARY, breadth)
    assert {"rate", "critic_steps"} <= set(ranges)
    for each in settings(RECIPES[name], 5, LIBRARY, breadth=breadth)[1:]:
        for what, space in ranges.items():
            value = now(each.recipe, what)
            if what in space.choices:
                assert value in space.choices[what]
            elif what in space.ranges:
                low, high = space.ranges[what]
                assert low <= value <= high
                assert short(value) in each.says
            else:
                low, high = space.log10_ranges[what]
                assert 0.94 * 10**low <= value <= 1.06 * 10**high  # rounded
                assert float(short(value)) == value
                assert short(value) in each.says


@every_recipe
def test_nothing_else_is_touched(name):
    recipe = RECIPES[name]
    for each in settings(recipe, 3, LIBRARY)[1:]:
        kept = ("structure", "backbone", "divergence", "normalizers", "generator_norm")
        assert all(getattr(each.recipe, field) == getattr(recipe, field) for field in kept)
        for field in ("penalties", "constraints", "augmentations"):
            parts = [part.name for part in getattr(each.recipe, field)]
            assert parts == [part.name for part in getattr(recipe, field)]


def test_only_what_a_recipe_has_is_varied():
    assert "penalty_weight" in ranges_for(RECIPES["wgan-gp"], LIBRARY, "wide")
    assert "clipping" in ranges_for(RECIPES["wgan"], LIBRARY, "wide")
    assert "beta1" not in ranges_for(RECIPES["wgan"], LIBRARY, "wide")  # RMSProp has none
    plain = ranges_for(RECIPES["ns-gan"], LIBRARY, "wide")
    assert set(plain) == {"rate", "beta1", "critic_steps", "critic_batch_norm"}
    assert "critic_batch_norm" not in ranges_for(RECIPES["sn-gan"], LIBRARY, "wide")


def test_batch_norm_never_comes_with_a_gradient_penalty():
    found = settings(RECIPES["wgan-gp"], 20, LIBRARY)
    assert {each.recipe.critic_norm for each in found} == {"none"}
    assert {each.recipe.critic_norm for each in settings(RECIPES["ns-gan"], 20, LIBRARY)} == {
        "none",
        "batch-norm",
    }


def test_the_same_seed_draws_the_same_and_for_all_arms_alike():
    one = settings(RECIPES["wgan-gp"], 5, LIBRARY)
    assert one == settings(RECIPES["wgan-gp"], 5, LIBRARY)
    assert one[:3] == settings(RECIPES["wgan-gp"], 3, LIBRARY)
    assert one[1:] != settings(RECIPES["wgan-gp"], 5, LIBRARY, seed=1)[1:]
    other = settings(RECIPES["ns-gan"], 5, LIBRARY)
    rates = [[each.recipe.optimizer.rate for each in arm[1:]] for arm in (one, other)]
    assert rates[0] == rates[1]


def test_two_time_scales_keep_their_ratio():
    published = RECIPES["sagan"].optimizer
    for each in settings(RECIPES["sagan"], 4, LIBRARY)[1:]:
        ratio = each.recipe.optimizer.critic_rate / each.recipe.optimizer.rate
        assert ratio == pytest.approx(published.critic_rate / published.rate, rel=0.02)


def test_rates_are_spread_evenly_over_orders_of_magnitude():
    found = settings(RECIPES["ns-gan"], 400, LIBRARY)[1:]
    logs = np.log10([each.recipe.optimizer.rate for each in found])
    counts, _ = np.histogram(logs, bins=[-5, -4, -3, -2])
    assert counts.min() > 100
    steps = [each.recipe.optimizer.critic_steps for each in found]
    assert 150 < steps.count(5) < 250


def test_a_setting_in_words():
    assert short(3e-4) == "3e-4"
    assert short(0.00031) == "3.1e-4"
    assert short(0.0011) == "0.0011"
    assert short(12.0) == "12"
    assert short(0.0) == "0"
    says = settings(RECIPES["wgan-gp"], 1, LIBRARY)[0].says
    assert says == ("as published: rate 1e-4, β₁ 0, λ 10, 5 critic steps, no norm in the critic")


# What so many tries are worth --------------------------------------------------------------------

DISTANCES = [30.0, 12.0, inf, 25.0, 18.0, 12.0, inf]
SOUND = [30.0, 12.0, 25.0, 18.0, 40.0]


@pytest.mark.parametrize("draws", range(1, len(DISTANCES) + 1))
def test_the_best_of_so_many_is_that_of_all_ways_to_take_them(draws):
    minima = [min(taken) for taken in combinations(DISTANCES, draws)]
    found = best_of(DISTANCES)[draws - 1]
    assert found.draws == draws
    assert isclose(found.expected, fmean(minima))
    assert found.median == median_low(minima)


def test_a_failure_of_any_kind_is_infinitely_far():
    assert best_of([3.0, float("nan"), -inf]) == best_of([3.0, inf, inf])
    assert best_of([inf, inf])[1].expected == inf
    assert best_of([inf, inf])[1].median == inf


def test_chances_of_being_first_sum_to_one():
    for draws in range(1, 8):
        assert sum(chances(7, draws)) == pytest.approx(1)


@pytest.mark.parametrize("count", [5, 10, 20])
def test_intervals_cover_the_median_best_at_least_as_often_as_they_say(count):
    rng = np.random.default_rng(count)
    held = np.zeros(count)
    for logs in rng.normal(size=(600, count)):
        failing = np.where(logs > 1, inf, np.exp(logs))  # one in six
        held += [
            each.low <= np.exp(normal_quantile(1 - 0.5 ** (1 / each.draws))) <= each.high
            for each in best_of(failing.tolist())
        ]
    assert held.min() / 600 >= 0.95 - 3 * (0.05 * 0.95 / 600) ** 0.5


def normal_quantile(share):
    from scipy.stats import norm

    return norm.ppf(share)


def test_few_settings_say_little_and_more_say_more():
    few, many = (best_of(np.linspace(10, 20, n).tolist())[0] for n in (3, 30))
    assert (few.low, few.high) == (0, inf)
    assert 10 < many.low < many.median < many.high < 20


# Arms against one another ------------------------------------------------------------------------


@pytest.mark.parametrize("draws", [1, 2, 4])
def test_how_often_one_beats_another_is_counted_over_all_ways(draws):
    won = [
        (min(one) < min(other)) + (min(one) == min(other)) / 2
        for one, other in product(combinations(DISTANCES, draws), combinations(SOUND, draws))
    ]
    assert beats(DISTANCES, SOUND, draws) == pytest.approx(fmean(won))
    assert beats(DISTANCES, SOUND, draws) + beats(SOUND, DISTANCES, draws) == pytest.approx(1)


def test_an_arm_dominates_where_its_curve_is_never_above_the_others():
    assert dominates([1, 2, 3], [2, 3, 4])
    assert not dominates([2, 3, 4], [1, 2, 3])
    assert not dominates([1, 9, 10], [2, 3, 4])
    assert not dominates([1, 2, inf], [1, 2, inf])
    assert dominates([1, 2, 3], [1, 2, inf])
    assert dominates([5.0, 6.0], [inf, inf])


def test_a_dominating_arm_wins_at_every_number_of_draws():
    one, other = [10.0, 14.0, 19.0, 30.0], [11.0, 14.0, 25.0, inf]
    assert dominates(one, other)
    assert all(beats(one, other, draws) > 0.5 for draws in range(1, 5))


def test_arms_are_told_apart_in_the_right_direction_and_only_where_clear():
    good, bad = [10 + k for k in range(8)], [30 + k for k in range(6)] + [inf, inf]
    middling = [12 + k for k in range(8)]
    found = told_apart({"bad": bad, "good": good, "middling": middling})
    assert found == {("good", "bad"), ("middling", "bad")}
    assert told_apart({"a": [inf, inf], "b": [inf, inf]}) == frozenset()
    assert told_apart({"a": good}) == frozenset()


def test_of_equal_arms_hardly_ever_any_are_told_apart():
    rng = np.random.default_rng(0)
    drawn = np.where(rng.random((100, 3, 8)) < 0.2, inf, rng.lognormal(3, 1, (100, 3, 8)))
    apart = [bool(told_apart(dict(zip("abc", arms.tolist(), strict=True)))) for arms in drawn]
    assert np.mean(apart) <= 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5
