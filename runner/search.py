"""Several settings of each arm: where they come from, and what so many tries of an arm are worth.

One lucky setting says little of a GAN. Lucic et al. (2018, section 5) draw settings at random from
wide ranges and compare what the best of k of them reaches.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb, floor, inf, isfinite, log10
from typing import Literal, NamedTuple

from knowledge.library import Library
from knowledge.numbers import SearchSpace
from knowledge.recipes import objections
from knowledge.schema import Part, Recipe, Value
from runner.comparison import LEVEL
from runner.wording import counted

Breadth = Literal["wide", "narrow"]
TRIES = 100  # of a draw that no rule objects to
REARRANGED = 9999  # ways to share distances out among two arms, where there are more


# Settings ----------------------------------------------------------------------------------------


class Setting(NamedTuple):
    """One way to train an arm."""

    number: int  # 0: as published
    recipe: Recipe
    says: str  # what was varied: "rate 3.1e-4, β₁ 0.52, λ 12"


def settings(
    recipe: Recipe, count: int, library: Library, *, seed: int = 0, breadth: Breadth = "wide"
) -> tuple[Setting, ...]:
    """The published setting, and others drawn from published ranges, `count` in all.

    Only what the recipe has is varied, and no rule of coherence is broken that it does not break.
    Arms draw alike: with the same seed, setting 3 of two arms has the same rate.
    """
    ranges = ranges_for(recipe, library, breadth)
    first = Setting(0, recipe, f"as published: {words(recipe, ranges)}")
    return (first, *(drawn(recipe, at, ranges, library, seed) for at in range(1, count)))


def ranges_for(recipe: Recipe, library: Library, breadth: Breadth) -> dict[str, SearchSpace]:
    """What can be varied, with the range for it: a study's for this kind of GAN, or its for all."""
    found: dict[str, SearchSpace] = {}
    for space in library.hyperparameters.searches:
        if not space.id.startswith(f"lucic-{breadth}"):
            continue
        if space.model is None or KINDS.get(space.model, "nothing") in parts_of(recipe):
            for name in (*space.ranges, *space.log10_ranges, *space.choices):
                if now(recipe, name) is not None:
                    found[name] = space
    return found


# A range that a study gives for one GAN is for whatever has the part that makes it that GAN.
KINDS = {
    "wgan": "weight-clipping",
    "wgan-gp": "gradient-penalty",
    "dragan": "dragan",
    "began": "equilibrium",
}
SLOPES = ("gradient-penalty", "dragan")  # penalties that a weight was searched for


def parts_of(recipe: Recipe) -> set[str]:
    parts = (*recipe.penalties, *recipe.constraints, recipe.loss)
    return {part.name for part in parts}


def drawn(
    recipe: Recipe, number: int, ranges: Mapping[str, SearchSpace], library: Library, seed: int
) -> Setting:
    """Raises ValueError where every draw breaks a rule."""
    allowed = {rule.id for rule in objections(recipe, library)}
    for attempt in range(TRIES):
        changed = recipe
        for name, space in ranges.items():
            # By name: what one arm varies and another does not leaves the others' draws alone.
            rng = random.Random(f"{seed}/{number}/{attempt if name in STRUCTURAL else 0}/{name}")
            changed = with_value(changed, name, value_from(space, name, rng))
        if {rule.id for rule in objections(changed, library)} <= allowed:
            return Setting(number, changed, words(changed, ranges))
    raise ValueError(f"no setting of {', '.join(ranges)} is coherent with this recipe")


STRUCTURAL = ("critic_batch_norm",)  # the only one that a rule of coherence may mind


def value_from(space: SearchSpace, name: str, rng: random.Random) -> Value:
    """Rounded to what is told of it, so that the words say all."""
    if name in space.log10_ranges:
        return rounded(10 ** rng.uniform(*space.log10_ranges[name]))
    if name in space.ranges:
        return min(round(rng.uniform(*space.ranges[name]), 2), 0.99)  # one is no momentum
    return rng.choice(space.choices[name])


def rounded(value: float) -> float:
    """To two significant digits."""
    return float(f"{value:.1e}")


