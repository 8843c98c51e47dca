"""Successive halving: all arms start, those far behind leave early, and the control arm stays."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite, log
from statistics import fmean
from typing import NamedTuple

from runner.metrics import Score
from runner.plan import Rung, RunPlan, Task
from runner.results import TrialResult

ENOUGH = 3  # arms and fewer all train to the end
LEARNT = 0.5  # of the distance of noise: whoever is above that has learnt nothing yet
BLURRED = 0.1  # of the distance of noise: nearer than that, blurring hardly changes images
UNLEARNT = (
    30_000  # real images: of Fashion-MNIST somebody had learnt enough by then, nobody by 18,000
)
LEAST = 1e-6  # rounding may carry the distance of a perfect copy below zero


class Early(NamedTuple):
    """A rung before the last one, in shares of what a race to the end without rungs would take."""

    budget: float
    seeds: float
    keep: float  # of the arms, the control arm among them


EARLY = (Early(0.2, 1 / 3, 0.5), Early(0.3, 2 / 3, 0.3))


def ladder(
    arms: int, budget: int, seeds: int, *, control: bool = True, early: Sequence[Early] = EARLY
) -> tuple[Rung, ...]:
    """Half of the arms go on after a fifth of the budget, three in ten to the end after 0.3 of it.

    The control arm is one of them. Of three seeds the first rung has one and the second two, since
    a later look tells more than another seed does. Replayed on published curves, races of seven
    keep the winner in 70 of 100 and lose 2 % of its FID in the mean, for 37 % of all images; two
    arms chosen by three seeds at a tenth cost as much, keep it in 35 and lose 23 %
    (docs/how-fair-is-the-race.md).
    """
    last = Rung(budget=budget, seeds=seeds, keep=None)
    if arms <= ENOUGH:
        return (last,)
    rungs = (
        Rung(
            budget=max(1, round(budget * rung.budget)),
            seeds=max(1, round(seeds * rung.seeds)),
            keep=max(round(arms * rung.keep), least) - control,
        )
        for rung, least in zip(early, range(len(early) + 1, 1, -1), strict=True)
    )
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
    """The best `keep` arms, and the control arm beside them; an arm without a mark never.

    An arm that failed on a seed stands behind those that failed on fewer.
    """
    able = [arm for arm, mark in marks.items() if isfinite(mark.mean)]
    rivals = (arm for arm in able if arm != control)
    best = sorted(rivals, key=lambda arm: marks[arm])[:keep]
    return tuple(arm for arm in able if arm in best or arm == control)


class Race:
    """Where a plan stands, worked out from the results alone: nothing else needs to be kept."""

    def __init__(
        self, plan: RunPlan, results: Sequence[TrialResult], bar: float | None = None
    ) -> None:
        """`bar` is a distance: while nobody is nearer than that, all go on."""
        self.plan, self.bar = plan, bar
        self.results = {each.trial.id: each for each in results}
        self.trials = {(each.arm, each.seed): each.id for each in plan.trials}
        self.entrants: list[tuple[str, ...]] = [plan.arms]  # of each rung that has begun
        for index, rung in enumerate(plan.rungs[:-1]):
            if rung.keep is None or self.tasks(index):
                break
            marks = {arm: self.mark(arm, index) for arm in self.entrants[index]}
            keep = rung.keep if self.learnt(marks) else len(marks)
            self.entrants.append(promoted(marks, keep, plan.control))

    def learnt(self, marks: Mapping[str, Mark]) -> bool:
        """Whether anybody has learnt enough for ranks to mean anything."""
        best = min((mark.mean for mark in marks.values()), default=inf)
        return self.bar is None or best < log(self.bar)

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


def race_of(plan: RunPlan, results: Sequence[TrialResult], anchors: Mapping[str, Score]) -> Race:
    """With what was measured of images that nobody had to learn."""
    return Race(plan, results, bar_of(anchors))


def bar_of(anchors: Mapping[str, Score]) -> float | None:
    """The distance that somebody has to be nearer than before ranks mean anything.

    Half of that of images by chance, and that of blurred real images where blurring moves them:
    before, those lead that begin fast. On Fashion-MNIST the arm that was best at 60,000 images
    stood fourth of seven at 18,000, where the first was not as near as blurred images, and level
    with the first at 30,000, where it was.
    """
    if "noise" not in anchors:
        return None
    noise = anchors["noise"].value
    blur = anchors["blur"].value if "blur" in anchors else inf
    return min(LEARNT * noise, blur if blur > BLURRED * noise else inf)
