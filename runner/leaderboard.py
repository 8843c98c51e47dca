"""Trials in, ranking out: an order always, a claim only where the seeds bear it."""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, inf, isfinite
from statistics import fmean
from types import MappingProxyType

from runner.cautions import cautions
from runner.contest import Contest, Tally, looked, tallied
from runner.metrics.score import Score, distance_name
from runner.plan import RunPlan
from runner.race import race_of
from runner.results import Leaderboard, Standing, TrialResult, Verdict
from runner.searched import by_settings
from runner.verdict import judge
from runner.wording import listed

NOTHING: Mapping[str, Score] = MappingProxyType({})


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
    contest = Contest(race, tallied(race, results), floor)
    verdict = judge(contest)
    leaders, rest = contest.leaders, [e for e in contest.arms if e not in contest.leaders]
    order = [
        *sorted(leaders, key=lambda each: (each.failed, each.mean)),
        *sorted(rest, key=lambda each: (each.failed, each.mean)),
        *sorted((e for e in contest.tallies if not e.logs), key=lambda each: each.behind),
    ]
    resolves = contest.comparison.margin(0, 1) if len(contest.arms) > 1 else inf
    board = Leaderboard(
        metric=next(iter(metrics(results, floor)), distance_name(plan.measurement.features)),
        look_metric=next((r.look_metric for r in results if r.look_metric), None),
        standings=tuple(
            standing(each, place, contest, verdict, control) for place, each in enumerate(order, 1)
        ),
        verdict=verdict,
        floor=floor,
        anchors=dict(anchors),
        resolves=exp(resolves) if isfinite(resolves) else None,
        redraw_noise=contest.noise,
        cautions=tuple(cautions(contest, floor, anchors, control)),
        complete=race.over,
    )
    return by_settings(plan, board, results) if plan.search else board


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


def standing(
    each: Tally,
    place: int,
    contest: Contest,
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
        rank=1 if verdict.kind == "tie" and each in contest.leaders else place,
        leader=each in contest.leaders,
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
