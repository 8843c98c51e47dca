"""Successive halving: all arms start, those far behind leave early, and the control arm stays."""

from collections.abc import Mapping, Sequence
from math import ceil, inf, isfinite, log
from statistics import fmean
from typing import NamedTuple

from runner.plan import Rung, RunPlan, Task
from runner.results import TrialResult

FIRST = 0.1  # of the budget: later ranks show there, and at a fiftieth they do not
STEPS = 2  # rungs before the last one
THIRD = 3  # of the arms go on: one in so many
ENOUGH = 3  # arms and fewer all train to the end
LEAST = 1e-6  # rounding may carry the distance of a perfect copy below zero


def ladder(
    arms: int, budget: int, seeds: int, *, first: float = FIRST, steps: int = STEPS
) -> tuple[Rung, ...]:
    """Rungs at even ratios from `first` of the budget to the whole; every third arm goes on.

    Every rung has all the seeds: what a single one ranks is luck as much as merit. The default is
    the best of those replayed on published curves (tests/benchmarks/halving.py).
    """
    last = Rung(budget=budget, seeds=seeds, keep=None)
    if arms <= ENOUGH:
        return (last,)
    rungs: list[Rung] = []
    for step in range(steps):
        arms = max(2, ceil(arms / THIRD))
        share = first ** (1 - step / steps)
        rungs.append(Rung(budget=max(1, round(budget * share)), seeds=seeds, keep=arms))
    return (*rungs, last)


def with_budget(plan: RunPlan, budget: int) -> RunPlan:
    """The same plan on another scale."""
    rungs = tuple(
        rung.model_copy(update={"budget": max(1, round(rung.budget * budget / plan.budget))})
        for rung in plan.rungs
    )
    trials = tuple(trial.model_copy(update={"budget": budget}) for trial in plan.trials)
    return plan.model_copy(update={"budget": budget, "rungs": rungs, "trials": trials})


class Mark(NamedTuple):
    """How an arm stands at the end of a rung: the lower, the better."""

    failed: int  # seeds that did not get there
    mean: float  # of the logarithms of the others' distances; infinite: there are none


def promoted(marks: Mapping[str, Mark], keep: int, control: str | None) -> tuple[str, ...]:
    """The best `keep` arms, and the control arm wherever it stands; an arm without a mark never.

    An arm that failed on a seed stands behind those that failed on fewer.
    """
    able = [arm for arm, mark in marks.items() if isfinite(mark.mean)]
    best = sorted(able, key=lambda arm: marks[arm])[:keep]
    return tuple(arm for arm in able if arm in best or arm == control)


class Race:
    """Where a plan stands, worked out from the results alone: nothing else needs to be kept."""

    def __init__(self, plan: RunPlan, results: Sequence[TrialResult]) -> None:
        self.plan = plan
        self.results = {each.trial.id: each for each in results}
        self.trials = {(each.arm, each.seed): each.id for each in plan.trials}
        self.entrants: list[tuple[str, ...]] = [plan.arms]  # of each rung that has begun
        for index, rung in enumerate(plan.rungs[:-1]):
            if rung.keep is None or self.tasks(index):
                break
            marks = {arm: self.mark(arm, index) for arm in self.entrants[index]}
            self.entrants.append(promoted(marks, rung.keep, plan.control))

    @property
    def rung(self) -> int:
        """The one that is being run, or the last."""
        return len(self.entrants) - 1

    @property
    def over(self) -> bool:
        return self.rung == len(self.plan.rungs) - 1 and not self.tasks(self.rung)

    def tasks(self, index: int) -> list[Task]:
        """What still has to get to the end of a rung, seed by seed.

        So a race that is cut short has seen every arm.
        """
        rung = self.plan.rungs[index]
        trials = (
            self.trials[arm, seed]
            for seed in self.plan.seeds[: rung.seeds]
            for arm in self.entrants[index]
        )
        return [Task(each, index, rung.budget) for each in trials if not self.passed(each, rung)]

    def passed(self, trial: str, rung: Rung) -> bool:
        result = self.results.get(trial)
        return result is not None and result.passed(rung.budget)

    def mark(self, arm: str, index: int) -> Mark:
        """From the cheap looks at the end of the rung."""
        rung = self.plan.rungs[index]
        trials = (self.trials[arm, seed] for seed in self.plan.seeds[: rung.seeds])
        ran = [self.results[each] for each in trials if each in self.results]
        values = [look.value for r in ran for look in r.looks if look.images_seen == rung.budget]
        logs = [log(max(value, LEAST)) for value in values if isfinite(value)]
        return Mark(len(ran) - len(logs), fmean(logs) if logs else inf)

    def left(self, arm: str) -> int | None:
        """The rung at whose end an arm did not go on; None: it is in the last one, or still may."""
        for index, those in enumerate(self.entrants[1:]):
            if arm not in those:
                return index
        return None
