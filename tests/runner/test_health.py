"""What stops a trial, and what must not."""

import csv
from math import inf
from pathlib import Path

import numpy as np
import pytest

from advisor.recommendation import Failure, Trouble
from knowledge.schema import Part
from runner.health import (
    LATE,
    ROUNDS,
    Course,
    diversity,
    foreseen,
    hopeless,
    late_collapse,
    spread,
    with_foreseen,
)
from runner.leaderboard import rank
from runner.metrics import reference_points
from runner.metrics.features import extractor
from runner.plan import Overrides
from runner.prepare import Request, prepare
from runner.results import Look
from runner.rounds import Look as Point
from runner.trial import run_trial
from tests.benchmarks.health import CASES, found_in, plan_of, watched
from tests.runner.runs import advice as some_advice
from tests.runner.runs import finished, plan

BUDGET = 1_000_000
CHANCE = 300.0


def course(values, *, coverage=0.5, spread=0.9, signs=None, rounds=ROUNDS, at=None):
    """Looks at even parts of the budget, up to one short of the end."""
    count = len(values)
    ends = at or [BUDGET * (k + 1) // (count + 1) for k in range(count)]
    looks = [
        Look(images_seen=end, seconds=1.0, value=value, coverage=coverage, spread=spread)
        for end, value in zip(ends, values, strict=True)
    ]
    healthy = {"real-score": 0.5, "fake-score": -0.5, "told-apart": 0.8, "slope": 1e-3}
    points = [Point(i, {}, healthy | (signs or {})) for i in range(5000, ends[-1] + 1, 5000)]
    return Course(BUDGET, rounds, looks, points, lambda: CHANCE)


def status(found):
    return found.status if found else None


def test_a_trial_that_learns_goes_on():
    assert hopeless(course([250, 200, 150])) is None


def test_one_that_has_learnt_and_gets_no_better_goes_on():
    assert hopeless(course([100, 110, 105])) is None
    assert hopeless(course([20, 200, 290])) is None  # a late collapse, of which some recover


def test_no_better_than_early_on_and_never_good_is_stalled():
    found = hopeless(course([250, 248, 255]))
    assert status(found) == "stalled"
    assert "no look after 333k images was better than those before" in found.why
    assert "248, is not far from what takes no learning, 300" in found.why


def test_two_thirds_of_the_budget_are_waited_for():
    assert hopeless(course([250, 251, 255], at=[200_000, 400_000, 660_000])) is None
    assert status(hopeless(course([250, 251, 255], at=[200_000, 400_000, 670_000]))) == "stalled"


def test_a_little_better_every_time_is_learning():
    assert hopeless(course([280, 265, 252])) is None


def test_the_critic_has_won_where_it_knows_every_image_and_nothing_gets_better():
    found = hopeless(course([250, 260, 280], signs={"told-apart": 1.0, "fake-score": -12.0}))
    assert status(found) == "critic-won"
    assert found.why.endswith("it scores real images 0.500 and generated ones -12.0 on average")


def test_a_sure_critic_alone_is_no_reason_to_stop():
    assert hopeless(course([250, 200, 150], signs={"told-apart": 1.0})) is None


def test_a_generator_without_gradient_is_given_up():
    found = hopeless(course([250], signs={"slope": 3e-11}))
    assert status(found) == "critic-won"
    assert "gradient is at most 3e-11" in found.why
    assert hopeless(course([250], signs={"slope": 1e-7})) is None  # Adam still makes full steps


def test_a_gradient_that_came_back_within_the_last_tenth_is_one():
    sick = course([250], signs={"slope": 3e-11})
    sick.curve[-3].signs["slope"] = 1e-5
    assert hopeless(sick) is None


def test_images_that_are_all_alike_are_a_collapse():
    found = hopeless(course([250, 260], coverage=0.001, spread=0.05))
    assert status(found) == "collapsed"
    assert "5.0 % as far apart as real ones and near 0.1 % of them" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"coverage": 0.02},  # covers some
        {"spread": 0.15},
        {"coverage": None},  # too few images to tell
        {"values": [260, 240]},  # on its way out
        {"values": [260]},  # a single look
        {"rounds": ROUNDS - 1},
    ],
    ids=str,
)
def test_less_than_that_is_none(change):
    settings = {"values": [250, 260], "coverage": 0.001, "spread": 0.05} | change
    assert hopeless(course(**settings)) is None


def test_a_game_without_critic_can_only_stall():
    sick = course([250, 260, 280])
    for point in sick.curve:
        point.signs.clear()
    assert status(hopeless(sick)) == "stalled"


