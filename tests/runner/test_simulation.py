"""Whether the ranking's claims are as often right as they say: seeds drawn where the truth is known.

Distances are in standard deviations of one seed, and in logs.
"""

from functools import lru_cache
from math import exp
from typing import NamedTuple

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.stats import studentized_range

from runner import comparison
from runner.comparison import Comparison
from runner.leaderboard import rank
from runner.race import Mark, Race, ladder, promoted
from runner.results import Look
from tests.runner.runs import finished, plan, results

RACES = 300
MANY = 2000
EQUAL = "equal"
TWOFOLD = "one twice as wide"
FIVEFOLD = "one five times as wide"
SPREADS = {EQUAL: 1.0, TWOFOLD: 2.0, FIVEFOLD: 5.0}


@pytest.fixture(autouse=True)
def quick_quantiles(monkeypatch):
    """The exact one takes a quarter of a second, and each pair of Games and Howell's needs its own.

    It is all but linear in the inverse of the freedom.
    """
    exact = comparison._studentized_range

    @lru_cache
    def spline(arms):
        known = np.array([1, 1.3, 1.8, 2.6, 4, 7, 15, 60])
        return CubicSpline(-1 / known, [np.log(exact(arms, freedom)) for freedom in known])

    monkeypatch.setattr(
        comparison, "_studentized_range", lambda arms, freedom: exp(spline(arms)(-1 / freedom))
    )


def test_the_quick_quantiles_are_the_exact_ones():
    for arms, freedom in ((2, 3.3), (5, 1.7), (5, 14)):
        expected = studentized_range.ppf(0.95, arms, freedom)
        assert comparison._studentized_range(arms, freedom) == pytest.approx(expected, rel=1e-4)


def close(rate, expected, races):
    """Three standard errors and a bit, so that only a wrong rate fails."""
    return abs(rate - expected) <= 3 * (expected * (1 - expected) / races) ** 0.5 + 0.005


def at_most(rate, limit, races):
    return rate <= limit + 3 * (limit * (1 - limit) / races) ** 0.5


# Without halving ---------------------------------------------------------------------------------


class Seen(NamedTuple):
    """Rates over races."""

    alone: float  # one winner was declared
    wrong: float  # and it was not the best
    best_leads: float  # the best is among those not told apart from the first
    covered: list[float]  # intervals that hold the truth, by arm


def seen(arms, seeds, spread=EQUAL, *, ahead=0.0, races=RACES):
    """The last arm scatters as it is told to, the first is ahead by so much."""
    rng = np.random.default_rng(arms * 100 + seeds)
    truth = np.zeros(arms)
    truth[0] -= ahead
    scale = np.ones(arms)
    scale[-1] = SPREADS[spread]
    alone = wrong = best_leads = 0
    covered = np.zeros(arms)
    for logs in truth[:, None] + scale[:, None] * rng.normal(size=(races, arms, seeds)):
        compared = Comparison(logs.tolist())
        first = int(logs.mean(1).argmin())
        leaders = [arm for arm in range(arms) if arm == first or not compared.apart(first, arm)]
        alone += len(leaders) == 1
        wrong += len(leaders) == 1 and (ahead == 0 or first != 0)
        best_leads += 0 in leaders
        intervals = [compared.interval(arm) or (0, 0) for arm in range(arms)]
        covered += [low <= true <= high for (low, high), true in zip(intervals, truth, strict=True)]
    return Seen(alone / races, wrong / races, best_leads / races, (covered / races).tolist())


CASES = [(arms, seeds) for arms in (2, 3, 5) for seeds in (3, 5)]


def claims_hold(arms, seeds, races):
    tied = seen(arms, seeds, races=races)
    assert all(close(rate, 0.958, races) for rate in tied.covered)
    assert at_most(tied.wrong, 0.05, races)
    assert tied.best_leads >= 0.95
    for ahead in (2, 4):
        found = seen(arms, seeds, ahead=ahead, races=races)
        assert at_most(found.wrong, 0.001, races)
        assert found.best_leads >= 0.99


def claims_nearly_hold(arms, seeds, spread, races):
    """Where one scatters more than a few seeds show."""
    found = seen(arms, seeds, spread, races=races)
    assert all(rate > 0.94 or close(rate, 0.95, races) for rate in found.covered[:-1])
    assert at_most(1 - found.covered[-1], 0.1, races)
    assert at_most(found.wrong, 0.06, races)


@pytest.mark.parametrize(("arms", "seeds"), CASES)
def test_intervals_and_winners_are_as_often_right_as_they_say(arms, seeds):
    claims_hold(arms, seeds, RACES)


@pytest.mark.parametrize("spread", [TWOFOLD, FIVEFOLD])
@pytest.mark.parametrize(("arms", "seeds"), CASES)
def test_they_nearly_are_where_one_arm_scatters_more(arms, seeds, spread):
    claims_nearly_hold(arms, seeds, spread, RACES)


@pytest.mark.slow
@pytest.mark.parametrize(("arms", "seeds"), CASES)
def test_the_same_in_many_races(arms, seeds):
    claims_hold(arms, seeds, MANY)
    for spread in (TWOFOLD, FIVEFOLD):
        claims_nearly_hold(arms, seeds, spread, MANY)


def test_a_winner_four_deviations_ahead_is_found_most_of_the_time():
    assert seen(5, 3, ahead=4).alone > 0.7
    assert seen(3, 5, ahead=4).alone > 0.97


# With halving ------------------------------------------------------------------------------------


class Raced(NamedTuple):
    logs: np.ndarray  # of those that got to the end, (arms, seeds)
    truth: np.ndarray  # of the same


