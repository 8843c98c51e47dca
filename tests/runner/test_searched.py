"""Runs whose trials are settings and not seeds."""

import pytest

from runner.leaderboard import rank
from runner.plan import Overrides, Trial, trials_of
from runner.prepare import settings_of
from runner.report import render
from runner.views import table
from tests.runner.runs import advice, diverged, finished, plan, run_folder
from tests.runner.test_views import printed


def planned(arms, count):
    made = plan(arms, seeds=count)
    trials = tuple(
        Trial(**{**dict(trial), "setting": f"rate {trial.seed}e-4"}) for trial in made.trials
    )
    return made.model_copy(update={"trials": trials, "search": True})


def board(values):
    """None: the setting diverged; a missing one has not ended."""
    made = planned(list(values), 1 + max(map(len, values.values())))
    ended = []
    for trial in made.trials:
        if trial.seed <= len(values[trial.arm]):
            value = values[trial.arm][trial.seed - 1] if trial.seed else PUBLISHED
            ended.append(diverged(trial) if value is None else finished(trial, value))
    return made, ended, rank(made, ended, None, None)


PUBLISHED = 1.0  # far below all drawn ones: it is none of them and must not rank
GOOD = [20.0, 25.0, 31.0, 35.0, 40.0, 22.0, 28.0, 33.0]
BAD = [90.0, 80.0, 95.0, 70.0, None, 99.0, 85.0, None]


def test_an_arm_whose_settings_are_all_better_wins():
    _, _, found = board({"bad": BAD, "good": GOOD})
    assert [each.arm for each in found.standings] == ["good", "bad"]
    assert found.verdict.kind == "winner"
    assert (
        "the best of 2 settings of GOOD is at 25.0 or below half of the time" in found.verdict.says
    )
    assert "100 % of the time" in found.verdict.says
    assert found.tries == 2


def test_one_lucky_setting_does_not_win():
    lucky = [9.0, 60.0, 70.0, 80.0, 65.0, 75.0, 85.0, 90.0]
    _, _, found = board({"lucky": lucky, "steady": GOOD})
    assert found.standings[0].arm == "steady"
    lowest = next(each for each in found.search if each.arm == "lucky")
    assert min(tried.rank for tried in lowest.drawn) == 9.0


def test_like_distributions_tie():
    _, _, found = board({"a": GOOD, "b": [value * 1.01 for value in GOOD]})
    assert found.verdict.kind == "tie"
    assert set(found.verdict.arms) == {"a", "b"}
    assert {each.rank for each in found.standings} == {1}


def test_a_failure_is_a_setting_that_is_infinitely_far():
    _, _, found = board({"a": GOOD, "frail": [10.0, *[None] * 7]})
    frail = next(each for each in found.standings if each.arm == "frail")
    assert found.standings[0].arm == "a"
    assert frail.mean is None  # of two drawn from eight, three in four hold only failures
    assert frail.high is None
    assert frail.failures[0].startswith("settings 2, 3, 4")


def test_few_settings_and_unfinished_searches_claim_nothing():
    assert board({"a": GOOD[:3], "b": BAD[:3]})[2].verdict.kind == "preview"
    unfinished = board({"a": GOOD, "b": BAD[:4]})[2]
    assert not unfinished.complete
    assert "14 of 18 trials have ended" in unfinished.verdict.says
    assert board({"a": [None] * 8, "b": [None] * 8})[2].verdict.kind == "nothing"


def test_it_is_printed_and_reported(tmp_path):
    made, ended, found = board({"bad": BAD, "good": GOOD})
    text = printed(found)
    assert "median of the best of 2 settings" in text
    assert "as published 1.00; lowest 20.0 by setting 1 (rate 1e-4), which flatters" in " ".join(
        text.split()
    )
    folder = run_folder(tmp_path, made, ended, pictures=False)
    from runner.report import read

    page = render(read(folder))
    assert 'id="settings"' in page
    assert "rate 3e-4" in page
    assert "Each setting" in page
    assert table(found)


def test_every_arm_is_tried_as_published_and_with_drawn_settings():
    recommended = advice(plan(["a", "b"]))
    trials = trials_of(
        recommended,
        seeds=(0, 1, 2),
        budget=1000,
        overrides=Overrides(width=8),
        settings=lambda recipe: settings_of(3, recipe),
    )
    assert [trial.id for trial in trials][:3] == ["a-setting0", "b-setting0", "a-setting1"]
    first, drawn = trials[0], trials[2]
    assert first.setting.startswith("as published")
    assert first.recipe.optimizer == recommended.arms[0].recipe.optimizer
    assert drawn.recipe.optimizer != first.recipe.optimizer
    assert drawn.recipe.backbone.settings["width"] == 8
    assert drawn.recipe.optimizer.rate == trials[3].recipe.optimizer.rate  # arms draw alike


@pytest.mark.parametrize("count", [2, 5])
def test_trials_of_a_search_have_settings_as_names(count):
    made = planned(["a"], count)
    assert [trial.which for trial in made.trials] == [f"setting {n}" for n in range(count)]