def test_chance_is_asked_for_only_where_it_matters():
    def never():
        raise AssertionError

    assert hopeless(course([250, 200, 150])._replace(chance=never)) is None


# Late collapse, and what published runs say of the thresholds ---------------------------------------


def looks_of(values):
    return [Look(images_seen=1000 * (k + 1), seconds=1.0, value=v) for k, v in enumerate(values)]


def test_a_late_collapse_is_told():
    assert late_collapse(looks_of([50, 20, 40])) == (
        "it was better before: at 20.0 after 2k images, and 2.0 times as far at the end"
    )
    assert late_collapse(looks_of([50, 20, 25])) is None
    assert late_collapse(looks_of([50])) is None


CURVES = Path(__file__).parents[1] / "benchmarks/data/studiogan-cifar10-fid.csv"
COLLAPSED = {"ACGAN", "DCGAN", "GGAN", "LSGAN", "ProjGAN", "WGAN-DRA"}


def published():
    with CURVES.open() as file:
        return {row["run"]: [float(v) for v in row["fids"].split()] for row in csv.DictReader(file)}


def test_of_published_runs_those_that_collapsed_late_are_told_and_no_others():
    runs = {run: late_collapse(looks_of(fids)) for run, fids in published().items()}
    assert len(runs) > 20
    assert {run for run, says in runs.items() if says} == COLLAPSED
    ratios = sorted(fids[-1] / min(fids) for fids in published().values())
    nearest = [max(r for r in ratios if r < LATE), min(r for r in ratios if r >= LATE)]
    assert nearest[0] < 1.1  # the threshold divides the runs, not a crowd of them
    assert nearest[1] > 1.5


