"""Which candidates stand before which, and which six of them are shown."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from advisor.recommendation import Candidate, Standing, Support, Testimony
from advisor.space import Combination

HANDFUL = 6
Apart = Callable[[str, str], bool]  # whether published numbers put one GAN before another


class Arm(NamedTuple):
    """A survivor before it is written out: enough to rank it by."""

    id: str
    gan: str
    combination: Combination
    support: tuple[Support, ...]
    testimony: tuple[Testimony, ...]
    time: float
    behind: int = 0  # how many rules put it behind what they do not remark on
    rank: int = 0  # equal ranks are ties


def ranked(arms: Sequence[Arm], before: Apart) -> list[Arm]:
    """Best first: by what rules put behind, by votes, by published numbers, by cost.

    Equals share a rank.
    """
    placed: list[Arm] = []
    for _, group in groupby(sorted(arms, key=fitting), fitting):
        for layer in layers(list(group), before):
            for _, equals in groupby(sorted(layer, key=lambda arm: (arm.time, arm.id)), cost):
                rank = len(placed) + 1
                placed += [arm._replace(rank=rank) for arm in equals]
    return placed


def fitting(arm: Arm) -> tuple[int, ...]:
    return arm.behind, *votes(arm)


def votes(arm: Arm) -> tuple[int, ...]:
    """Needs won, needs with a witness, net votes; then what kind of witness speaks for it."""
    spoken_for = [witness for witness in arm.testimony if witness.vote > 0]
    return (
        -sum(each.net > 0 for each in arm.support),
        -sum(each.for_ > 0 for each in arm.support),
        -sum(each.net for each in arm.support),
        -len({witness.need for witness in spoken_for if witness.direct}),
        -len({witness.need for witness in spoken_for if not witness.own_method}),
    )


def cost(arm: Arm) -> float:
    return arm.time


def layers(arms: list[Arm], before: Apart) -> list[list[Arm]]:
    """Those whom nobody beats, then those whom only the first beat, and so on.

    That an arm was not measured does not count against it where somebody speaks for it. One for whom
    there is no word and no number stands behind those that were measured and won.
    """
    found: list[list[Arm]] = []
    left = arms
    while left:
        gans = {arm.gan for arm in left}
        beaten = {gan for gan in gans if any(before(other, gan) for other in gans if other != gan)}
        winners = {gan for gan in gans - beaten if any(before(gan, other) for other in beaten)}
        free = [arm for arm in left if arm.gan not in beaten]
        known = [arm for arm in free if arm.gan in winners or spoken_for(arm)]
        found += [known, [arm for arm in free if arm not in known]]
        left = [arm for arm in left if arm.gan in beaten]
    return [layer for layer in found if layer]


def spoken_for(arm: Arm) -> bool:
    return any(witness.vote > 0 for witness in arm.testimony)


def spread(arms: Sequence[Arm], size: int = HANDFUL) -> list[Arm]:
    """The best of every GAN before the second best of any, in the order of their ranks."""
    earlier: Counter[str] = Counter()
    turns: list[tuple[int, int, Arm]] = []
    for arm in arms:
        turns.append((earlier[arm.gan], len(turns), arm))
        earlier[arm.gan] += 1
    chosen = {position for _, position, _ in sorted(turns)[:size]}
    return [arm for _, position, arm in turns if position in chosen]


def standing(support: tuple[Support, ...], *, measured: bool = False) -> Standing:
    if support and all(each.net > 0 for each in support):
        return "well supported"
    known = measured or any(each.for_ for each in support)
    return "plausible" if known else "untested here"


def conservative(candidates: Sequence[Candidate]) -> str | None:
    """The one for which most independent sources speak, less those that speak against it.

    None where nobody speaks for any of them, where there is no other, or where two are equal.
    """

    def backing(each: Candidate) -> tuple[int, int, int]:
        net, spoken = sum(s.net for s in each.support), sum(s.for_ for s in each.support)
        return -net, -spoken, each.rank

    spoken_for = [each for each in candidates if sum(s.net for s in each.support) > 0]
    return the_one(spoken_for, backing) if len(candidates) > 1 else None


def bold(candidates: Sequence[Candidate]) -> str | None:
    """The newest one; None where there is no other, or where two are equal."""
    return the_one(candidates, lambda c: (-c.year, c.rank)) if len(candidates) > 1 else None


def the_one(
    candidates: Sequence[Candidate], key: Callable[[Candidate], tuple[int, ...]]
) -> str | None:
    in_order = sorted(candidates, key=key)
    if not in_order or len({key(each) for each in in_order[:2]}) < len(in_order[:2]):
        return None
    return in_order[0].id
