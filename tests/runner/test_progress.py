"""What a person sees while trials run."""

import pytest

from runner.progress import ALL, BARS, Display
from runner.race import Race, ladder
from runner.trial import Event
from tests.runner.runs import plan as planned
from tests.runner.simulated import result_at


@pytest.fixture
def plan():
    arms = [f"arm-{number}" for number in range(40)]
    return planned(arms, 3).model_copy(update={"rungs": ladder(40, 2_000_000, 3)})


@pytest.fixture
def display(plan):
    shown = Display()
    shown.rung(Race(plan, []))
    return shown


def told(display, trial, images, **more):
    display.heard(Event(f"arm-{trial}-seed0", "training", images, 1000.0, **more))


def bar(display, name):
    return next(task for task in display.bars.tasks if task.description == name)


def test_the_sum_of_all_trials_is_that_of_their_last_words(display):
    for trial, images in ((0, 100_000), (1, 50_000), (0, 200_000), (1, 20_000)):
        told(display, trial, images)
    assert bar(display, ALL).completed == 250_000  # one went back to its checkpoint
    assert bar(display, ALL).total == 40 * 400_000
    told(display, 0, 999_999)  # beyond the end of the rung
    assert bar(display, ALL).completed == 450_000


def test_what_was_seen_in_an_earlier_rung_counts_as_done(plan):
    at = plan.rungs[0].budget
    ended = [result_at(trial, at, plan, 100.0) for trial in plan.trials[:40]]
    display = Display()
    display.rung(Race(plan, ended))
    told(display, 0, at)
    assert bar(display, ALL).completed == display.before > 0


def test_only_some_of_many_trials_have_a_bar_and_ended_ones_make_room(display):
    for trial in range(30):
        told(display, trial, 1000)
    assert len(display.bars.tasks) <= BARS
    assert "arm-29-seed0" not in display.tasks
    told(display, 3, 400_000)
    told(display, 29, 2000)
    assert "arm-29-seed0" in display.tasks
    assert "arm-3-seed0" not in display.tasks
    assert len(display.bars.tasks) <= BARS
