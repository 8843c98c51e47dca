"""What the knowledge base had led to expect, and what happened."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from advisor.recommendation import Candidate, Recommendation
from knowledge.schema import Record
from runner.report.words import place
from runner.results import Standing
from runner.troubles import Diagnosis
from runner.wording import counted, listed


class Foreseen(Record):
    """How an arm was said to fail, or a weakness that sources leave with it."""

    says: str
    then: str | None = None  # what to try
    verified: bool = True  # false: as remembered, and not looked up in its source
    could_be: bool  # what happened may have been this


class Expectation(Record):
    """An arm before the run, and after it."""

    arm: str
    name: str
    control: bool
    expected_place: str | None  # among the candidates; "2=" for a tie; the control arm has none
    support: str  # how well published evidence stood behind it
    place: str  # that it came to; "–": no seed finished
    foreseen: tuple[Foreseen, ...]
    failures: tuple[str, ...]  # that happened: each reason, with the seeds that it stopped
    outcome: str  # where there are none: "no failure", "ended, with trouble", "nothing yet"
    crashed: bool  # its failures are none of a GAN's, but of a program or a machine
    expected_cost: float | None  # training time of an image, beside the control arm's
    cost_is_estimated: bool
    cost: float | None  # the same as it was measured

    @property
    def told(self) -> bool:
        """Whether what happened may have been foreseen."""
        return any(each.could_be for each in self.foreseen)


class Predicted(Record):
    says: tuple[str, ...]  # on the whole
    arms: tuple[Expectation, ...]  # those that were to be trained, in the order of the leaderboard


def predicted(
    advice: Recommendation, standings: Sequence[Standing], diagnosis: Diagnosis | None = None
) -> Predicted:
    """`diagnosis` may have found trouble in trials that came to their end all the same."""
    troubled = {trial.arm for trial in diagnosis.trials if trial.found} if diagnosis else set()
    known = {arm.id: arm for arm in advice.arms}
    control = next((each for each in standings if each.control), None)
    arms = tuple(
        expectation(known[each.arm], each, standings, advice, control, each.arm in troubled)
        for each in standings
        if each.arm in known
    )
    return Predicted(says=tuple(on_the_whole(advice, standings, arms, diagnosis)), arms=arms)


def expectation(
    arm: Candidate,
    standing: Standing,
    standings: Sequence[Standing],
    advice: Recommendation,
    control: Standing | None,
    troubled: bool,
) -> Expectation:
    came = place(standing, standings)
    ended = "ended, with trouble" if troubled else "no failure"
    expected, measured = None, None
    if control and advice.control:
        expected = arm.cost.time / advice.control.cost.time
        if standing.images_per_second and control.images_per_second:
            measured = control.images_per_second / standing.images_per_second
    return Expectation(
        arm=arm.id,
        name=arm.name,
        control=arm.role == "control",
        expected_place=None if arm.role == "control" else expected_place(arm, advice.candidates),
        support=arm.standing,
        place=came,
        foreseen=tuple(foreseen(arm, standing)),
        failures=standing.failures,
        outcome=ended if came != "–" else "nothing yet",
        crashed=all(crash(failure) for failure in standing.failures) and bool(standing.failures),
        expected_cost=expected,
        cost_is_estimated=arm.cost.estimated,
        cost=measured,
    )


def foreseen(arm: Candidate, standing: Standing) -> Iterator[Foreseen]:
    """The ranking has picked out what could be what happened."""
    said = {each.says: (each.then, each.verified) for each in arm.fails}
    said |= {each.says: (None, True) for each in arm.troubles}
    for says, (then, verified) in said.items():
        could_be = any(told.startswith(says) for told in standing.foreseen)
        yield Foreseen(says=says, then=then, verified=verified, could_be=could_be)


def expected_place(arm: Candidate, candidates: Sequence[Candidate]) -> str:
    tied = sum(other.rank == arm.rank for other in candidates) > 1
    return f"{arm.rank}=" if tied else str(arm.rank)


def crash(failure: str) -> bool:
    """Not a GAN's failure, which somebody could have foreseen: "seeds 0 and 1: crashed: …"."""
    return any(f": {status}" in failure for status in ("crashed", "out-of-memory"))


def on_the_whole(
    advice: Recommendation,
    standings: Sequence[Standing],
    arms: Sequence[Expectation],
    diagnosis: Diagnosis | None,
) -> Iterator[str]:
    yield from order(advice, standings)
    failed = [each for each in arms if each.failures and not each.crashed]
    crashed = [each.name for each in arms if each.crashed]
    sick = [trial for trial in diagnosis.trials if trial.found] if diagnosis else []
    if crashed:
        yield (
            f"Trials of {listed(crashed)} crashed: that is a fault of a program or a machine, "
            "and says nothing about a GAN."
        )
    if failed:
        told = [each.name for each in failed if each.told]
        says = f"{counted(len(failed), 'arm')} failed on a seed or more"
        told_of = f"told of what it may have been for {listed(told)}" if told else "not told of it"
        yield f"{says}; the knowledge base had {told_of}."
    elif diagnosis and sick:
        trials = counted(len(diagnosis.trials), "trial")
        yield f"None was given up, but {len(sick)} of {trials} had trouble: see what went wrong."
    elif not crashed and any(each.place != "–" for each in arms):
        yield "No trial failed."
    if any(each.cost_is_estimated or each.expected_cost not in (None, 1.0) for each in arms):
        yield (
            "Costs are the training time of an image beside the control arm's. What was expected "
            "holds for networks of the published size: narrower ones, and other machines, shift it."
        )


def order(advice: Recommendation, standings: Sequence[Standing]) -> Iterator[str]:
    """Of the pairs of candidates that the advice had put in an order, how many came out so."""
    rank = {arm.id: arm.rank for arm in advice.candidates}
    mean = {each.arm: each.mean for each in standings if each.mean is not None and each.arm in rank}
    ordered = [(a, b) for a, b in combinations(mean, 2) if rank[a] != rank[b]]
    if len(mean) < 2:
        return
    if not ordered:
        yield "The advice had put none of the candidates that finished before another."
        return
    right = sum((rank[a] < rank[b]) == (mean[a] < mean[b]) for a, b in ordered)
    yield (
        f"Of {counted(len(ordered), 'pair')} of candidates that the advice had put in an order, "
        f"{right} came out in that order of means; by chance half of them would."
    )