def raced(rng, truth, rungs, kinship):
    """Early looks are kin to the final distance of the same trial, which is what biases it."""
    arms, seeds = len(truth), rungs[-1].seeds
    own = rng.normal(size=(arms, seeds))
    alive = list(range(arms))
    for rung in rungs[:-1]:
        fresh = rng.normal(size=(arms, seeds))
        looks = truth[:, None] + kinship * own + (1 - kinship**2) ** 0.5 * fresh
        marks = {str(k): Mark(0, looks[k, : rung.seeds].mean()) for k in alive}
        alive = [int(arm) for arm in promoted(marks, rung.keep, "0")]
    return Raced((truth[:, None] + own)[alive], truth[alive])


def declared(races, arms, seeds, kinship, *, allowing=True, early_seeds=None):
    """How often one of equal arms is declared the winner over the others at the end."""
    rng = np.random.default_rng(arms)
    rungs = ladder(arms, 1000, seeds)
    if early_seeds:
        rungs = [rung.model_copy(update={"seeds": early_seeds}) for rung in rungs]
    alone = 0
    for _ in range(races):
        logs = raced(rng, np.zeros(arms), rungs, kinship).logs
        compared = Comparison(logs.tolist(), arms if allowing else 0)
        first = int(logs.mean(1).argmin())
        alone += all(compared.apart(first, k) for k in range(len(logs)) if k != first)
    return alone / races


@pytest.mark.parametrize("arms", [5, 7, 8, 11])
def test_of_equal_arms_hardly_ever_one_wins_a_race(arms):
    for kinship in (0.0, 0.8, 1.0):
        assert at_most(declared(RACES, arms, 3, kinship), 0.045, RACES)


def test_with_no_allowance_for_who_got_through_by_luck_it_would_too_often():
    """The worst case: all seeds early, and looks that foretell the end."""
    worst = {"kinship": 1.0, "early_seeds": 3}
    assert declared(1500, 8, 3, **worst, allowing=False) > 0.06
    assert at_most(declared(1500, 8, 3, **worst), 0.05, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("arms", [4, 5, 6, 7, 8, 9, 11, 16])
def test_the_same_of_many_races(arms, seeds):
    for kinship in (0.5, 0.8, 1.0):
        assert at_most(declared(MANY, arms, seeds, kinship), 0.042, MANY)
    assert at_most(declared(MANY, arms, seeds, 1.0, early_seeds=seeds), 0.05, MANY)


# The whole ranking of races -----------------------------------------------------------------------

SPREAD = 0.05


def verdict_of_a_race(rng, truth, planned, kinship=0.8):
    """Each trial's looks and its end, as far as the race let it run."""
    level = dict(zip(planned.arms, truth, strict=True))
    ended = []
    for trial in planned.trials:
        own = rng.normal()
        fresh = kinship * own + (1 - kinship**2) ** 0.5 * rng.normal(size=len(planned.rungs))
        done = finished(trial, 20 * exp(SPREAD * (level[trial.arm] + own)))
        looks = tuple(
            Look(
                images_seen=rung.budget, seconds=1, value=20 * exp(SPREAD * (level[trial.arm] + z))
            )
            for rung, z in zip(planned.rungs, fresh, strict=True)
        )
        ended.append(done.model_copy(update={"looks": looks}))
    return rank(planned, list(run(planned, ended)), None, planned.control).verdict


def run(planned, ended):
    """Without what a race would not have trained."""
    entrants = Race(planned, ended).entrants
    for result in ended:
        reached = [
            rung.budget
            for rung, arms in zip(planned.rungs, entrants, strict=True)
            if result.trial.arm in arms and result.trial.seed < rung.seeds
        ]
        if planned.budget in reached:
            yield result
        elif reached:
            looks = tuple(look for look in result.looks if look.images_seen in reached)
            paused = {"status": "paused", "score": None, "images_seen": reached[-1]}
            yield result.model_copy(update={"looks": looks, **paused})


def wrongly_declared(races, arms, ahead):
    """One is the best, by so much; one more is nearly as good; the others are far behind."""
    rng = np.random.default_rng(1)
    names = [f"arm-{k}" for k in range(arms)]
    plain = plan(names, 3)
    rungs = ladder(arms, plain.budget, 3)
    planned = plain.model_copy(update={"rungs": rungs, "control": names[0]})
    truth = [4.0] * (arms - 2) + [ahead, 0.0]
    verdicts = [verdict_of_a_race(rng, truth, planned) for _ in range(races)]
    return sum(v.kind == "winner" and v.arms != (names[-1],) for v in verdicts) / races


def test_no_arm_wins_because_one_as_good_left_by_chance():
    assert wrongly_declared(40, 6, 0.5) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [0.25, 0.5, 1.0])
def test_the_same_of_more_races(ahead):
    for arms in (6, 9):
        assert wrongly_declared(300, arms, ahead) <= 0.05


# Verdicts of runs without halving ----------------------------------------------------------------


def verdicts(truth, races):
    names = [f"arm-{k}" for k in range(len(truth))]
    planned = plan(names, 3)
    logs = np.log(20) + np.array(truth)[:, None]
    for drawn in logs + 0.08 * np.random.default_rng(7).normal(size=(races, len(truth), 3)):
        values = {arm: np.exp(own).tolist() for arm, own in zip(names, drawn, strict=True)}
        yield rank(planned, results(planned, values), None, None).verdict


def test_of_equal_arms_none_wins_and_of_one_twice_as_good_it_does():
    assert all(verdict.kind == "tie" for verdict in verdicts([0.0] * 7, 20))
    found = [verdict.arms for verdict in verdicts([-np.log(2), *[0.0] * 6], 40)]
    assert found.count(("arm-0",)) >= 36
