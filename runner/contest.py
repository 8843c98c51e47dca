"""The arms of a run against one another: what became of their seeds, and what tells them apart."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import exp, inf, isfinite, log
from statistics import fmean
from typing import NamedTuple

from runner.comparison import Comparison, redraw_noise
from runner.metrics.score import Score
from runner.plan import Trial
from runner.race import LEAST, Mark, Race
from runner.results import Look, TrialResult
from runner.wording import listed

NOISES = 2  # redraws of the samples alone move distances so many standard deviations
FLOORS = 2  # this close to the floor the metric sees no difference from real images


class Tally(NamedTuple):
    """What became of an arm's seeds."""

    arm: str
    name: str
    planned: int
    results: tuple[TrialResult, ...]  # those that have begun and paused or ended, by seed
    finished: tuple[TrialResult, ...]  # with a score
    left: int | None  # real images after which it left the race
    behind: tuple[int, Mark]  # where it stands among the arms that never got to the end

    @property
    def logs(self) -> list[float]:
        return [log(max(r.score.value, LEAST)) for r in self.finished if r.score]

    @property
    def mean(self) -> float:
        return fmean(self.logs)

    @property
    def failed(self) -> bool:
        return len(self.finished) < len(self.ended)

    @property
    def ended(self) -> list[TrialResult]:
        """Those that will not go on by themselves: finished, or failed."""
        return [result for result in self.results if result.status != "paused"]

    @property
    def failures(self) -> Iterator[str]:
        """Each reason once, with the seeds that it stopped."""
        seeds: dict[str, list[str]] = {}
        finished = {result.trial.id for result in self.finished}
        for result in self.ended:
            if result.trial.id not in finished:
                # A trial that came to its end may still have produced nothing to measure.
                what: str = "no score" if result.status == "finished" else result.status
                why = f"{what}: {result.why}" if result.why else what
                seeds.setdefault(why, []).append(str(result.trial.seed))
        for why, those in seeds.items():
            which = self.results[0].trial.which.split()[0]
            yield f"{which}{'s' if len(those) > 1 else ''} {listed(those)}: {why}"


def tallied(race: Race, results: Sequence[TrialResult]) -> list[Tally]:
    """Arm by arm, in the order of the plan."""
    planned: dict[str, list[Trial]] = {}
    for trial in race.plan.trials:
        planned.setdefault(trial.arm, []).append(trial)
    ended: dict[str, list[TrialResult]] = {arm: [] for arm in planned}
    for result in sorted(results, key=lambda result: result.trial.seed):
        ended[result.trial.arm].append(result)
    return [tally(race, trials, ended[arm]) for arm, trials in planned.items()]


def tally(race: Race, planned: Sequence[Trial], own: Sequence[TrialResult]) -> Tally:
    """Of one arm."""
    arm = planned[0].arm
    finished = (r for r in own if r.status == "finished" and r.score and isfinite(r.score.value))
    left = race.left(arm)
    at = race.rung if left is None else left
    able = any(result.status == "paused" for result in own)
    return Tally(
        arm,
        planned[0].name,
        len(planned),
        tuple(own),
        tuple(finished),
        race.plan.rungs[left].budget if left is not None and able else None,
        (-at if able else 1, race.mark(arm, at)),
    )


class Contest:
    """The arms that have scores, lowest mean first, and those that left the race."""

    def __init__(self, race: Race, tallies: Sequence[Tally], floor: Score | None) -> None:
        self.race, self.tallies = race, tallies
        self.arms = sorted((each for each in tallies if each.logs), key=lambda each: each.mean)
        started = len(tallies) if race.plan.rungs[1:] else 0
        self.comparison = Comparison([each.logs for each in self.arms], started)
        scores = [result.score for each in self.arms for result in each.finished if result.score]
        self.noise = redraw_noise([[log(max(d, LEAST)) for d in s.draws] for s in scores])
        self.ground = log(max(FLOORS * floor.value, LEAST)) if floor else -inf
        self.metric = scores[0].metric if scores else "distance"
        self.leaders = [each for i, each in enumerate(self.arms) if not self.apart(i)]
        self.early = [each for each in tallies if each.left]
        self.near = [each for each in self.early if self.within_reach(each)]

    @cached_property
    def chances(self) -> tuple[float, ...] | None:
        return self.comparison.probabilities() if len(self.arms) > 1 else None

    def apart(self, arm: int) -> bool:
        """Whether an arm is told apart from the first, whatever might blur them."""
        return arm > 0 and not (self.redrawn(arm) or self.grounded(arm)) and self.resolved(arm)

    def gap(self, arm: int) -> float:
        return self.arms[arm].mean - self.arms[0].mean

    def resolved(self, arm: int) -> bool:
        return self.comparison.apart(0, arm)

    def redrawn(self, arm: int) -> bool:
        return self.gap(arm) <= NOISES * (self.noise or 0.0)

    def grounded(self, arm: int) -> bool:
        return self.arms[arm].mean <= self.ground

    def behind(self, early: Tally) -> float:
        """How far, in logs, an arm was behind the one that is first now, when it left the race."""
        rung = self.race.left(early.arm)
        if rung is None or not self.arms:
            return inf
        first = self.race.mark(self.arms[0].arm, rung)
        return self.race.mark(early.arm, rung).mean - first.mean

    def within_reach(self, early: Tally) -> bool:
        """Whether it may have left by chance, being as good as the one that is first now."""
        rung = self.race.left(early.arm)
        if rung is None:
            return False
        return self.behind(early) <= self.comparison.scatter(self.race.plan.rungs[rung].seeds)


def looked(each: Tally) -> tuple[float | None, float | None]:
    """The best look and the last, over the seeds that finished, or over all if none did."""
    taken = [result.looks for result in each.finished or each.results if result.looks]
    best = typical([min(looks, key=value_of) for looks in taken])
    return best, typical([looks[-1] for looks in taken])


def typical(looks: list[Look]) -> float | None:
    return exp(fmean(log(max(look.value, LEAST)) for look in looks)) if looks else None


def value_of(look: Look) -> float:
    return look.value