def now(recipe: Recipe, name: str) -> Value | None:
    """What a recipe has; None: it has no such thing."""
    optimizer = recipe.optimizer
    if name == "beta1":
        return optimizer.betas[0] if optimizer.name == "adam" else None
    if name == "critic_batch_norm":
        plain = recipe.critic_norm in ("none", "batch-norm") and not recipe.normalizers
        return recipe.critic_norm == "batch-norm" if plain else None
    if name == "penalty_weight":
        slope = next((part for part in recipe.penalties if part.name in SLOPES), None)
        # BEGAN's weight is the gain of its balance.
        return setting_of(slope, "weight", 10.0) or setting_of(balance(recipe), "gain", 0.001)
    if name == "clipping":
        clipping = (part for part in recipe.constraints if part.name == "weight-clipping")
        return setting_of(next(clipping, None), "limit", 0.01)
    if name == "gamma":
        return setting_of(balance(recipe), "diversity", 0.5)
    known: dict[str, Value] = {"rate": optimizer.rate, "critic_steps": optimizer.critic_steps}
    return known.get(name)


def balance(recipe: Recipe) -> Part | None:
    return recipe.loss if recipe.loss.name == "equilibrium" else None


def setting_of(part: Part | None, name: str, default: float) -> Value | None:
    return part.settings.get(name, default) if part else None


def with_value(recipe: Recipe, name: str, value: Value) -> Recipe:
    optimizer = recipe.optimizer
    change: dict[str, object] = {}
    if name == "rate":
        change["rate"] = value
        if optimizer.critic_rate is not None:  # two time scales keep their ratio
            change["critic_rate"] = rounded(optimizer.critic_rate * float(value) / optimizer.rate)
    elif name == "beta1":
        change["betas"] = (value, optimizer.betas[1])
    elif name == "critic_steps":
        change["critic_steps"] = value
    if change:
        return recipe.model_copy(update={"optimizer": optimizer.model_copy(update=change)})
    if name == "critic_batch_norm":
        return recipe.model_copy(update={"critic_norm": "batch-norm" if value else "none"})
    if name == "clipping":
        return with_setting(recipe, "constraints", ("weight-clipping",), "limit", value)
    if name == "penalty_weight" and balance(recipe) is None:
        return with_setting(recipe, "penalties", SLOPES, "weight", value)
    return recipe.model_copy(
        update={"loss": part_with(recipe.loss, "diversity" if name == "gamma" else "gain", value)}
    )


def with_setting(
    recipe: Recipe, field: str, names: Sequence[str], setting: str, value: Value
) -> Recipe:
    parts = tuple(
        part_with(part, setting, value) if part.name in names else part
        for part in getattr(recipe, field)
    )
    return recipe.model_copy(update={field: parts})


def part_with(part: Part, setting: str, value: Value) -> Part:
    return part.model_copy(update={"settings": {**part.settings, setting: value}})


def words(recipe: Recipe, ranges: Mapping[str, SearchSpace]) -> str:
    return ", ".join(said(recipe, name) for name in WORDS if name in ranges)


WORDS = {
    "rate": "rate {}",
    "beta1": "β₁ {}",
    "penalty_weight": "λ {}",
    "clipping": "clipping {}",
    "gamma": "γ {}",
    "critic_steps": "",
    "critic_batch_norm": "",
}


def said(recipe: Recipe, name: str) -> str:
    value = now(recipe, name)
    if name == "critic_steps":
        return counted(int(value or 0), "critic step")
    if name == "critic_batch_norm":
        return "batch norm in the critic" if value else "no norm in the critic"
    return WORDS[name].format(short(float(value or 0)))


def short(value: float) -> str:
    """3.1e-4, 0.52, 12."""
    if value and abs(value) < 0.001:
        exponent = floor(log10(abs(value)))
        return f"{value / 10**exponent:.2g}e{exponent}"
    return f"{value:.2g}"


# What so many tries are worth --------------------------------------------------------------------


class Best(NamedTuple):
    """The lowest distance among so many settings drawn at random."""

    draws: int
    expected: float  # infinite where all of them may fail
    median: float  # half of the time it is below this
    low: float  # 95 % interval of that median; nothing is known below: 0
    high: float


