"""Published numbers: which GANs they tell apart, by least squares within protocols.

A table is what one source measured under one protocol. Only differences within a table count, so
nothing is compared across protocols; a GAN that stands in two tables joins them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from math import exp, log, sqrt
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from knowledge.library import Library

if TYPE_CHECKING:  # advice that meets no tie does without them
    from knowledge.numbers import Result

CONDITIONAL = {"unconditional": False, "class-conditional": True}  # tasks with numbers, by labels
SEPARATED = 1.64  # standard errors; simulated, 94 to 99 % of such pairs are in the right order
ENOUGH_SPARE = 3  # placeholder: fewer residual degrees of freedom tell nothing about the noise
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
        self.tables = here if enough else tables
        self.fit = fit(self.tables)

    def before(self, one: str, other: str) -> bool:
        """Whether one GAN is better by more than the noise between published tables."""
        gap = self.gap(one, other)
        return gap is not None and gap.separated and gap.ratio < 1

    def gap(self, one: str, other: str) -> Gap | None:
        """None where no chain of tables joins the two."""
        return self.fit.gap(one, other) if one != other else None

    def sources(self, one: str, other: str) -> tuple[str, ...]:
        """Who measured both, side by side."""
        pair = {one, other}
        return tuple(dict.fromkeys(each.source for each in self.tables if pair <= each.gans))


# Tables ------------------------------------------------------------------------------------------


def tables(library: Library, task: str | None, needs: Collection[str]) -> Iterator[Table]:
    """Tables of distances that speak to a stated need, or to quality where none is stated."""
    conditional = CONDITIONAL.get(task or "unconditional")
    stated = set(needs) or {"quality"}
    by_protocol: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for result in library.archive.numbers:
        speaks_to = result.needs or library.metrics[result.metric].needs
        if conditional is None or result.conditional is not conditional:
            continue
        if result.polarity == "lower" and stated & set(speaks_to) and trusted(result):
            by_protocol[protocol(result)].append(result)
    for results in by_protocol.values():
        first = results[0]
        distances = tuple(of_models(results).items())
        if len(distances) > 1:
            own = frozenset(
                each.model for each in results if each.own_method and each.model in dict(distances)
            )
            yield Table(first.source, first.dataset, first.protocol, distances, own)


def trusted(result: "Result") -> bool:
    return not result.superseded and result.confidence != "low"


def protocol(result: "Result") -> tuple[object, ...]:
    """All that has to agree before two numbers are compared."""
    return (
        result.source, result.dataset, result.metric, result.protocol, result.taken,
        result.resolution, result.conditional, result.n_generated, result.n_reference,
        result.split, result.features, result.budget_images, result.network, result.setting,
    )  # fmt: skip


def of_models(results: Sequence["Result"]) -> dict[str, float]:
    """The best of each model's variants; a run that failed is as bad as the table's worst."""
    worst = max((each.value for each in results if each.value is not None), default=None)
    found: dict[str, float] = {}
    for each in results:
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
    from the methods themselves.
    """
    at = {
        name: i for i, name in enumerate(dict.fromkeys(m for t in tables for m, _ in t.distances))
    }
    last = len(at)
    normal = [[0.0] * (last + 1) for _ in range(last + 1)]
    right = [0.0] * (last + 1)
    rows = [row for table in tables for row in centred(table, at, last)]
    for row, y in rows:
        for i, a in row.items():
            right[i] += a * y
            for j, b in row.items():
                normal[i][j] += a * b
    for i in range(last):
        normal[i][i] += RIDGE
    normal[last][last] += 1.0
    spread = inverse(normal)
    solved = [sum(map(mul, line, right)) for line in spread]

    component = components(tables)
    parameters = len(tables) + len(at) - len(set(component.values()))
    spare = len(rows) - parameters - any(table.own for table in tables)
    squares = sum((y - sum(a * solved[i] for i, a in row.items())) ** 2 for row, y in rows)
    variance = squares / spare if spare >= ENOUGH_SPARE else float("inf")
    return Fit(at, component, solved[:last], spread, variance, solved[last])


def centred(
    table: Table, at: Mapping[str, int], own: int
) -> Iterator[tuple[dict[int, float], float]]:
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


def inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """By Gauss and Jordan; the matrix is positive definite, so no pivoting is needed."""
    n = len(matrix)
    rows = [[*line, *(float(i == j) for j in range(n))] for i, line in enumerate(matrix)]
    for i in range(n):
        scale = 1 / rows[i][i]
        pivot = rows[i] = [value * scale for value in rows[i]]
        for k in range(n):
            factor = rows[k][i]
            if k != i and factor:
                rows[k] = [a - factor * b for a, b in zip(rows[k], pivot, strict=True)]
    return [line[n:] for line in rows]
