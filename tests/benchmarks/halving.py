"""Does halving keep the winner? python -m tests.benchmarks.halving [--write]

Races of published training curves by the runner's own `ladder` and `promoted`. Curves: the training
logs of POSTECH-CVLab/PyTorch-StudioGAN (MIT licence), CIFAR-10, 10,000 generated images against the
test split, 25 methods, cut where each critic had seen 25.6 million images; data/ has the numbers.
--write puts the figures into docs/how-fair-is-the-race.md.
"""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from math import ceil, exp, inf, log
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from runner.plan import Rung
from runner.race import EARLY, Early, Mark, ladder, promoted
from tests.benchmarks.advice import percent
from tests.benchmarks.page import fill

CURVES = Path(__file__).parent / "data" / "studiogan-cifar10-fid.csv"
PAGE = Path(__file__).parents[2] / "docs" / "how-fair-is-the-race.md"
BUDGET = 25_600_000
SEEDS = 3
RACES = 500  # for each line of a table
SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
FIELDS = {"all 25": ("small", "large"), "10 small": ("small",)}
USUAL = 7  # arms: a shortlist of six and the control
SPREAD = 0.1  # of seeds, in logs


class Curve(NamedTuple):
    run: str
    size: str
    images_between: int
    logs: tuple[float, ...]  # of distances, at equal intervals

    def at(self, budget: int) -> float:
        """At the first measurement at or after the budget; the first was after 640,000 images."""
        return self.logs[min(ceil(budget / self.images_between), len(self.logs)) - 1]


class Race(NamedTuple):
    winner: bool  # the arm that is truly the best got to the end
    lost: float  # factor by which the best of those that did exceeds it
    cost: float  # images, against all arms to the end with all the seeds


def main(*arguments: str) -> None:
    report = "\n".join(figures(curves())) + "\n"
    print(report)
    if "--write" in arguments:
        fill(PAGE, report)


def curves() -> list[Curve]:
    with CURVES.open(encoding="utf-8", newline="") as file:
        return [
            Curve(
                row["run"],
                row["size"],
                int(row["images_between"]),
                tuple(log(float(fid)) for fid in row["fids"].split()),
            )
            for row in csv.DictReader(file)
        ]


def races(
    field: Sequence[Curve], arms: int, early: Sequence[Early], *, spread: float = SPREAD
) -> list[Race]:
    """Of shortlists drawn at random, the same for every rule."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(RACES):
        drawn = [field[i] for i in rng.permutation(len(field))[:arms]]
        best = min(drawn, key=lambda curve: curve.logs[-1])
        # The control arm is any but the best: that one would be kept without merit of the rule.
        control = drawn[(drawn.index(best) + 1 + rng.integers(arms - 1)) % arms]
        noise = rng.normal(0, spread, (len(EARLY) + 1, arms, SEEDS))
        found.append(race(drawn, control, ladder(arms, BUDGET, SEEDS, early=early), noise))
    return found


def race(drawn: Sequence[Curve], control: Curve, rungs: Sequence[Rung], noise: np.ndarray) -> Race:
    """Each seed's noise in logs, by rung, arm and seed: a rung's look owes nothing to another's."""
    place = {curve.run: i for i, curve in enumerate(drawn)}
    alive, images, before = list(drawn), 0, 0
    for at, rung in enumerate(rungs):
        images += len(alive) * (rung.budget * rung.seeds - before)
        before = rung.budget * rung.seeds
        if rung.keep is not None:
            seen = noise[at, :, : rung.seeds].mean(-1)
            marks = {c.run: Mark(0, c.at(rung.budget) + seen[place[c.run]]) for c in alive}
            on = promoted(marks, rung.keep, control.run)
            alive = [curve for curve in alive if curve.run in on]
    best, kept = (min(curve.logs[-1] for curve in those) for those in (drawn, alive))
    return Race(kept == best, exp(kept - best), images / (len(drawn) * BUDGET * SEEDS))


# The page ----------------------------------------------------------------------------------------


def figures(every: Sequence[Curve]) -> Iterator[str]:
    fields = {name: [c for c in every if c.size in sizes] for name, sizes in FIELDS.items()}
    tables = (
        correlations(fields),
        rules(fields["all 25"]),
        early_seeds(fields["all 25"]),
        places(fields["all 25"]),
        chosen(fields),
        reversals(fields),
    )
    for table in tables:
        yield from table
        yield ""


def correlations(fields: Mapping[str, Sequence[Curve]]) -> Iterator[str]:
    yield "**How early the order shows**: Spearman's correlation with the order at the end."
    yield ""
    yield "| methods | " + " | ".join(f"at {share(each)}" for each in SHARES) + " |"
    yield "|---|" + "---:|" * len(SHARES)
    for name, field in fields.items():
        last = [curve.logs[-1] for curve in field]
        early = ([curve.at(round(BUDGET * each)) for curve in field] for each in SHARES)
        found = (spearmanr(logs, last).statistic for logs in early)
        yield f"| {name} | " + " | ".join(f"{value:.2f}" for value in found) + " |"


