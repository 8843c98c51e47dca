"""How good is the advice? python -m tests.benchmarks.advice [--write]

Against numbers that it does not see: for each published table (one source, one protocol) the advice
is given with that source left out, and compared with what the table measured. --write puts the
figures into docs/how-good-is-the-advice.md.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import exp, log
from pathlib import Path
from statistics import mean, median, stdev
from typing import NamedTuple

from advisor.advise import Advice
from advisor.numbers import Numbers, Table, tables
from advisor.profile import checked
from advisor.ranking import HANDFUL, Arm, ranked
from advisor.recommendation import Answer
from knowledge.library import Library, load
from tests.benchmarks.page import fill

PAGE = Path(__file__).parents[2] / "docs" / "how-good-is-the-advice.md"
TASKS = ("unconditional", "class-conditional")
ASKED = {"quality and diversity": ("quality", "diversity"), "robustness": ("stability", "tuning")}
ENOUGH = 3  # GANs of the base in a table; an order of two is a coin

Places = Mapping[str, float]  # GAN -> its place; equal places are ties


class Trial(NamedTuple):
    """A table, and the advice that was given without its source."""

    table: Table
    task: str
    asked: str
    distances: dict[str, float]  # of the GANs that the base knows
    rankings: dict[str, Places]
    shortlist: tuple[str, ...]  # of the advice, as far as the table measured it


def main(*arguments: str) -> None:
    library = load()
    report = "\n".join(figures(list(trials(library)))) + "\n"
    print(report)
    if "--write" in arguments:
        fill(PAGE, report)


def trials(library: Library) -> Iterator[Trial]:
    for task in TASKS:
        for asked, needs in ASKED.items():
            for table in tables(library, task, needs):
                distances = {gan: d for gan, d in table.distances if gan in library.gans}
                if len(distances) >= ENOUGH and library.datasets[table.dataset].kind == "images":
                    yield trial(table, task, asked, distances, library)


def trial(
    table: Table, task: str, asked: str, distances: dict[str, float], library: Library
) -> Trial:
    answers: dict[str, Answer] = {"task": task, "dataset": table.dataset, "needs": ASKED[asked]}
    advice = Advice(checked(answers, library), library).without(table.source)
    places = best_ranks(advice.arms)
    by_votes = best_ranks(ranked(advice.arms, lambda one, other: False))
    last = len(advice.arms) + 1
    numbers = Numbers(advice.tables, table.dataset, distances)
    logs = {gan: numbers.fit.logs[at] for gan, at in numbers.fit.at.items()}
    rankings: dict[str, Places] = {
        "the advice": {gan: places.get(gan, last) for gan in distances},
        "votes alone, then cost": {gan: by_votes.get(gan, last) for gan in distances},
        "newest first": {gan: -library.gans[gan].year for gan in distances},
        "numbers alone": {gan: logs.get(gan, 0.0) for gan in distances},
    }
    shown = dict.fromkeys(arm.gan for arm in advice.shortlist(HANDFUL))
    return Trial(
        table, task, asked, distances, rankings, tuple(gan for gan in shown if gan in distances)
    )


def best_ranks(arms: Sequence[Arm]) -> dict[str, float]:
    """Of each GAN's arms the one that stands first."""
    return {arm.gan: arm.rank for arm in reversed(arms)}


# What is read off a trial ------------------------------------------------------------------------


def place_of_the_best(each: Trial, ranking: Places) -> float:
    """1 is first; the mean place where it shares one."""
    best = min(each.distances, key=each.distances.__getitem__)
    earlier = sum(place < ranking[best] for place in ranking.values())
    equal = sum(place == ranking[best] for place in ranking.values())
    return earlier + (equal + 1) / 2


def lost_by_first(each: Trial, ranking: Places) -> float:
    """Factor by which the first pick's distance exceeds the best; over ties the mean."""
    first = min(ranking.values())
    picks = [each.distances[gan] for gan, place in ranking.items() if place == first]
    return geometric(picks) / min(each.distances.values())


def lost_by_shortlist(each: Trial) -> float | None:
    """The same for the best of the shortlist; None where the table measured none of it."""
    picks = [each.distances[gan] for gan in each.shortlist]
    return min(picks) / min(each.distances.values()) if picks else None


