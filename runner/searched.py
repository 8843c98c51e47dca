"""Ranking arms by what several settings of each reach, and not by the luckiest draw."""

from collections.abc import Sequence
from math import inf, isfinite

from runner.plan import RunPlan
from runner.results import Leaderboard, Outcome, Searched, Standing, TrialResult, Tried, Verdict
from runner.search import Best, beats, best_of, told_apart
from runner.wording import counted, figures, listed

FEW = 5  # drawn settings of each arm, below which a search is a preview


def by_settings(plan: RunPlan, board: Leaderboard, results: Sequence[TrialResult]) -> Leaderboard:
    """The board of a run whose trials are settings: ordered by what half of them may be worth.

    Arms stand in the order of the median distance of the best of so many tries, a quarter of those
    that were drawn. The published setting is no random draw: it stands beside them and ranks nothing.
    Arms are told apart by the ranks of all their drawn settings (runner.search.told_apart).
    """
    ended = {(each.trial.arm, each.trial.seed): each for each in results}
    arms = {arm: searched(plan, arm, ended) for arm in plan.arms}
    # Of half of the settings every other draw holds the luckiest one: a quarter leans on more.
    tries = max(1, (len(plan.seeds) - 1) // 4)
    distances = {arm: [value_of(t) for t in each.drawn] for arm, each in arms.items()}
    complete = board.complete
    order = sorted(plan.arms, key=lambda arm: (at(arms[arm], tries).median, arms[arm].median))
    worse = {other for one, other in told_apart(distances) if one == order[0]} if complete else ()
    alive = [arm for arm in order if any(isfinite(value) for value in distances[arm])]
    leaders = [arm for arm in alive if arm not in worse]
    verdict = judged(plan, arms, distances, leaders, alive, tries, complete=complete)
    known = {each.arm: each for each in board.standings}
    standings = tuple(
        standing(known[arm], arms[arm], place, leaders, verdict, tries)
        for place, arm in enumerate(order, 1)
    )
    cautions = [says for says in board.cautions if "are few for" in says]
    if len(plan.seeds) - 1 < FEW:
        cautions.append(
            f"{counted(len(plan.seeds) - 1, 'drawn setting')} of each candidate: wide ranges hold "
            "many bad settings, and the intervals say so."
        )
    return board.model_copy(
        update={
            "standings": standings,
            "verdict": verdict,
            "cautions": tuple(cautions),
            "resolves": None,
            "tries": tries,
            "search": tuple(arms[arm] for arm in order),
        }
    )


def searched(plan: RunPlan, arm: str, ended: dict[tuple[str, int], TrialResult]) -> Searched:
    trials = [trial for trial in plan.trials if trial.arm == arm]
    tried = []
    for trial in trials:
        result = ended.get((arm, trial.seed))
        score = result.score.value if result and result.score else None
        failure = result.status if result and score is None and result.status != "paused" else None
        tried.append(
            Tried(setting=trial.seed, says=trial.setting or "", distance=score, failure=failure)
        )
    made = [each for each in tried[1:] if each.distance is not None or each.failure]
    best = tuple(outcome(each) for each in best_of([value_of(each) for each in made]))
    return Searched(arm=arm, name=trials[0].name, tried=tuple(tried), best=best)


def value_of(tried: Tried) -> float:
    return inf if tried.distance is None else tried.distance


def outcome(best: Best) -> Outcome:
    return Outcome(
        draws=best.draws,
        expected=known(best.expected),
        median=known(best.median),
        low=best.low,
        high=known(best.high),
    )


def known(value: float) -> float | None:
    """JSON has no infinity."""
    return value if isfinite(value) else None


def at(arm: Searched, tries: int) -> Best:
    """What the best of so many tries is worth; infinite where fewer were made, or all failed."""
    if len(arm.best) < tries:
        return Best(tries, inf, inf, 0.0, inf)
    found = arm.best[tries - 1]
    return Best(
        tries, infinite(found.expected), infinite(found.median), found.low, infinite(found.high)
    )


def infinite(value: float | None) -> float:
    return inf if value is None else value


def standing(
    before: Standing,
    arm: Searched,
    place: int,
    leaders: list[str],
    verdict: Verdict,
    tries: int,
) -> Standing:
    reached = at(arm, tries)
    lead = before.arm in leaders
    return before.model_copy(
        update={
            "rank": 1 if verdict.kind == "tie" and lead else place,
            "leader": lead,
            "mean": known(reached.median),
            "low": reached.low or None,
            "high": known(reached.high),
            "best": None,
        }
    )


def judged(
    plan: RunPlan,
    arms: dict[str, Searched],
    distances: dict[str, list[float]],
    leaders: list[str],
    alive: list[str],
    tries: int,
    *,
    complete: bool,
) -> Verdict:
    if not alive:
        says = "No drawn setting finished, so there is nothing to rank."
        return Verdict(kind="nothing", arms=(), says=says)
    first = alive[0]
    reached = figures(at(arms[first], tries).median)
    best = f"the best of {tries} settings" if tries > 1 else "a setting"
    what = f"{best} of {arms[first].name} is at {reached} or below half of the time"
    if not complete:
        tried = [each for arm in arms.values() for each in arm.tried]
        ended = sum(each.distance is not None or each.failure is not None for each in tried)
        says = f"A preview without a winner: {what}, but only {ended} of {len(plan.trials)} "
        return Verdict(kind="preview", arms=(first,), says=f"{says}trials have ended.")
    drawn = len(plan.seeds) - 1
    if drawn < FEW or len(alive) == 1:
        few = f"{counted(drawn, 'drawn setting')} of each candidate bear no claim"
        why = few if len(alive) > 1 else "nothing else finished"
        return Verdict(kind="preview", arms=(first,), says=f"A preview: {what}; {why}.")
    if len(leaders) == 1:
        second = alive[1]
        chance = beats(distances[first], distances[second])
        says = (
            f"{arms[first].name} wins over its settings: {what}, and a setting of it drawn at "
            f"random beats one of {arms[second].name} {100 * chance:.0f} % of the time."
        )
        return Verdict(kind="winner", arms=(first,), says=says)
    names = listed([arms[arm].name for arm in leaders])
    says = f"No single winner: over {counted(drawn, 'drawn setting')} each, {names} tie; {what}."
    return Verdict(kind="tie", arms=tuple(leaders), says=says)