@pytest.mark.parametrize("chance", [300.0, 400.0])
@pytest.mark.parametrize("seen", range(2, 10))
def test_no_published_run_would_have_been_stopped(seen, chance):
    """But for the one that is no better at its end than at its start, if chance were that good."""
    for run, fids in published().items():
        tenths = [fids[len(fids) * (k + 1) // 10 - 1] for k in range(seen)]
        at = [BUDGET * (k + 1) // 10 for k in range(seen)]
        found = hopeless(course(tenths, at=at)._replace(chance=lambda: chance))
        assert found is None or (run == "WGAN-WC" and chance == 300), (run, found)


# A look's variety --------------------------------------------------------------------------------


def test_variety_is_held_against_real_images():
    random = np.random.default_rng(0)
    points = random.standard_normal((400, 2, 1, 1)).astype(np.float32)
    target = reference_points(points, extractor("coordinates"), n=200)
    same = diversity(random.standard_normal((200, 2)).astype(np.float32), target)
    assert same.coverage > 0.8
    assert same.spread == pytest.approx(1, abs=0.15)
    half = diversity(random.standard_normal((200, 2)).astype(np.float32) / 2, target)
    assert half.spread == pytest.approx(same.spread / 2, rel=0.15)
    one = diversity(np.full((200, 2), 0.3, np.float32), target)
    assert one.coverage < 0.1
    assert one.spread == 0


def test_spread_is_the_root_mean_square_distance_of_pairs():
    features = np.random.default_rng(0).standard_normal((50, 7))
    apart = ((features[:, None] - features[None]) ** 2).sum(-1)
    assert spread(features) == pytest.approx(np.sqrt(apart.mean() / 2))


# Up to the user ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(advice):
    """Points, and a critic so flat that nothing of it reaches the generator."""
    overrides = Overrides(backbone="mlp", width=8, batch_size=4, only=("baseline",))
    settings = {"budget": 1200, "seeds": 1, "looks": 6, "samples": 200, "look_samples": 100}
    found = prepare(advice, Request(data="ring8", overrides=overrides, **settings), print).plan
    trial = found.trials[0]
    clip = Part(name="weight-clipping", settings={"limit": 1e-7})
    recipe = trial.recipe.model_copy(
        update={"divergence": "wasserstein", "loss": Part(name="minimax"), "critic_norm": "none",
                "normalizers": (), "constraints": (clip,)}
    )  # fmt: skip
    return found.model_copy(update={"trials": (trial.model_copy(update={"recipe": recipe}),)})


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("runner.health.ROUNDS", 100)


def test_a_trial_without_hope_is_given_up_and_says_why(soon, prepared, tmp_path):
    events = []
    result = run_trial(prepared.trials[0], prepared, tmp_path, events.append)
    assert result.status == "critic-won"
    assert result.why.startswith("the generator's gradient is at most")
    assert result.images_seen == 400
    assert result.score is None
    assert [e.says for e in events if e.says] == [
        f"given up after 400 images, {result.status}: {result.why}"
    ]
    assert all(look.spread is not None for look in result.looks)


def test_asked_to_train_to_the_end_it_does_and_remarks_it(soon, prepared, tmp_path):
    stubborn = prepared.model_copy(update={"health": False})
    result = run_trial(stubborn.trials[0], stubborn, tmp_path, lambda _: None)
    assert result.status == "finished"
    assert result.score is not None
    (remark,) = result.remarks
    assert remark.startswith("it would have been given up as critic-won after 400 images: ")


def test_a_process_that_was_killed_before_its_verdict_comes_to_the_same(soon, prepared, tmp_path):
    """The look was kept, and what followed from it was not."""
    trial = prepared.trials[0]
    whole = run_trial(trial, prepared, tmp_path, lambda _: None)
    (tmp_path / "result.json").unlink()
    again = run_trial(trial, prepared, tmp_path, lambda _: None)
    times = {"seconds", "measuring_seconds"}
    assert again.model_dump(exclude=times) == whole.model_dump(exclude=times)


def test_points_are_not_held_against_points_by_chance(prepared, tmp_path, monkeypatch):
    """An untrained generator's are so near to them that nobody would have learnt anything."""
    asked = []

    def watch(course):
        asked.append(course.chance())

    monkeypatch.setattr("runner.trial.hopeless", watch)
    run_trial(prepared.trials[0], prepared, tmp_path, lambda _: None, budget=200)
    assert asked == [inf]


@pytest.mark.parametrize(
    ("seeds", "says"),
    [
        ((0,), "B, seed 0: it was better before: at 2 after 0k."),
        ((0, 1, 2), "B, seeds 0, 1 and 2: it was better before; seed 0 at 2 after 0k."),
    ],
)
def test_a_ranking_tells_remarks_once_for_each_arm(seeds, says):
    planned = plan(["a", "b"])
    ended = [
        finished(trial, 10.0 + trial.seed).model_copy(
            update={
                "remarks": (f"it was better before: at 2 after {trial.seed}k",)
                if trial.arm == "b" and trial.seed in seeds
                else ()
            }
        )
        for trial in planned.trials
    ]
    told = [each for each in rank(planned, ended, None, None).cautions if "better before" in each]
    assert told == [says]


def test_what_the_advice_had_said_of_it_is_found():
    arm = (
        some_advice(plan(["a"]))
        .candidates[0]
        .model_copy(
            update={
                "fails": (Failure(says="The critic wins", then="fewer critic steps"),),
                "troubles": (
                    Trouble(issue="mode-collapse", says="It yields few kinds.", then=()),
                    Trouble(issue="compute", says="It is costly.", then=()),
                ),
            }
        )
    )
    assert foreseen(arm, "collapsed") == (
        "The critic wins; try fewer critic steps",
        "It yields few kinds.",
    )
    assert foreseen(arm, "critic-won") == ("The critic wins; try fewer critic steps",)
    heard = arm.fails[0].model_copy(update={"verified": False})
    arm = arm.model_copy(update={"fails": (heard,)})
    (told,) = foreseen(arm, "critic-won")
    assert told == "The critic wins; try fewer critic steps (as remembered, not looked up)"
    assert foreseen(arm, "crashed") == ()


def test_the_leaderboard_has_it_beside_what_went_wrong():
    planned = plan(["a", "b"])
    ended = [
        finished(trial, 10.0).model_copy(update={"status": "collapsed", "score": None})
        if trial.arm == "a" and trial.seed == 1
        else finished(trial, 10.0 + trial.seed)
        for trial in planned.trials
    ]
    said = some_advice(planned)
    board = with_foreseen(rank(planned, ended, None, None), said, ended)
    by_arm = {each.arm: each.foreseen for each in board.standings}
    expected = foreseen(next(arm for arm in said.arms if arm.id == "a"), "collapsed")
    assert expected
    assert by_arm == {"a": expected, "b": ()}


# Real trials -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.only != "images"])
def test_real_games_of_points_are_given_up_where_they_are_sick_and_only_there(name):
    """Images, and the figures: tests/benchmarks/health.py."""
    found, after = found_in(watched(CASES[name], "points", plan_of("points")))
    assert found in (CASES[name].sick or (None,))
    assert after < 1 or not CASES[name].sick
