"""What a few seeds can tell apart: comparisons of mean log scores that hold for all pairs at once."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from math import inf, sqrt
from statistics import fmean, variance
from warnings import catch_warnings, simplefilter

LEVEL = 0.95  # of intervals, and of all statements on pairs together
UNEVEN = 10.0  # ratio of variances from which on pooling is doubted
PATIENCE = 50  # seeds beyond which nobody will train
DRAWS = 100_000  # a probability is within 0.3 points of the exact one
TINY = 1e-24  # in place of a variance of zero


@dataclass(frozen=True)
class Comparison:
    """Log scores of each arm's seeds. Scores compare by ratio, so differences of logs are meant.

    Tukey's honest significant difference in Kramer's form for unequal numbers of seeds; where the
    spreads are very unequal, that of Games and Howell (1976), which pools nothing: one arm that
    collapses on a seed would otherwise hide all that the other arms show.

    `started` is the number of arms in all, where halving on early distances chose those compared.
    They got through partly by luck, and the control arm did not: with as many arms as are left, up
    to one comparison in ten would name a winner among equals. One arm more in the range allows for
    the luckiest of those that are out: that holds 5 % (tests/runner/test_simulation.py).
    """

    groups: Sequence[Sequence[float]]
    started: int = 0

    def apart(self, one: int, other: int) -> bool:
        gap = abs(fmean(self.groups[one]) - fmean(self.groups[other]))
        return gap > self.margin(one, other)

    def margin(self, one: int, other: int) -> float:
        """The difference of two means from which on they are told apart; infinite: none is."""
        pair = self.groups[one], self.groups[other]
        if self.freedom < 1 or len(self.groups) < 2 or (self.uneven and min(map(len, pair)) < 2):
            return inf
        squares = [variance(group) if self.uneven else self.pooled for group in pair]
        return self._margin(squares, [len(group) for group in pair], self.freedom)

    def interval(self, arm: int) -> tuple[float, float] | None:
        """Where the mean of an arm lies. From pooled variance, from its own if they are uneven."""
        own = self.groups[arm]
        freedom = len(own) - 1 if self.uneven else self.freedom
        if freedom < 1:
            return None
        square = variance(own) if self.uneven else self.pooled
        half = _student(freedom) * sqrt(square / len(own))
        return fmean(own) - half, fmean(own) + half

    def probabilities(self) -> tuple[float, ...] | None:
        """Of each arm's true mean to be the lowest, by the posterior of means under a flat prior.

        A number to read and no test: of arms that are all equal it prefers one more often than
        chance would. None: no arm has two seeds.
        """
        if self.freedom < 1:
            return None
        import numpy as np
        from scipy.stats import multivariate_t

        means = [fmean(group) for group in self.groups]
        rng = np.random.default_rng(0)  # the same number whenever a run is ranked again
        drawn = np.empty((DRAWS, len(means)))
        for freedom, arms in self._spreads():
            errors = [self._square(arm) / len(self.groups[arm]) for arm in arms]
            shape = np.diag(np.maximum(errors, TINY))
            place = [means[arm] for arm in arms]
            drawn[:, arms] = (
                multivariate_t(place, shape, freedom).rvs(DRAWS, rng).reshape(DRAWS, -1)
            )
        won = np.bincount(drawn.argmin(1), minlength=len(means)) / DRAWS
        return tuple(won.tolist())

    def _spreads(self) -> Iterator[tuple[int, list[int]]]:
        """Arms that share an estimate of variance, with its degrees of freedom."""
        alone = [i for i, own in enumerate(self.groups) if self.uneven and len(own) > 1]
        yield from ((len(self.groups[arm]) - 1, [arm]) for arm in alone)
        if together := [arm for arm in range(len(self.groups)) if arm not in alone]:
            yield self.freedom, together

    def _square(self, arm: int) -> float:
        """An arm's own variance where they are uneven; a single seed borrows that of all."""
        own = self.groups[arm]
        return variance(own) if self.uneven and len(own) > 1 else self.pooled

    def seeds_needed(self, one: int, other: int) -> int | None:
        """Seeds of every arm that would tell two apart if means and spreads stayed as they are."""
        pair = self.groups[one], self.groups[other]
        gap = abs(fmean(pair[0]) - fmean(pair[1]))
        if gap == 0 or self.margin(one, other) == inf:
            return None
        squares = [variance(group) if self.uneven else self.pooled for group in pair]

        def enough(seeds: int) -> bool:
            return self._margin(squares, [seeds, seeds], len(self.groups) * (seeds - 1)) < gap

        practical = range(2, PATIENCE + 1)
        first = bisect_left(practical, True, key=enough)
        return practical[first] if first < len(practical) else None

    def scatter(self, seeds: int) -> float:
        """Up to this, means of so many seeds of one pair may differ by chance; infinite: who knows.

        The variance is that of the scores at hand, whichever arms they are of.
        """
        if self.freedom < 1:
            return inf
        return _student(self.freedom) * sqrt(2 * self.pooled / seeds)

    @property
    def family(self) -> int:
        """The arms whose range a difference has to exceed."""
        return max(len(self.groups), min(self.started, len(self.groups) + 1))

    @cached_property
    def freedom(self) -> int:
        """Degrees of freedom of the pooled variance."""
        return sum(len(group) - 1 for group in self.groups)

    @cached_property
    def pooled(self) -> float:
        """The variance of seeds, taken to be the same for every arm; NaN where no arm has two."""
        if self.freedom < 1:
            return float("nan")
        return sum(_squares(group) for group in self.groups) / self.freedom

    @cached_property
    def uneven(self) -> bool:
        """Whether some arms scatter far more than others.

        A ratio alone would not do: with three seeds of seven arms of equal spread, the largest
        variance is more than ten times the smallest four times in five.
        """
        several = [group for group in self.groups if len(group) > 1]
        variances = [variance(group) for group in several]
        if len(several) < 2 or max(variances) <= UNEVEN * min(variances):
            return False
        from scipy.stats import bartlett

        with catch_warnings():
            simplefilter("ignore")  # the logarithm of a variance of zero
            return bool(bartlett(*several).pvalue < 1 - LEVEL)

    def _margin(self, squares: Sequence[float], seeds: Sequence[int], pooled: int) -> float:
        """For two arms of these variances and numbers of seeds."""
        errors = [square / count for square, count in zip(squares, seeds, strict=True)]
        if not any(errors):
            return 0.0
        freedom: float = pooled
        if self.uneven:  # Welch and Satterthwaite
            shares = (error**2 / (n - 1) for error, n in zip(errors, seeds, strict=True))
            freedom = sum(errors) ** 2 / sum(shares)
        return _studentized_range(self.family, freedom) * sqrt(sum(errors) / 2)


def redraw_noise(draws: Sequence[Sequence[float]]) -> float | None:
    """Standard deviation of one redraw of the samples, pooled over networks, in logs."""
    several = [group for group in draws if len(group) > 1]
    if not several:
        return None
    freedom = len(list(chain(*several))) - len(several)
    return sqrt(sum(_squares(group) for group in several) / freedom)


def _squares(group: Sequence[float]) -> float:
    mean = fmean(group)
    return sum((value - mean) ** 2 for value in group)


@lru_cache(maxsize=256)
def _studentized_range(arms: int, freedom: float) -> float:
    from scipy.stats import studentized_range  # half a second, which only a ranking pays

    return float(studentized_range.ppf(LEVEL, arms, freedom))


@lru_cache(maxsize=256)
def _student(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, freedom))
