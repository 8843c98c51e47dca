"""What a reader of a ranking ought to know beside it."""

from collections.abc import Iterator, Mapping
from math import exp, inf, log

from runner.contest import FLOORS, NOISES, Contest, looked
from runner.metrics.score import Score
from runner.plan import RunPlan
from runner.race import bar_of
from runner.verdict import SEEDS
from runner.wording import below, counted, figures, gap, images, listed

FLATTERS = 0.05  # nearer by less than that is nothing to be warned of; placeholder


def cautions(
    contest: Contest, floor: Score | None, anchors: Mapping[str, Score], control: str | None
) -> Iterator[str]:
    """What a reader of the ranking ought to know."""
    yield from further(contest.race.plan)
    yield from filter(None, [contest.race.plan.other_data])
    yield from (f"{skip.why}." for skip in contest.race.plan.skipped if skip.same_as)
    scores = [result.score for each in contest.arms for result in each.finished if result.score]
    yield from dict.fromkeys(caution for score in scores for caution in score.cautions)
    planned = max(each.planned for each in contest.tallies)
    if planned < SEEDS and not contest.race.over:  # later the verdict says it
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
    bar = bar_of(anchors)
    if contest.arms and bar is not None and contest.arms[0].mean > log(bar):
        blurred = "blur" in anchors and bar == anchors["blur"].value
        what = "blurred real images are at" if blurred else "half of the distance of noise is"
        yield (
            f"Nobody has learnt much yet: {what} {figures(bar)}. Such a ranking says little "
            "about what more training would give; use a larger --budget."
        )
    yield from flattered(contest)
    yield from in_parts(contest)
    yield from remarked(contest)
    yield from departed(contest)
    anchor = next((each for each in contest.tallies if each.arm == control), None)
    if contest.arms and anchor and anchor.results and not anchor.logs:
        yield f"The control arm, {anchor.name}, never finished: the ranking lacks its anchor."
    elif anchor in contest.leaders:
        says = "no candidate was told apart from it"
        yield f"The control arm, {anchor.name}, is among the leaders: {says}."


def further(plan: RunPlan) -> Iterator[str]:
    """Where an arm of another run was trained further."""
    before = plan.continued
    if before is None:
        return
    says = (
        f"No fair comparison: the run {before.run} compared its arms, and here one of them was "
        f"trained further, from {images(before.budget)} to {images(plan.budget)} images."
    )
    if before.score is not None:
        says += f" There its mean {before.metric} over the same seeds was {figures(before.score)}."
    yield says
    if any(trial.recipe.optimizer.decay_from is not None for trial in plan.trials):
        yield (
            "Its rates fall towards the end of a budget: they had fallen for the first one, and "
            "rose again for this one. Training to this budget at once could end elsewhere."
        )


def flattered(contest: Contest) -> Iterator[str]:
    """Where the best of several looks lies lower than drawing other samples explains."""
    those = []
    for each in contest.arms:
        best, last = looked(each)
        worth = max(NOISES * (contest.noise or 0.0), log(1 + FLATTERS))
        if best and last and log(last / best) > worth:
            those.append(f"{each.name}'s is {below(log(last / best))} its last")
    if those:
        yield (
            f"The best of several looks flatters, being picked by its own number: {listed(those)}. "
            "The ranking goes by the end of the budget."
        )


def in_parts(contest: Contest) -> Iterator[str]:
    """Whose batches did not fit into memory."""
    for each in contest.tallies:
        small = [result for result in each.results if result.micro_batch]
        if small:
            least = min(result.micro_batch or 0 for result in small)
            says = (
                f"Memory ran out for {each.name} ({counted(len(small), 'trial')}): batches of "
                f"{small[0].trial.recipe.batch_size} went through with {least} images at a time, "
                "added up before each step. "
            )
            if small[0].other_in_parts:
                says += f"That is not quite the same for {listed(small[0].other_in_parts)}."
            else:
                says += "That is the same but for rounding and which random numbers are drawn."
            yield says


def remarked(contest: Contest) -> Iterator[str]:
    """What trials say of themselves: a late collapse, say. What several say alike is said once."""
    for each in contest.tallies:
        alike: dict[str, list[tuple[str, str]]] = {}  # how a remark begins -> who says it, and it
        for result in each.results:
            for remark in result.remarks:
                said = alike.setdefault(remark.partition(":")[0], [])
                said.append((result.trial.which, remark))
        for start, said in alike.items():
            if len(said) == 1:
                which, remark = said[0]
                yield f"{each.name}, {which}: {remark}."
            else:
                kind = said[0][0].split()[0]
                those = listed([which.split()[1] for which, _ in said])
                first = said[0][1].partition(": ")[2]
                beside = f"; {said[0][0]} {first}" if first else ""
                yield f"{each.name}, {kind}s {those}: {start}{beside}."


def departed(contest: Contest) -> Iterator[str]:
    """Who left the race early, and who of them may yet be as good as the first."""
    if not contest.early:
        return
    told = []
    for each in contest.early:
        behind = contest.behind(each)
        by = f" ({gap(exp(behind))} behind {contest.arms[0].name})" if 0 < behind < inf else ""
        told.append(f"{each.name} after {images(each.left or 0)}{by}")
    says = f"Out of the race early: {listed(told)} of {images(contest.race.plan.budget)} images. "
    if contest.near:
        near = listed([each.name for each in contest.near])
        says += f"Seeds scatter enough for {near} to be as good. "
    else:
        says += "They might have caught up. "
    yield f"{says}--no-halving trains every arm to the end."
