"""Published numbers: which GANs they tell apart, by least squares within protocols.

A table is what one source measured under one protocol. Only differences within a table count, so
nothing is compared across protocols; a GAN that stands in two tables joins them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from math import exp, log, sqrt
from statistics import median
from typing import NamedTuple

from knowledge.distances import Run
from knowledge.library import Library

CONDITIONAL = {"unconditional": False, "class-conditional": True}  # tasks with numbers, by labels
SEPARATED = 1.64  # standard errors; simulated, 94 to 99 % of such pairs are in the right order
ENOUGH_SPARE = 3  # placeholder: fewer residual degrees of freedom tell nothing about the noise
HUBER = 1.345  # 95 % as precise as least squares where the noise is normal
ROUNDS = 4  # of reweighting
RIDGE = 1e-6  # only differences count: this fixes the level of each connected component


class Table(NamedTuple):
    """What one source measured under one protocol."""

    source: str
    dataset: str
    protocol: str
    distances: tuple[tuple[str, float], ...]  # a GAN's best number; lower is better
    own: frozenset[str]  # GANs that the source introduced

    @property
    def gans(self) -> set[str]:
        return {gan for gan, _ in self.distances}


class Gap(NamedTuple):
    """By which factor one GAN's distance differs from another's, over all tables that join them."""

    ratio: float  # below 1: the first is better
    error: float  # standard error of its logarithm; infinite where nothing is known of the noise

    @property
    def separated(self) -> bool:
        return abs(log(self.ratio)) > SEPARATED * self.error


class Numbers:
    """Numbers that bear on one profile.

    Those on its data set where they compare any of the GANs in question, else those on all others.
    """

    def __init__(
        self, tables: tuple[Table, ...], dataset: str | None, among: Collection[str]
    ) -> None:
        here = tuple(table for table in tables if table.dataset == dataset)
        enough = any(len(table.gans & set(among)) > 1 for table in here)
        self.tables = telling(here if enough else tables, among)
        self.by_gan = [dict(table.distances) for table in self.tables]
        self.fit = fit(self.tables)

    def before(self, one: str, other: str) -> bool:
        """Whether one GAN is better by more than the noise between published tables."""
        gap = self.apart(one, other)
        return gap is not None and gap.ratio < 1

    def apart(self, one: str, other: str) -> Gap | None:
        """The gap where the numbers tell two GANs apart.

        It exceeds the noise, and of the tables that hold both, more agree than disagree.
        """
        gap = self.gap(one, other)
        if gap is None or not gap.separated:
            return None
        sides = [t[one] < t[other] for t in self.by_gan if one in t and other in t]
        agree = sum(side == (gap.ratio < 1) for side in sides)
        return gap if not sides or agree > len(sides) / 2 else None

    def gap(self, one: str, other: str) -> Gap | None:
        """None where no chain of tables joins the two."""
        return self.fit.gap(one, other) if one != other else None

    def sources(self, one: str, other: str) -> tuple[str, ...]:
        """Who measured both, side by side."""
        pair = {one, other}
        return tuple(dict.fromkeys(each.source for each in self.tables if pair <= each.gans))


def telling(tables: tuple[Table, ...], among: Collection[str]) -> tuple[Table, ...]:
    """What bears on the GANs in question: others count only where they join two tables."""
    while True:
        held = Counter(gan for table in tables for gan in table.gans)
        kept = tuple(
            table._replace(distances=fewer, own=table.own & {gan for gan, _ in fewer})
            for table in tables
            if len(fewer := tuple(d for d in table.distances if d[0] in among or held[d[0]] > 1))
            > 1
        )
        if kept == tables:
            return tables
        tables = kept


# Tables ------------------------------------------------------------------------------------------


def tables(library: Library, task: str | None, needs: Collection[str]) -> Iterator[Table]:
    """Tables of distances that speak to a stated need, or to quality where none is stated."""
    conditional = CONDITIONAL.get(task or "unconditional")
    stated = set(needs) or {"quality"}
    for each in library.distances:
        if each.conditional is not conditional:
            continue
        runs = [run for run in each.runs if not stated.isdisjoint(run.needs)]
        distances = of_models(runs)
        if len(distances) > 1:
            own = frozenset(run.model for run in runs if run.own_method and run.model in distances)
            yield Table(each.source, each.dataset, each.protocol, tuple(distances.items()), own)


def of_models(runs: Sequence[Run]) -> dict[str, float]:
    """The best of each model's variants; a run that failed is as bad as the table's worst."""
    worst = max((each.value for each in runs if each.value is not None), default=None)
    found: dict[str, float] = {}
    for each in runs:
        value = each.value if each.value is not None else worst
        if value is not None and value > 0:
            found[each.model] = min(value, found.get(each.model, value))
    return found


# Least squares -----------------------------------------------------------------------------------


class Fit(NamedTuple):
    """log distance = level of the table + the GAN's own + what authors gain on their own method."""

    at: Mapping[str, int]  # GAN -> its column
    component: Mapping[str, int]
    logs: Sequence[float]
    spread: Sequence[Sequence[float]]  # inverse of the normal equations
    variance: float  # of a single log distance; infinite where nothing is left to tell it
    own: float  # mean log gain of a method in the paper that introduces it; below 0 flatters it

    def gap(self, one: str, other: str) -> Gap | None:
        if self.component.get(one, -1) != self.component.get(other, -2):
            return None
        i, j = self.at[one], self.at[other]
        around = self.spread[i][i] + self.spread[j][j] - 2 * self.spread[i][j]
        return Gap(exp(self.logs[i] - self.logs[j]), sqrt(max(around, 0) * self.variance))