def lost_at_random(each: Trial, size: int) -> float:
    """Expected for the best of so many drawn blindly."""
    values = sorted(each.distances.values())
    picks = [min(drawn) for drawn in combinations(values, max(size, 1))]
    return geometric(picks) / values[0]


def tau(each: Trial, ranking: Places) -> float:
    """Kendall's tau-b, which takes account of ties."""
    return kendall([(ranking[gan], distance) for gan, distance in each.distances.items()])


def kendall(pairs: Sequence[tuple[float, float]]) -> float:
    agree = untied_x = untied_y = 0
    for (x, y), (other_x, other_y) in combinations(pairs, 2):
        along, across = sign(x - other_x), sign(y - other_y)
        agree += along * across
        untied_x += along != 0
        untied_y += across != 0
    return agree / (untied_x * untied_y) ** 0.5 if untied_x and untied_y else 0.0


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def geometric(values: Sequence[float]) -> float:
    return exp(mean(map(log, values)))


# The page ----------------------------------------------------------------------------------------


def figures(found: Sequence[Trial]) -> Iterator[str]:
    yield from summary(found)
    yield ""
    yield from each_table(found)


def summary(found: Sequence[Trial]) -> Iterator[str]:
    for asked in ASKED:
        own = [each for each in found if each.asked == asked]
        if not own:
            continue
        sources = len({each.table.source for each in own})
        yield f"**Asked for {asked}**: {len(own)} tables of {sources} sources."
        yield ""
        yield "| order | place of the truly best | lost by the first pick | Kendall's τ |"
        yield "|---|---:|---:|---:|"
        for name in own[0].rankings:
            yield row(name, own, lambda each, name=name: each.rankings[name])
        blind = median((len(each.distances) + 1) / 2 for each in own)
        lost = median(lost_at_random(each, 1) for each in own)
        yield f"| random | {blind:.1f} | {percent(lost)} | 0.00 |"
        listed = [each for each in own if each.shortlist]
        if listed:
            ours = median(lost for each in listed if (lost := lost_by_shortlist(each)) is not None)
            theirs = median(lost_at_random(each, len(each.shortlist)) for each in listed)
            held = sum(lost_by_shortlist(each) == 1 for each in listed)
            yield ""
            yield (
                f"The best of our shortlist lost {percent(ours)} (median of {len(listed)} tables that "
                f"measured any of it), as many drawn blindly {percent(theirs)}; it held the truly "
                f"best system in {held} of them."
            )
        yield ""


def row(name: str, own: Sequence[Trial], ranking: Callable[[Trial], Places]) -> str:
    place = median(place_of_the_best(each, ranking(each)) for each in own)
    lost = median(lost_by_first(each, ranking(each)) for each in own)
    by_source = defaultdict(list)
    for each in own:  # tables of one source are not independent: each source counts once
        by_source[each.table.source].append(tau(each, ranking(each)))
    orders = [mean(values) for values in by_source.values()]
    error = f" ± {stdev(orders) / len(orders) ** 0.5:.2f}" if len(orders) > 1 else ""
    return f"| {name} | {place:.1f} | {percent(lost)} | {mean(orders):.2f}{error} |"


def each_table(found: Sequence[Trial]) -> Iterator[str]:
    yield (
        "| source left out | data set | GANs | truly best | its place with us | first pick lost | "
        "best of our shortlist lost | τ | τ newest first |"
    )
    yield "|---|---|---:|---|---:|---:|---:|---:|---:|"
    for each in found:
        ours, newest = each.rankings["the advice"], each.rankings["newest first"]
        best = min(each.distances, key=each.distances.__getitem__)
        shortlisted = lost_by_shortlist(each)
        yield (
            f"| {each.table.source} | {each.table.dataset}, {each.task}, {each.asked} "
            f"| {len(each.distances)} | {best} | {place_of_the_best(each, ours):g} "
            f"| {percent(lost_by_first(each, ours))} "
            f"| {percent(shortlisted) if shortlisted else 'not measured'} "
            f"| {tau(each, ours):.2f} | {tau(each, newest):.2f} |"
        )


def percent(factor: float) -> str:
    return f"{max(factor - 1, 0) * 100:.0f} %"


if __name__ == "__main__":
    main(*sys.argv[1:])
