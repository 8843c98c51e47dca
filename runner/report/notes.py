"""How to read a leaderboard: the sentences that stand below it."""

from collections.abc import Iterator

from runner.plan import RunPlan
from runner.report.words import held
from runner.results import Leaderboard
from runner.wording import figures, gap


def notes(plan: RunPlan, board: Leaderboard) -> Iterator[str]:
    things = "points" if plan.data.of_points else "images"
    yield from anchored(board, things)
    kind, trials = board.verdict.kind, "settings" if board.tries else "seeds"
    if kind in ("winner", "tie"):
        yield (
            f"Those that lead are not told apart from the lowest mean by these {trials}. Below "
            "them there is an order of means and no claim."
        )
    elif kind == "preview":
        yield "This is an order of means; nothing is claimed about who is better."
    if board.resolves:
        yield (
            "Intervals are Student's, on log scores over seeds. Between the first two, these seeds "
            f"resolve gaps of {gap(board.resolves)}."
        )
    if any(each.best is not None for each in board.standings):
        yield (
            "Best is how probably an arm's true mean is the lowest, given the seeds that finished. "
            "It is a number to read and not a test: ties are decided by the intervals of "
            "differences, for all pairs at once."
        )
    yield (
        "The ranking rests on the score at the end of the budget. The best of many looks flatters: "
        "the lowest of several noisy numbers is low partly by luck. Looks are the same distance on "
        f"{plan.measurement.look_n:,} {things}, so they compare with one another only. Shown is the "
        "mean over seeds."
    )


def anchored(board: Leaderboard, things: str) -> Iterator[str]:
    """What the numbers are held against."""
    first = next((each for each in board.standings if each.mean is not None), None)
    if board.floor:
        says = (
            f"The floor is {figures(board.floor.value)}: training {things} held against held-out "
            "ones, as samples are. A perfect generator would score about that"
        )
        if first and first.mean is not None and board.floor.value > 0:
            times = figures(first.mean / board.floor.value, 2)
            says += f"; {first.name} is at {times} times the floor"
        yield f"{says}."
    if board.anchors:
        known = held(board, points=things == "points")[1 if board.floor else 0 :]
        those = (f"{name} {figures(score.value)}" for name, score in known)
        yield f"What nobody had to learn, by the same measure: {'; '.join(those)}."
