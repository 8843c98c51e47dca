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
WIDE = 0.3  # by chance as many arms as that count as wide
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
        if self.freedom < 1 or len(self.groups) < 2:
            return inf
        pair = self.groups[one], self.groups[other]
        return self._margin(pair, [len(group) for group in pair], self.freedom)

    def interval(self, arm: int) -> tuple[float, float] | None:
        """Where the mean of an arm lies: from pooled variance, or from its own if that is wider."""
        own = self.groups[arm]
        alone = self._alone(arm)
        freedom = len(own) - 1 if alone else self.freedom
        if freedom < 1:
            return None
        square = variance(own) if alone else self.pooled
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
        alone = [i for i, own in enumerate(self.groups) if self._alone(i) and len(own) > 1]
        yield from ((len(self.groups[arm]) - 1, [arm]) for arm in alone)
        if together := [arm for arm in range(len(self.groups)) if arm not in alone]:
            yield self.freedom, together

    def _alone(self, arm: int) -> bool:
        """Whether its scatter is its own affair: intervals and probabilities go by the same one."""
        return self.uneven or self._wide(arm)

    def _square(self, arm: int) -> float:
        """An arm's own variance where they are uneven; a single seed borrows that of all."""
        own = self.groups[arm]
        return variance(own) if self._alone(arm) and len(own) > 1 else self.pooled

    def seeds_needed(self, one: int, other: int) -> int | None:
        """Seeds of every arm that would tell two apart if means and spreads stayed as they are."""
        pair = self.groups[one], self.groups[other]
        gap = abs(fmean(pair[0]) - fmean(pair[1]))
        if gap == 0 or self.margin(one, other) == inf:
            return None
        arms = len(self.groups)

        def enough(seeds: int) -> bool:
            return self._margin(pair, [seeds, seeds], arms * (seeds - 1)) < gap

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

    def _wide(self, arm: int) -> bool:
        """Whether an arm scatters more than the others: pooled, its interval would be too short.

        A lenient test: it lengthens intervals by a tenth where spreads are equal, and keeps their
        coverage above 90 % where one arm scatters two, three or five times as much.
        """
        own = self.groups[arm]
        rest = self.freedom - (len(own) - 1)
        if len(own) < 2 or rest < 1:
            return False
        others = (self.freedom * self.pooled - _squares(own)) / rest
        return variance(own) > others * _ratio(len(own) - 1, rest)

    def _margin(
        self, pair: Sequence[Sequence[float]], seeds: Sequence[int], freedom: float
    ) -> float:
        """Of two arms that had so many seeds, where the pooled variance had so much freedom."""
        pooled = self._range([self.pooled / count for count in seeds], freedom)
        if min(map(len, pair)) < 2:
            return inf if self.uneven else pooled
        if not self.uneven and self.family > 2:
            return pooled
        errors = [variance(group) / count for group, count in zip(pair, seeds, strict=True)]
        shares = sum(error**2 / (n - 1) for error, n in zip(errors, seeds, strict=True))
        welch = sum(errors) ** 2 / shares if shares else inf  # Welch and Satterthwaite
        own = self._range(errors, welch)
        # Of two arms alone no third one hides anything, and the more cautious test can be had.
        return own if self.uneven else max(own, pooled)

    def _range(self, errors: Sequence[float], freedom: float) -> float:
        if not any(errors):
            return 0.0
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
    if arms == 2:  # which takes a quarter of a second otherwise
        return sqrt(2) * _student(freedom)
    from scipy.stats import studentized_range  # half a second, which only a ranking pays

    return float(studentized_range.ppf(LEVEL, arms, freedom))


@lru_cache(maxsize=256)
def _student(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, freedom))


@lru_cache(maxsize=256)
def _ratio(freedom: int, others: int) -> float:
    from scipy.stats import f

    return float(f.isf(WIDE, freedom, others))
