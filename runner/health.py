"""Trials that no more training would save: told from what is logged anyway, with the figures.

To stop a healthy trial is worse than to train a sick one to its end. So every verdict asks for
several things at once, and for some time; what they do to healthy trials and to such as were made
sick on purpose stands in docs/what-can-go-wrong.md (tests/benchmarks/health.py).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from advisor.recommendation import REMEMBERED, Candidate, Recommendation
from runner.metrics import Reference, secondary_of
from runner.metrics.frechet import Features
from runner.race import LEARNT
from runner.results import Leaderboard, Look, Status, TrialResult
from runner.rounds import Look as Point
from runner.wording import figures, images

ROUNDS = 2000  # before these a healthy GAN may not have begun: a share of a short run is too little
LASTING = 0.1  # of the budget: for so long the generator's gradient has to be gone

# Adam and RMSprop divide a gradient by its size plus 1e-8: at a tenth of that they step a tenth.
GONE = 1e-9

# Of what real images show. Small DCGANs that had hardly begun on Fashion-MNIST covered 0.018 at a
# spread of 0.8; on a ring of points a gradient penalty took an MLP through 0 and 0.35 on its way.
COVERED = 0.01
APART = 0.1

EARLY = 1 / 3  # of the budget: what is not better than the best look in here has not learnt since
BETTER = 0.95  # looks scatter by a few per cent
APART_FROM_REAL = 0.99  # of pairs the critic knows which image is the real one

# On CIFAR-10 the last FID of a run was either at most 1.22 times its best one or at least 1.5 times
# (StudioGAN's logs).
LATE = 1.4


class Course(NamedTuple):
    """How a trial has gone up to a look."""

    budget: int
    rounds: int
    looks: Sequence[Look]
    curve: Sequence[Point]
    chance: Callable[[], float]  # the distance of what takes no learning; asked for when it matters


class Finding(NamedTuple):
    status: Status
    why: str


def hopeless(course: Course) -> Finding | None:
    """Whether to stop."""
    if course.rounds < ROUNDS or not course.looks:
        return None
    for sign in (without_gradient, all_alike, not_learning):
        if found := sign(course):
            return found
    return None


def without_gradient(course: Course) -> Finding | None:
    """The critic is so sure that nothing reaches the generator's weights any more."""
    since = course.looks[-1].images_seen - LASTING * course.budget
    slopes = [
        p.signs["slope"] for p in course.curve if p.images_seen > since and "slope" in p.signs
    ]
    if len(slopes) < 3 or max(slopes) >= GONE:
        return None
    return Finding(
        "critic-won",
        f"the generator's gradient is at most {max(slopes):.0e}, which its optimizer cannot tell "
        f"from none{scores(course)}",
    )


def all_alike(course: Course) -> Finding | None:
    """At two looks in a row, and not on the way out of it."""
    if len(course.looks) < 2:
        return None
    before, now = course.looks[-2:]
    alike = all(
        look.coverage is not None
        and look.spread is not None
        and look.coverage < COVERED
        and look.spread < APART
        for look in (before, now)
    )
    if not alike or now.value < BETTER * before.value:
        return None
    return Finding(
        "collapsed",
        f"its images are {100 * (now.spread or 0):.1f} % as far apart as real ones and near "
        f"{100 * (now.coverage or 0):.1f} % of them, at two looks in a row",
    )


def not_learning(course: Course) -> Finding | None:
    """No better than early on, and that was as good as nothing."""
    now = course.looks[-1].images_seen
    early = [look.value for look in course.looks if look.images_seen <= EARLY * course.budget]
    since = [look.value for look in course.looks if look.images_seen > EARLY * course.budget]
    if now < 2 * EARLY * course.budget or not early or len(since) < 2:
        return None
    best = min(*early, *since)
    if min(since) < BETTER * min(early) or best < LEARNT * course.chance():
        return None
    says = (
        f"no look after {images(round(EARLY * course.budget))} images was better than those "
        f"before, and the best, {figures(best)}, is not far from what takes no learning, "
        f"{figures(course.chance())}"
    )
    told = [
        p.signs["told-apart"]
        for p in course.curve
        if p.images_seen > EARLY * course.budget and "told-apart" in p.signs
    ]
    if told and min(told) > APART_FROM_REAL:
        return Finding(
            "critic-won", f"{says}; its critic tells every image from real{scores(course)}"
        )
    return Finding("stalled", says)


def scores(course: Course) -> str:
    last = next((p.signs for p in reversed(course.curve) if "real-score" in p.signs), None)
    if last is None:
        return ""
    return (
        f": it scores real images {figures(last['real-score'])} and generated ones "
        f"{figures(last['fake-score'])} on average"
    )


def late_collapse(looks: Sequence[Look]) -> str | None:
    """No reason to stop, since some recover; but whoever reads the ranking ought to know."""
    if len(looks) < 2:
        return None
    best, last = min(looks, key=lambda look: look.value), looks[-1]
    if last.value < LATE * best.value:
        return None
    return (
        f"it was better before: at {figures(best.value)} after {images(best.images_seen)} images, "
        f"and {last.value / best.value:.1f} times as far at the end"
    )


# Of a look ---------------------------------------------------------------------------------------


class Diversity(NamedTuple):
    coverage: float | None  # the share of real images that some generated one is near to
    spread: float  # how far apart generated images are, beside real ones


def diversity(features: Features, reference: Reference) -> Diversity:
    covered = secondary_of(features, reference, ("coverage",))
    apart = spread(features) / max(spread(reference.features), 1e-12)
    return Diversity(covered.get("coverage"), apart)


def spread(features: Features) -> float:
    """Root mean square distance of two of them, but for a factor."""
    return float(np.sqrt(np.var(features, axis=0, dtype=np.float64).sum()))


# What was foreseen -------------------------------------------------------------------------------

ISSUES: dict[Status, tuple[str, ...]] = {
    "diverged": ("unstable-training", "non-convergence"),
    "collapsed": ("mode-collapse", "low-diversity"),
    "critic-won": ("vanishing-gradient", "imbalance"),
    "stalled": ("vanishing-gradient", "imbalance", "non-convergence", "unstable-training"),
}


def with_foreseen(
    board: Leaderboard, advice: Recommendation, results: Sequence[TrialResult]
) -> Leaderboard:
    """Beside what went wrong, what the advice had said would."""
    arms = {arm.id: arm for arm in advice.arms}
    met = {(result.trial.arm, result.status): None for result in results}
    said = {
        each.arm: tuple(
            dict.fromkeys(
                says
                for arm, status in met
                if arm == each.arm and arm in arms
                for says in foreseen(arms[arm], status)
            )
        )
        for each in board.standings
    }
    standings = (each.model_copy(update={"foreseen": said[each.arm]}) for each in board.standings)
    return board.model_copy(update={"standings": tuple(standings)})


def foreseen(arm: Candidate, status: Status) -> tuple[str, ...]:
    """What the advice had said of how an arm fails, where that could be what happened."""
    if status not in ISSUES:
        return ()
    fails = (
        (f"{failure.says}; try {failure.then}" if failure.then else failure.says)
        + ("" if failure.verified else f" ({REMEMBERED})")
        for failure in arm.fails
    )
    troubles = (each.says for each in arm.troubles if each.issue in ISSUES[status])
    return (*fails, *troubles)
