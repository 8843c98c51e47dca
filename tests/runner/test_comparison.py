from itertools import combinations
from math import exp, log

import numpy as np
import pytest
from scipy import stats

from runner.comparison import Comparison, redraw_noise

RNG = np.random.default_rng(0)
EVEN = [RNG.normal(mean, 0.05, seeds).tolist() for mean, seeds in ((3, 3), (3.1, 4), (3.4, 2))]
WILD = [RNG.normal(3, sd, 5).tolist() for sd in (0.001, 0.001, 1.0)]


def test_margins_are_those_of_scipys_tukey_test() -> None:
    found = stats.tukey_hsd(*EVEN).confidence_interval(0.95)
    comparison = Comparison(EVEN)
    for one, other in combinations(range(3), 2):
        half = (found.high[one, other] - found.low[one, other]) / 2
        assert comparison.margin(one, other) == pytest.approx(half, rel=1e-6)


def test_margins_of_very_uneven_spreads_are_those_of_games_and_howell() -> None:
    assert Comparison(WILD).uneven
    found = stats.tukey_hsd(*WILD, equal_var=False).confidence_interval(0.95)
    for one, other in combinations(range(3), 2):
        half = (found.high[one, other] - found.low[one, other]) / 2
        assert Comparison(WILD).margin(one, other) == pytest.approx(half, rel=1e-6)


def test_spreads_that_a_few_seeds_may_well_show_by_chance_are_not_called_uneven() -> None:
    drawn = np.random.default_rng(1).normal(3, 0.05, (200, 7, 3))
    variances = drawn.var(-1, ddof=1)
    assert np.mean(variances.max(1) > 10 * variances.min(1)) > 0.7  # the bare ratio would
    assert np.mean([Comparison(logs.tolist()).uneven for logs in drawn]) < 0.1


def test_of_two_arms_alone_the_more_cautious_test_decides() -> None:
    for pair in (EVEN[:2], [[3.0, 3.01, 3.02], [3.1, 3.2, 3.05]]):
        tests = [stats.tukey_hsd(*pair, equal_var=equal) for equal in (True, False)]
        found = [each.confidence_interval(0.95) for each in tests]
        halves = [(each.high[0, 1] - each.low[0, 1]) / 2 for each in found]
        assert Comparison(pair).margin(0, 1) == pytest.approx(max(halves), rel=1e-6)


def test_an_interval_is_students_on_the_pooled_variance() -> None:
    comparison = Comparison(EVEN)
    low, high = comparison.interval(1) or (0, 0)
    half = stats.t.ppf(0.975, 6) * np.sqrt(comparison.pooled / 4)
    assert (low, high) == pytest.approx((np.mean(EVEN[1]) - half, np.mean(EVEN[1]) + half))


def test_an_interval_is_the_arms_own_where_spreads_are_uneven() -> None:
    expected = stats.ttest_1samp(WILD[0], 0).confidence_interval(0.95)
    assert Comparison(WILD).interval(0) == pytest.approx((expected.low, expected.high))


def test_an_arm_that_scatters_more_than_the_others_has_an_interval_of_its_own() -> None:
    groups = [[3.0, 3.1, 3.2], [3.0, 3.1, 3.2], [3.0, 3.15, 3.3]]
    assert not Comparison(groups).uneven
    expected = stats.ttest_1samp(groups[2], 0).confidence_interval(0.95)
    assert Comparison(groups).interval(2) == pytest.approx((expected.low, expected.high))
    low, high = Comparison(groups).interval(0) or (0, 0)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 6) * (0.0425 / 3 / 3) ** 0.5)


def test_three_seeds_of_five_arms_at_5_percent_resolve_gaps_of_14_percent() -> None:
    apart = 0.05  # three points at -d, 0 and d have the standard deviation d
    groups = [[mean - apart, mean, mean + apart] for mean in (3.0, 3.1, 3.2, 3.3, 3.4)]
    assert exp(Comparison(groups).margin(0, 1)) == pytest.approx(1.14, abs=0.005)


def test_one_seed_an_arm_tells_nothing() -> None:
    comparison = Comparison([[3.0], [9.0]])
    assert comparison.margin(0, 1) == float("inf")
    assert comparison.interval(0) is None
    assert comparison.seeds_needed(0, 1) is None


def test_an_arm_with_one_seed_borrows_the_spread_of_the_others() -> None:
    comparison = Comparison([[3.0, 3.1, 3.2], [3.05, 3.1, 3.3], [4.0]])
    assert 0 < comparison.margin(0, 2) < 1
    assert comparison.margin(0, 2) > comparison.margin(0, 1)


def test_identical_scores_have_a_margin_of_zero_and_no_number_of_seeds_helps() -> None:
    comparison = Comparison([[3.0, 3.0, 3.0], [3.0, 3.0, 3.0]])
    assert comparison.margin(0, 1) == 0
    assert comparison.seeds_needed(0, 1) is None


@pytest.mark.parametrize("gap", [0.2, 0.12, 0.06])
def test_the_seeds_asked_for_are_the_fewest_that_settle_the_pair(gap: float) -> None:
    def with_seeds(seeds: int) -> Comparison:  # every arm's variance is exactly 0.05 squared
        shape = np.linspace(-1, 1, seeds)
        shape *= 0.05 / shape.std(ddof=1)
        return Comparison([(mean + shape).tolist() for mean in (3.0, 3.0 + gap, 3.5)])

    needed = with_seeds(3).seeds_needed(0, 1)
    assert needed is not None
    assert with_seeds(needed).margin(0, 1) < gap
    assert with_seeds(needed - 1).margin(0, 1) > gap