def best_of(distances: Sequence[float]) -> tuple[Best, ...]:
    """For every number of draws from one to as many as there are. A failure is infinitely far.

    `expected` is Lucic et al.'s curve: the mean over all ways to take so many of the settings at
    hand, unbiased for fresh ones. The interval there is a bootstrap over the settings, which is too
    short, since resampling finds no setting better than the best at hand: of ten log-normal
    distances it covers nine times in ten at most, and half the time where all ten are drawn. Half
    of the time the best of k is below the quantile 1 - 2 ** (-1/k) of single settings, and order
    statistics give an interval for a quantile that covers 95 % or more whatever the distribution.
    """
    ordered = ascending(distances)
    return tuple(best_of_draws(ordered, draws) for draws in range(1, len(ordered) + 1))


def ascending(distances: Sequence[float]) -> list[float]:
    return sorted(distance if isfinite(distance) else inf for distance in distances)


def best_of_draws(ordered: Sequence[float], draws: int) -> Best:
    weights = chances(len(ordered), draws)
    expected = sum(w * d for w, d in zip(weights, ordered, strict=True) if w)
    below, median = 0.0, inf
    for weight, distance in zip(weights, ordered, strict=True):
        below += weight
        if below >= 0.5 - 1e-12:
            median = distance
            break
    return Best(draws, expected, median, *quantile_interval(ordered, 1 - 0.5 ** (1 / draws)))


def chances(count: int, draws: int) -> list[float]:
    """Of each of so many, in their order, to be the first among draws without replacement."""
    return [comb(count - at - 1, draws - 1) / comb(count, draws) for at in range(count)]


def quantile_interval(ordered: Sequence[float], quantile: float) -> tuple[float, float]:
    """Between two order statistics (David & Nagaraja, 2003, section 7.1); 0 and infinity: none."""
    count, tail = len(ordered), (1 - LEVEL) / 2
    low, high = 0.0, inf
    under = 0.0  # probability that fewer than `at` of them are below the quantile
    for at, distance in enumerate(ordered, 1):
        under += comb(count, at - 1) * quantile ** (at - 1) * (1 - quantile) ** (count - at + 1)
        if under <= tail:
            low = distance
        if under >= 1 - tail:
            return low, distance
    return low, high


# Arms against one another ------------------------------------------------------------------------


def beats(one: Sequence[float], other: Sequence[float], draws: int = 1) -> float:
    """How often the best of so many settings of one arm is lower than that of another's.

    Over all ways to take them; ties, and both failing, count half.
    """
    lower = 0.0
    theirs = list(zip(chances(len(other), draws), ascending(other), strict=True))
    for weight, distance in zip(chances(len(one), draws), ascending(one), strict=True):
        for against, rival in theirs:
            lower += weight * against * ((distance < rival) + (distance == rival) / 2)
    return lower


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether at every distance one arm has a larger share of its settings below, or an equal one.

    Then it is the better one for any number of draws. Of the settings at hand; no test.
    """
    shares = [
        (share(one, level), share(other, level)) for level in (*one, *other) if isfinite(level)
    ]
    return all(own >= theirs for own, theirs in shares) and any(o > t for o, t in shares)


def share(distances: Sequence[float], level: float) -> float:
    return sum(distance <= level for distance in distances) / len(distances)


def told_apart(arms: Mapping[str, Sequence[float]]) -> frozenset[tuple[str, str]]:
    """Pairs (better, worse) whose settings rank too differently for chance, all pairs at once.

    Wilcoxon and Mann and Whitney's sum of ranks, by rearranging, since failures tie; Holm's steps.
    """
    pairs = sorted((p_value(arms[a], arms[b]), a, b) for a, b in combinations(arms, 2))
    apart: list[tuple[str, str]] = []
    for at, (p, one, other) in enumerate(pairs):
        if p > (1 - LEVEL) / (len(pairs) - at):
            break
        better = beats(arms[one], arms[other]) > 0.5
        apart.append((one, other) if better else (other, one))
    return frozenset(apart)


def p_value(one: Sequence[float], other: Sequence[float]) -> float:
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata([*ascending(one), *ascending(other)])
    rng = np.random.default_rng(0)
    shared_out = rng.permuted(np.tile(ranks, (REARRANGED, 1)), axis=1)[:, : len(one)]
    gap = abs(ranks[: len(one)].mean() - ranks.mean())
    as_large = abs(shared_out.mean(1) - ranks.mean()) >= gap - 1e-9
    return float(1 + as_large.sum()) / (REARRANGED + 1)
