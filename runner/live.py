"""A run while it goes on, seen from outside: what its folder tells, and nothing is written to it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from knowledge.files import write_whole
from knowledge.schema import Record
from runner.execute import folder_of, results
from runner.held import held_against
from runner.kept import Foreign, looks_in
from runner.plan import RunPlan, Trial
from runner.prepare import RunError
from runner.race import Race, race_of
from runner.results import Look
from runner.settle import stored
from runner.trial import Event

EVERY = 1.0  # seconds between two signs of life, at the least
SILENCE = 60.0  # seconds after which nobody may be at work any more


class Doing(Record):
    """What a trial was doing when it last said something."""

    what: str  # "training", "looking", "measuring"
    images_seen: int
    images_per_second: float
    at: float  # seconds since 1970


class Signs(Record):
    """live.json: the last signs of life of a run."""

    at: float
    trials: dict[str, Doing] = Field(default_factory=dict)


class Journal:
    """Hears what trials tell, passes it on, and leaves signs of life in the folder of the run."""

    def __init__(self, folder: Path, pass_on: Callable[[Event], None]) -> None:
        self.path, self.pass_on = folder / "live.json", pass_on
        self.trials: dict[str, Doing] = {}
        self.written = 0.0

    def __call__(self, event: Event) -> None:
        now = time.time()
        before = self.trials.get(event.trial)
        pace = event.images_per_second or (before.images_per_second if before else 0.0)
        self.trials[event.trial] = Doing(
            what=event.what, images_seen=event.images_seen, images_per_second=pace, at=now
        )
        if now - self.written > EVERY:
            self.written = now
            signs = Signs(at=now, trials=self.trials)
            with contextlib.suppress(OSError):  # a run does not end for want of its signs
                write_whole(self.path, signs.model_dump_json(indent=1))
        self.pass_on(event)


class Row(NamedTuple):
    """A trial as it stands."""

    trial: Trial
    state: str  # "waiting", "training", "paused", "left the race", "finished", "diverged", ...
    images_seen: int
    goal: int  # at the end of this rung; of what has ended: where it got to
    images_per_second: float
    look: Look | None  # the last one
    why: str | None = None  # of a failure


class State(NamedTuple):
    plan: RunPlan
    race: Race
    rows: tuple[Row, ...]
    silence: float | None  # seconds since the last sign of life; None: there never was one
    seconds_left: float | None  # of this rung; None: nobody can tell

    @property
    def over(self) -> bool:
        return self.race.over

    @property
    def at_work(self) -> bool:
        return not self.over and self.silence is not None and self.silence < SILENCE


def state_of(folder: Path) -> State:
    """Raises RunError where there is no run, or one of another version."""
    if not (folder / "plan.json").exists():
        raise RunError(f"{folder} holds no run")
    plan = stored(RunPlan, folder / "plan.json")
    race = race_of(plan, results(folder, plan.trials), held_against(folder / "anchors.json"))
    signs = signs_in(folder)
    goals = {task.trial: task.budget for task in race.tasks(race.rung)}
    rows = tuple(row(folder, trial, race, goals, signs) for trial in plan.trials)
    silence = max(0.0, time.time() - signs.at) if signs else None
    return State(plan, race, rows, silence, time_left(rows, goals))


def signs_in(folder: Path) -> Signs | None:
    try:
        return Signs.model_validate_json((folder / "live.json").read_bytes())
    except (OSError, ValidationError):
        return None


def row(folder: Path, trial: Trial, race: Race, goals: dict[str, int], signs: Signs | None) -> Row:
    result = race.results.get(trial.id)
    looks = result.looks if result else ()
    if trial.id in goals:
        doing = signs.trials.get(trial.id) if signs else None
        behind = result.images_seen if result else 0
        if doing is None or doing.images_seen <= behind:
            return Row(trial, "waiting", behind, goals[trial.id], 0.0, last(looks))
        looks = looks_on_the_way(folder, trial) or looks
        seen = min(doing.images_seen, goals[trial.id])
        pace = doing.images_per_second
        return Row(trial, doing.what, seen, goals[trial.id], pace, last(looks))
    if result is None:
        return Row(trial, "not begun", 0, 0, 0.0, None)
    state: str = result.status
    if state == "paused" and race.left(trial.arm) is not None:
        state = LEFT
    seen = result.images_seen
    return Row(trial, state, seen, seen, result.images_per_second, last(looks), result.why)


def looks_on_the_way(folder: Path, trial: Trial) -> tuple[Look, ...]:
    with contextlib.suppress(Foreign, OSError):
        return looks_in(folder_of(folder, trial), trial)
    return ()


def last(looks: tuple[Look, ...]) -> Look | None:
    return looks[-1] if looks else None


def time_left(rows: tuple[Row, ...], goals: dict[str, int]) -> float | None:
    """Of a rung: what is left of it, at the pace of those that train now."""
    pace = sum(each.images_per_second for each in rows if each.state in ACTIVE)
    left = sum(each.goal - each.images_seen for each in rows if each.trial.id in goals)
    return left / pace if pace else None


LEFT = "left the race"
ACTIVE = ("training", "looking", "measuring")


def watching(folder: Path, every: float) -> Iterator[State]:
    """Until it is over. Raises RunError."""
    while True:
        state = state_of(folder)
        yield state
        if state.over:
            return
        time.sleep(every)
