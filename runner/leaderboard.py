"""Trials in, ranking out: an order always, a claim only where the seeds bear it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, inf, isfinite, log
from statistics import fmean
from types import MappingProxyType
from typing import NamedTuple

from runner.comparison import Comparison, redraw_noise
from runner.metrics.score import Score, distance_name
from runner.plan import RunPlan
from runner.race import LEARNT, LEAST, Mark, Race, race_of
from runner.results import Leaderboard, Look, Standing, TrialResult, Verdict
from runner.wording import below, counted, figures, gap, images, listed

NOTHING: Mapping[str, Score] = MappingProxyType({})
SEEDS = 3  # finished ones of every leading arm, before anything is claimed
NOISES = 2  # redraws of the samples alone move distances so many standard deviations
FLOORS = 2  # this close to the floor the metric sees no difference from real images


def rank(
    plan: RunPlan,
    results: Sequence[TrialResult],
    floor: Score | None,
    control: str | None,
    anchors: Mapping[str, Score] = NOTHING,
) -> Leaderboard:
    """Arms by mean log score over seeds, those that cannot be told from the first as ties.

    Raises ValueError where scores are of unlike protocol or results are not of this plan.
    """
    check(plan, results, floor)
    race = race_of(plan, results, anchors)
    tallies = [tally(race, arm, results) for arm in plan.arms]
    scored = sorted((each for each in tallies if each.logs), key=lambda each: each.mean)
    started = len(plan.arms) if plan.rungs[1:] else 0
    contest = Contest(scored, floor, Comparison([each.logs for each in scored], started))
    leaders = [scored[i] for i in range(len(scored)) if not contest.apart(i)]
    complete = race.over
    verdict = judge(contest, leaders, tallies, race)
    order = [
        *sorted(leaders, key=lambda each: (each.failed, each.mean)),
        *sorted((e for e in scored if e not in leaders), key=lambda each: (each.failed, each.mean)),
        *sorted((e for e in tallies if not e.logs), key=lambda each: each.behind),
    ]
    resolves = contest.comparison.margin(0, 1) if len(scored) > 1 else inf
    return Leaderboard(
        metric=next(iter(metrics(results, floor)), distance_name(plan.measurement.features)),
        look_metric=next((r.look_metric for r in results if r.look_metric), None),
        standings=tuple(
            standing(each, place, contest, leaders, verdict, control)
            for place, each in enumerate(order, 1)
        ),
        verdict=verdict,
        floor=floor,
        anchors=dict(anchors),
        resolves=exp(resolves) if isfinite(resolves) else None,
        redraw_noise=contest.noise,
        cautions=tuple(cautions(contest, leaders, tallies, floor, anchors, control, race)),
        complete=complete,
    )


def check(plan: RunPlan, results: Sequence[TrialResult], floor: Score | None) -> None:
    planned = {trial.id: trial for trial in plan.trials}
    for result in results:
        if planned.get(result.trial.id) != result.trial:
            raise ValueError(f"{result.trial.id} is no trial of this plan, or one changed since")
    if len({result.trial.id for result in results}) < len(results):
        raise ValueError("a trial has more than one result")
    scores = [result.score for result in results if result.score]
    if len({score.protocol for score in [*scores, *([floor] if floor else [])]}) > 1:
        unlike = listed(sorted(metrics(results, floor)))
        raise ValueError(f"scores of unlike protocol do not compare ({unlike})")


def metrics(results: Sequence[TrialResult], floor: Score | None) -> dict[str, None]:
    scores = [*(result.score for result in results), floor]
    return dict.fromkeys(score.metric for score in scores if score)


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
        for result in self.ended:
            if result not in self.finished:
                # A trial that came to its end may still have produced nothing to measure.
                what = "no score" if result.status == "finished" else result.status
                why = f"{what}: {result.why}" if result.why else what
                seeds.setdefault(why, []).append(str(result.trial.seed))
        for why, those in seeds.items():
            yield f"seed{'s' if len(those) > 1 else ''} {listed(those)}: {why}"


def tally(race: Race, arm: str, results: Sequence[TrialResult]) -> Tally:
    planned = [trial for trial in race.plan.trials if trial.arm == arm]
    own = sorted((r for r in results if r.trial.arm == arm), key=lambda result: result.trial.seed)
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
    """The arms that have scores, lowest mean first, and what tells them apart."""

    def __init__(self, arms: list[Tally], floor: Score | None, comparison: Comparison) -> None:
        self.arms, self.comparison = arms, comparison
        scores = [result.score for each in arms for result in each.finished if result.score]
        self.noise = redraw_noise([[log(max(d, LEAST)) for d in s.draws] for s in scores])
        self.ground = log(max(FLOORS * floor.value, LEAST)) if floor else -inf
        self.metric = scores[0].metric if scores else "distance"
        self.chances = comparison.probabilities() if len(arms) > 1 else None

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


def judge(contest: Contest, leaders: list[Tally], tallies: list[Tally], race: Race) -> Verdict:
    if not leaders:
        says = "No trial finished, so there is nothing to rank."
        if not race.over:
            says = f"Nothing to rank yet: {on_the_way(tallies, race)}."
        return Verdict(kind="nothing", arms=(), says=says)
    if why := unripe(leaders, tallies, race):
        first = contest.arms[0]
        lowest = f"{first.name} has the lowest mean {contest.metric}, {figures(exp(first.mean))}"
        says = f"A preview without a winner: {lowest}, but {why}."
        return Verdict(kind="preview", arms=(first.arm,), says=says)
    if len(leaders) == 1:
        early = any(each.left for each in tallies)
        return Verdict(kind="winner", arms=(leaders[0].arm,), says=won(contest, early=early))
    arms = tuple(each.arm for each in leaders)
    return Verdict(kind="tie", arms=arms, says=tied(contest, leaders))


def on_the_way(tallies: list[Tally], race: Race) -> str:
    if race.plan.rungs[1:]:
        at = images(race.plan.rungs[race.rung].budget)
        to_go = counted(len(race.tasks(race.rung)), "trial")
        return f"{to_go} of rung {race.rung + 1} of {len(race.plan.rungs)}, to {at} images, to go"
    ended, planned = sum(len(e.ended) for e in tallies), sum(e.planned for e in tallies)
    return f"only {ended} of {planned} trials have ended"


def unripe(leaders: list[Tally], tallies: list[Tally], race: Race) -> str | None:
    """Why nothing may be claimed yet."""
    if not race.over:
        return on_the_way(tallies, race)
    if len(tallies) == 1:
        return "it was the only arm to be trained"
    few = [each for each in leaders if len(each.finished) < SEEDS]
    if not few or len(leaders) - len(few) > 1:
        return None  # two that may claim and are not told apart tie, whatever a third does
    if all(not each.failed for each in few):
        most = max(len(each.finished) for each in few)
        return f"{counted(most, 'seed')} an arm cannot tell luck from merit; a claim takes {SEEDS}"
    each = next(each for each in few if each.failed)
    finished = f"{len(each.finished)} of {counted(len(each.ended), 'seed')}"
    return f"a claim takes {SEEDS} finished seeds of every leading arm: {each.name} has {finished}"


def won(contest: Contest, *, early: bool) -> str:
    """Where arms left early, nothing is claimed of them."""
    first = contest.arms[0]
    seeds = counted(len(first.finished), "seed")
    interval = contest.comparison.interval(0)
    those = f" among the {len(contest.arms)} arms that got to the end" if early else ""
    says = f"{first.name} wins{those} with a mean {contest.metric} of {figures(exp(first.mean))}"
    if interval:
        says += f" (95 %: {figures(exp(interval[0]))} to {figures(exp(interval[1]))})"
    says += f" over {seeds}"
    if len(contest.arms) == 1:
        return f"{says}: it is the only arm that finished."
    second = contest.arms[1]
    resolves = gap(exp(contest.comparison.margin(0, 1)))
    return f"{says}, {below(contest.gap(1))} {second.name}; these seeds resolve gaps of {resolves}."


def tied(contest: Contest, leaders: list[Tally]) -> str:
    says = f"No single winner: {listed([named(each) for each in leaders])} tie"
    second = contest.arms.index(leaders[1])
    if contest.grounded(second):
        return f"{says}, since this metric can hardly tell them from real images any more."
    if contest.resolved(second):
        return f"{says}, since drawing other samples moves their distances as much as they differ."
    resolves = gap(exp(contest.comparison.margin(0, second)))
    says += f"; these seeds resolve gaps of {resolves}, and the first two are "
    says += f"{gap(exp(contest.gap(second)))} apart"
    needed = contest.comparison.seeds_needed(0, second)
    if needed is None:
        return f"{says}, too close for any practical number of seeds."
    more = max(1, needed - min(len(leaders[0].finished), len(leaders[1].finished)))
    return (
        f"{says}: about {counted(more, 'more seed')} of each would settle it, if that gap is real."
    )


def named(each: Tally) -> str:
    if len(each.finished) >= SEEDS:
        return each.name
    return f"{each.name} (of which {len(each.finished)} of {len(each.ended)} seeds finished)"


def standing(
    each: Tally,
    place: int,
    contest: Contest,
    leaders: list[Tally],
    verdict: Verdict,
    control: str | None,
) -> Standing:
    at = contest.arms.index(each) if each.logs else None
    interval = None if at is None else contest.comparison.interval(at)
    seconds = sum(result.seconds for result in each.results)
    best, last = looked(each)
    return Standing(
        arm=each.arm,
        name=each.name,
        # Ties share the first place; a preview claims neither ties nor a winner.
        rank=1 if verdict.kind == "tie" and each in leaders else place,
        leader=each in leaders,
        seeds=tuple(result.trial.seed for result in each.finished),
        scores=tuple(result.score.value for result in each.finished if result.score),
        mean=exp(each.mean) if each.logs else None,
        low=exp(interval[0]) if interval else None,
        high=exp(interval[1]) if interval else None,
        best=contest.chances[at] if at is not None and contest.chances else None,
        truth=means(result.truth for result in each.finished),
        secondary=means(result.score.secondary for result in each.finished if result.score),
        left=each.left,
        best_look=best,
        last_look=last,
        finished=len(each.finished),
        tried=len(each.results),
        failures=tuple(each.failures),
        images_per_second=sum(r.images_seen for r in each.results) / seconds if seconds else 0.0,
        seconds=seconds,
        control=each.arm == control,
    )


def means(measured: Iterable[dict[str, float]]) -> dict[str, float]:
    """Over seeds, of those that have the measure."""
    values: dict[str, list[float]] = {}
    for each in measured:
        for name, value in each.items():
            values.setdefault(name, []).append(value)
    return {name: fmean(those) for name, those in values.items()}


def looked(each: Tally) -> tuple[float | None, float | None]:
    """The best look and the last, over the seeds that finished, or over all if none did."""
    taken = [result.looks for result in each.finished or each.results if result.looks]
    best = typical([min(looks, key=value_of) for looks in taken])
    return best, typical([looks[-1] for looks in taken])


def typical(looks: list[Look]) -> float | None:
    return exp(fmean(log(max(look.value, LEAST)) for look in looks)) if looks else None


def value_of(look: Look) -> float:
    return look.value


def cautions(
    contest: Contest,
    leaders: list[Tally],
    tallies: list[Tally],
    floor: Score | None,
    anchors: Mapping[str, Score],
    control: str | None,
    race: Race,
) -> Iterator[str]:
    scores = [result.score for each in tallies for result in each.finished if result.score]
    yield from dict.fromkeys(caution for score in scores for caution in score.cautions)
    planned = max(each.planned for each in tallies)
    if planned < SEEDS and not race.over:  # later the verdict says it
        yield f"{counted(planned, 'seed')} an arm give an order only: a claim takes {SEEDS}."
    if contest.comparison.uneven:
        yield (
            "Some arms scatter far more over their seeds than others: each interval rests on its "
            "arm's own seeds alone, and arms are compared by Games and Howell's test, not Tukey's."
        )
    if floor and contest.arms and contest.grounded(0):
        yield (
            f"{contest.arms[0].name} is within {FLOORS} times the floor: this metric hardly tells "
            "its samples from real images, and arms down there are ties."
        )
    if contest.arms and "noise" in anchors:
        noise = anchors["noise"].value
        if contest.arms[0].mean > log(LEARNT * noise):
            yield (
                f"Nobody has learnt much yet: images by chance are at {figures(noise)}. Such a "
                "ranking says little about what more training would give; use a larger --budget."
            )
    yield from flattered(contest)
    yield from departed(contest, tallies, race)
    anchor = next((each for each in tallies if each.arm == control), None)
    if contest.arms and anchor and anchor.results and not anchor.logs:
        yield f"The control arm, {anchor.name}, never finished: the ranking lacks its anchor."
    elif anchor in leaders:
        says = "no candidate was told apart from it"
        yield f"The control arm, {anchor.name}, is among the leaders: {says}."


def flattered(contest: Contest) -> Iterator[str]:
    """Where the best of several looks lies lower than drawing other samples explains."""
    those = []
    for each in contest.arms:
        best, last = looked(each)
        if best and last and log(last / best) > NOISES * (contest.noise or 0.0):
            those.append(f"{each.name}'s is {below(log(last / best))} its last")
    if those:
        yield (
            f"The best of several looks flatters, being picked by its own number: {listed(those)}. "
            "The ranking goes by the end of the budget."
        )


def departed(contest: Contest, tallies: list[Tally], race: Race) -> Iterator[str]:
    """Who left the race early, and who of them may yet be as good as the first."""
    early = [each for each in tallies if each.left]
    if not early:
        return
    told, near = [], []
    for each in early:
        says = f"{each.name} after {images(each.left or 0)}"
        at = race.left(each.arm)
        if contest.arms and at is not None:
            first = contest.arms[0]
            behind = race.mark(each.arm, at).mean - race.mark(first.arm, at).mean
            says += f" ({gap(exp(behind))} behind {first.name})" if behind > 0 else ""
            if behind <= contest.comparison.scatter(race.plan.rungs[at].seeds):
                near.append(each.name)
        told.append(says)
    says = f"Out of the race early: {listed(told)} of {images(race.plan.budget)} images. "
    if near:
        says += f"Seeds scatter enough for {listed(near)} to be as good. "
    else:
        says += "They might have caught up. "
    yield f"{says}--no-halving trains every arm to the end."