@lru_cache(maxsize=64)  # leaving out a source without numbers changes none
def fit(tables: tuple[Table, ...]) -> Fit:
    """Least squares on log differences, with one term for all methods in their own papers.

    The term answers that every paper beats its baselines (Salanti et al., 2010: novelty bias). It
    is drawn towards nothing with the weight of one observation, since two tables may not tell it
    from the methods themselves. A run that collapsed lies far off; Huber's weights (1964) keep it
    from deciding alone.
    """
    at = {gan: i for i, gan in enumerate(dict.fromkeys(m for t in tables for m, _ in t.distances))}
    rows = [row for table in tables for row in centred(table, at, own=len(at))]
    component = components(tables)
    parameters = len(tables) + len(at) - len(set(component.values()))
    spare = len(rows) - parameters - any(table.own for table in tables)

    weights = [1.0] * len(rows)
    for _ in range(ROUNDS):
        normal, right = normal_equations(rows, weights, len(at) + 1)
        solution = [line[0] for line in solved(normal, [[value] for value in right])]
        off = [abs(y - sum(a * solution[i] for i, a in row.items())) for row, y in rows]
        scale = 1.4826 * median(off) if off else 0.0
        weights = [min(1.0, HUBER * scale / each) if each else 1.0 for each in off]
    # Huber (1981, section 7.6): what the far ones still pull, over the share of those near.
    near = sum(weight == 1 for weight in weights) / max(len(weights), 1)
    pull = sum((weight * each) ** 2 for weight, each in zip(weights, off, strict=True))
    variance = pull / spare / near**2 if spare >= ENOUGH_SPARE and near else float("inf")
    normal, right = normal_equations(rows, [1.0] * len(rows), len(at) + 1)
    identity = [[float(i == j) for j in range(len(right))] for i in range(len(right))]
    return Fit(at, component, solution[:-1], solved(normal, identity), variance, solution[-1])


Row = tuple[dict[int, float], float]  # of the design, by column; and what was measured


def normal_equations(
    rows: Sequence[Row], weights: Sequence[float], size: int
) -> tuple[list[list[float]], list[float]]:
    normal = [[0.0] * size for _ in range(size)]
    right = [0.0] * size
    for (row, y), weight in zip(rows, weights, strict=True):
        for i, a in row.items():
            right[i] += weight * a * y
            line = normal[i]
            for j, b in row.items():
                line[j] += weight * a * b
    for i in range(size - 1):
        normal[i][i] += RIDGE
    normal[-1][-1] += 1.0
    return normal, right


def centred(table: Table, at: Mapping[str, int], own: int) -> Iterator[Row]:
    """Rows of the design with the level of the table taken out."""
    n = len(table.distances)
    level = sum(log(value) for _, value in table.distances) / n
    share = len(table.own) / n
    for gan, value in table.distances:
        row = {at[other]: -1 / n for other, _ in table.distances}
        row[at[gan]] += 1
        row[own] = (gan in table.own) - share
        yield row, log(value) - level


def components(tables: Sequence[Table]) -> dict[str, int]:
    """GAN -> the number of the connected component that it stands in."""
    of: dict[str, int] = {}
    for number, table in enumerate(tables):
        joined = {of[gan] for gan in table.gans if gan in of}
        of |= dict.fromkeys(table.gans, number)
        of |= {gan: number for gan, old in of.items() if old in joined}
    return of


def solved(matrix: Sequence[Sequence[float]], right: list[list[float]]) -> list[list[float]]:
    """By Gauss and Jordan; the matrix is positive definite, so no pivoting is needed."""
    rows = [[*line, *others] for line, others in zip(matrix, right, strict=True)]
    for i in range(len(rows)):  # column i is the first one left
        first, *pivot = rows[i]
        pivot = [value / first for value in pivot]
        for k, (factor, *line) in enumerate(rows):
            rows[k] = [a - factor * b for a, b in zip(line, pivot, strict=True)] if factor else line
        rows[i] = pivot
    return rows