HEADINGS = (
    "winner kept | within 5 % | within 10 % | lost: median | mean | worst in 20 | worst | images"
)
COLUMNS = "---:|" * 8


def told(found: Sequence[Race]) -> str:
    lost = sorted(each.lost for each in found)
    shares = (
        fmean(each.winner for each in found),
        fmean(factor <= 1.05 for factor in lost),
        fmean(factor <= 1.1 for factor in lost),
    )
    losses = (median(lost), fmean(lost), lost[-(len(lost) // 20)], lost[-1])
    cost = fmean(each.cost for each in found)
    return " | ".join([*map(share, shares), *map(percent, losses), share(cost)])


def share(part: float) -> str:
    return f"{100 * part:.0f} %"


def rules(field: Sequence[Curve]) -> Iterator[str]:
    yield (
        f"**Rules with all {SEEDS} seeds in every rung**, {USUAL} arms, seeds scatter by "
        f"{share(SPREAD)}. Between two early rungs the budget grows and the field shrinks evenly."
    )
    yield ""
    yield f"| first rung | early rungs | to the end | {HEADINGS} |"
    yield f"|---:|---:|---:|{COLUMNS}"
    for first in SHARES[:4]:
        for steps in (1, 2):
            for last in (2, 3, 4):
                early = [
                    Early(first ** (1 - at / steps), 1, (last / USUAL) ** ((at + 1) / steps))
                    for at in range(steps)
                ]
                line = told(races(field, USUAL, early))
                yield f"| {share(first)} | {steps} | {last} | {line} |"


def early_seeds(field: Sequence[Curve]) -> Iterator[str]:
    yield (
        f"**Seeds in the two early rungs**, of the {SEEDS} in the last, {USUAL} arms: rungs at "
        f"{' and '.join(share(rung.budget) for rung in EARLY)} of the budget keep "
        f"{' and '.join(share(rung.keep) for rung in EARLY)} of the arms."
    )
    yield ""
    yield f"| seeds scatter by | seeds | {HEADINGS} |"
    yield f"|---:|---|{COLUMNS}"
    for spread in (0.05, 0.1, 0.2):
        for seeds in ((1, 1), (1, 2), (1, 3), (2, 2), (3, 3)):
            early = [e._replace(seeds=n / SEEDS) for e, n in zip(EARLY, seeds, strict=True)]
            line = told(races(field, USUAL, early, spread=spread))
            yield f"| {share(spread)} | {', '.join(map(str, seeds))}, {SEEDS} | {line} |"


def places(field: Sequence[Curve]) -> Iterator[str]:
    yield f"**What more places in the last rung would bring**, {USUAL} arms, otherwise as chosen."
    yield ""
    yield f"| to the end | {HEADINGS} |"
    yield f"|---:|{COLUMNS}"
    for last in (2, 3, 4):
        early = (EARLY[0]._replace(keep=max(EARLY[0].keep, (last + 1) / USUAL)), EARLY[1])
        line = told(races(field, USUAL, (early[0], early[1]._replace(keep=last / USUAL))))
        yield f"| {last} | {line} |"


def chosen(fields: Mapping[str, Sequence[Curve]]) -> Iterator[str]:
    yield "**The rule that the runner follows**, the control arm counted among the arms."
    yield ""
    yield f"| methods | arms | go on | seeds scatter by | {HEADINGS} |"
    yield f"|---|---:|---|---:|{COLUMNS}"
    for name, field in fields.items():
        for arms in (6, 8, 11):
            if arms > len(field):
                continue
            rungs = ladder(arms, BUDGET, SEEDS)
            kept = ", ".join(str(rung.keep + 1) for rung in rungs if rung.keep)
            for spread in (0.0, 0.05, 0.1, 0.2):
                line = told(races(field, arms, EARLY, spread=spread))
                yield f"| {name} | {arms} | {kept} | {share(spread)} | {line} |"


def reversals(fields: Mapping[str, Sequence[Curve]]) -> Iterator[str]:
    """Of all pairs, without noise."""
    yield "**How often the one behind ends ahead**, by how far behind it is; pairs in brackets."
    yield ""
    edges = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, inf)
    names = [f"{share(low)} to {share(high)}" for low, high in pairwise(edges[:-1])]
    yield f"| methods | at | {' | '.join(names)} | more |"
    yield "|---|---:|" + "---:|" * (len(names) + 1)
    for name, field in fields.items():
        for rung in EARLY:
            ranked = sorted((c.at(round(BUDGET * rung.budget)), c.logs[-1]) for c in field)
            pairs = [(exp(b[0] - a[0]) - 1, b[1] < a[1]) for a, b in combinations(ranked, 2)]
            cells = []
            for low, high in pairwise(edges):
                turned = [ahead for behind, ahead in pairs if low <= behind < high]
                cells.append(f"{share(fmean(turned))} ({len(turned)})" if turned else "none")
            yield f"| {name} | {share(rung.budget)} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main(*sys.argv[1:])