def test_the_seeds_asked_for_of_uneven_arms_follow_their_own_spreads() -> None:
    calm = [[3.0, 3.01, 3.02], [3.02, 3.03, 3.04]]
    comparison = Comparison([*calm, [2.0, 4.0, 7.0]])
    assert comparison.uneven
    needed = comparison.seeds_needed(0, 1)
    assert needed is not None
    assert 3 < needed < 8


def test_no_practical_number_of_seeds_settles_a_gap_of_a_thousandth() -> None:
    assert Comparison([[3.0, 3.1, 3.2], [3.001, 3.101, 3.201]]).seeds_needed(0, 1) is None


def test_redraw_noise_pools_the_networks() -> None:
    assert redraw_noise([[1.0, 3.0], [10.0, 12.0], [7.0]]) == pytest.approx(2**0.5)
    assert redraw_noise([[log(3)], []]) is None


# Probabilities ---------------------------------------------------------------------------------


def test_of_two_arms_the_probability_is_students_of_their_difference() -> None:
    groups = [[3.0, 3.1, 3.2], [3.06, 3.16, 3.31, 3.2]]
    exact = stats.ttest_ind(*groups, alternative="less").pvalue
    first, second = Comparison(groups).probabilities() or (0, 0)
    assert first == pytest.approx(1 - exact, abs=0.005)
    assert first + second == pytest.approx(1)


def test_the_probability_of_many_is_that_of_the_integral() -> None:
    groups = [[3.0, 3.1, 3.2], [3.06, 3.16, 3.31, 3.2], [3.3, 3.42, 3.2]]
    comparison = Comparison(groups)
    scale = stats.chi(comparison.freedom, scale=comparison.freedom**-0.5)
    means = np.array([np.mean(group) for group in groups])
    errors = np.array([(comparison.pooled / len(group)) ** 0.5 for group in groups])
    shares = (np.arange(400) + 0.5) / 400
    at = np.linspace(2.5, 4, 1501)
    exact = np.zeros(3)
    for spread in 1 / scale.ppf(shares):
        laws = stats.norm(means[:, None], errors[:, None] * spread)
        others = np.array([np.delete(laws.sf(at), arm, 0).prod(0) for arm in range(3)])
        exact += (laws.pdf(at) * others).sum(1) * (at[1] - at[0]) / len(shares)
    assert comparison.probabilities() == pytest.approx(exact, abs=0.005)


def test_an_arm_with_a_wide_interval_is_as_uncertain_in_its_probability() -> None:
    """Two seeds far apart, beside arms whose seeds agree: no reason to rule it out."""
    groups = [[6.1, 6.2], [6.5, 6.62], [6.2, 6.6]]
    comparison = Comparison(groups)
    assert not comparison.uneven
    low, high = comparison.interval(2) or (0, 0)
    assert high - low > 4
    _, _, wide = comparison.probabilities() or (0, 0, 0)
    assert wide > 0.15


def test_where_spreads_are_uneven_an_arm_is_as_uncertain_as_its_own_seeds() -> None:
    comparison = Comparison(WILD)
    drawn = np.array(
        [
            stats.t(4, np.mean(own), np.std(own, ddof=1) / 5**0.5).ppf(
                np.random.default_rng(arm).random(200_000)
            )
            for arm, own in enumerate(WILD)
        ]
    )
    expected = np.bincount(drawn.argmin(0), minlength=3) / 200_000
    assert comparison.probabilities() == pytest.approx(expected, abs=0.005)


def test_a_single_seed_is_as_uncertain_as_the_others_let_expect() -> None:
    calm = Comparison([[3.0, 3.01, 3.02], [3.5]])
    wild = Comparison([[3.0, 3.41, 2.62], [3.5]])
    assert (calm.probabilities() or (0,))[0] > 0.99
    assert (wild.probabilities() or (1,))[0] < 0.95
    uneven = Comparison([[3.0, 3.001, 3.002], [3.0, 3.7, 4.9], [3.1]])
    assert uneven.uneven
    assert 0.1 < (uneven.probabilities() or (0, 0, 0))[2] < 0.6


def test_probabilities_are_the_same_each_time_and_none_without_a_second_seed() -> None:
    assert Comparison(EVEN).probabilities() == Comparison(EVEN).probabilities()
    assert Comparison([[3.0], [4.0]]).probabilities() is None
    assert Comparison([[3.0, 3.0], [3.0, 3.0]]).probabilities() == pytest.approx(
        (0.5, 0.5), abs=0.01
    )


# Arms that halving chose -----------------------------------------------------------------------


def test_margins_allow_for_the_luckiest_of_the_arms_that_are_out() -> None:
    comparison = Comparison(EVEN[:2], started=7)
    quantile = stats.studentized_range.ppf(0.95, 3, comparison.freedom)
    expected = quantile * (comparison.pooled * (1 / 3 + 1 / 4) / 2) ** 0.5
    assert comparison.margin(0, 1) == pytest.approx(expected, rel=1e-6)
    assert comparison.interval(0) == Comparison(EVEN[:2]).interval(0)
    assert Comparison(EVEN, started=3).family == Comparison(EVEN).family == 3


def test_two_seeds_scatter_as_students_t_says() -> None:
    comparison = Comparison(EVEN)
    expected = stats.t.ppf(0.975, comparison.freedom) * comparison.pooled**0.5
    assert comparison.scatter(2) == pytest.approx(expected)
    assert Comparison([[3.0]]).scatter(1) == float("inf")
