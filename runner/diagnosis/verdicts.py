"""Which troubles a trial had: told from its evidence, each with the figures and limits it rests on.

Health (runner/health.py) stops a trial, so it has to be sure; this tells why one was bad, so it has
to say what it sees. Limits come from the meaning of a figure, from published curves, or from
trials on other data than those that docs/diagnosis.md reports on; each says which.
"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from runner.diagnosis.evidence import Curve, Evidence, column, names_of
from runner.health import BETTER, EARLY, LATE
from runner.race import LEARNT
from runner.troubles import CERTAIN, Answer, Figure, Finding, Trouble
from runner.wording import figures, images

# Mode collapse. Half of the real images are of kinds that the samples hardly show; or samples are
# half as far from the nearest other as real images, so that in d dimensions they fill 2^-d of it.
NEGLECTED = 0.5
CLOSE = 0.5

# Adam and RMSprop divide a gradient by its size plus 1e-8: at that size they step by half.
VANISHED = 1e-8
FADED = 1e-3  # of what it was at first: three orders, where a falling loss takes one

# Unstable training.
START = 0.1  # of the curve: what happens there is the beginning
SPIKE = 10.0  # times what is usual
OFTEN = 0.02  # of the points of a curve: one spike is survived, one in fifty is the rule
EXPLODED = 100.0  # times what a loss was at first, and what is large for the logarithm of anything

# Imbalance: of pairs, how often the critic scores the real image higher. Beyond: CERTAIN.
GUESSING = 0.55

# Checkerboards: a hundredth of the range of grey levels is about what eyes can see (the contrast
# sensitivity of most is some 100 at best), and it has to stand out beside what real images have.
VISIBLE = 2.56
OVER_REAL = 4.0
# Of so few kinds, what images have in common may be what they show: of Fashion-MNIST's and CIFAR-10's
# images, taken one by one, up to a quarter would be beyond both limits, and 0.3 % beyond this one.
ALIKE = 3.0
OVER_ONE = 100.0


def findings(known: Evidence) -> tuple[Finding, ...]:
    """One for each trouble."""
    return tuple(judge(known) for judge in JUDGES)


def mode_collapse(known: Evidence) -> Finding:
    made = known.samples
    if made is None or made.neglected is None or made.closeness is None:
        return untold("mode-collapse", known.no_samples or "there are too few images for kinds")
    seen = (
        Figure(says="real images of kinds that it neglects", value=made.neglected, limit=NEGLECTED),
        Figure(
            says="distance to the nearest other sample, over that of real images",
            value=made.closeness,
            limit=CLOSE,
            beyond="below",
        ),
        Figure(says="kinds that it shows", value=made.cells or 0),
        Figure(says="kinds that real images show", value=made.cells_of_real or 0),
        Figure(says="spread of features, over that of real images", value=made.spread),
        *beside("coverage", made.coverage),
        *beside("recall", made.recall),
    )
    few = f"{made.cells:.1f} kinds of image where real ones show {made.cells_of_real:.1f}"
    if not any(each.speaks for each in seen):
        return Finding(
            trouble="mode-collapse", answer="not found", says=f"it shows {few}", figures=seen
        )
    if on_its_way_out(known):
        says = f"it shows {few}, but ever more of them: it has not been trained for long enough"
        return Finding(trouble="mode-collapse", answer="not found", says=says, figures=seen)
    says = (
        f"it shows {few}, and neglects those of {100 * made.neglected:.0f} % of real images; its "
        f"samples are {100 * made.closeness:.0f} % as far from one another as real ones"
    )
    return Finding(trouble="mode-collapse", answer="found", says=says, figures=seen)


def on_its_way_out(known: Evidence) -> bool:
    """What has hardly begun shows one kind of image, too: but it was never more varied before."""
    spreads = [look.spread for look in known.looks if look.spread is not None]
    if len(spreads) < 2 or len(spreads) < len(known.looks):
        return False
    before, now = known.looks[-2:]
    return spreads[-1] > max(spreads[:-1]) / BETTER and now.value < BETTER * before.value


def vanishing_gradient(known: Evidence) -> Finding:
    slopes = column(known.signs, "slope")
    if len(slopes) < 10:
        return untold("vanishing-gradient", "the size of the generator's gradient was not logged")
    first, last = median(slopes[: tenth(slopes)]), median(slopes[-tenth(slopes) :])
    told = late(known.signs, "told-apart")
    size = Figure(
        says="generator's gradient in the last tenth, root mean square",
        value=last,
        limit=VANISHED,
        beyond="below",
    )
    share = Figure(
        says="the same, over that of the first tenth",
        value=last / first if first else 1.0,
        limit=FADED,
        beyond="below",
    )
    sure = beside("pairs that the critic tells apart", told, CERTAIN)
    seen = (size, share, *sure)
    faded = share.speaks and all(each.speaks for each in sure) and no_better_since(known)
    if size.speaks or faded:
        says = f"the generator's gradient is {size.value:.0e}, and was {first:.0e} at first"
        says += (
            ": its optimizer hardly steps" if size.speaks else ", and nothing is learnt any more"
        )
        return Finding(trouble="vanishing-gradient", answer="found", says=says, figures=seen)
    says = f"the generator's gradient is {size.value:.0e} in the last tenth"
    return Finding(trouble="vanishing-gradient", answer="not found", says=says, figures=seen)


def unstable_training(known: Evidence) -> Finding:
    if known.status == "diverged":
        says = f"it diverged: {known.why}"
        return Finding(trouble="unstable-training", answer="found", says=says)
    if len(known.losses) < 20:
        return untold("unstable-training", "its losses were not logged")
    spiky = max((spikes(column(known.losses, name)) for name in names_of(known.losses)), default=0)
    grown = max((growth(column(known.losses, name)) for name in names_of(known.losses)), default=0)
    swings = swung([look.value for look in known.looks])
    seen = (
        Figure(says="points of a loss that are spikes", value=spiky, limit=OFTEN),
        Figure(says="a loss at the end, over its size at first", value=grown, limit=EXPLODED),
        Figure(says=f"swings of the distance by {LATE:g} times and back", value=swings, limit=0),
    )
    reasons = [
        f"{100 * spiky:.0f} % of the points of a loss are spikes" if seen[0].speaks else "",
        f"a loss grew {figures(grown)}-fold" if seen[1].speaks else "",
        f"the distance rose {LATE:g}-fold and fell again, {swings} times" if seen[2].speaks else "",
    ]
    if told := ", ".join(filter(None, reasons)):
        return Finding(trouble="unstable-training", answer="found", says=told, figures=seen)
    says = "losses and distances go their way without spikes and swings"
    return Finding(trouble="unstable-training", answer="not found", says=says, figures=seen)


def non_convergence(known: Evidence) -> Finding:
    values = [look.value for look in known.looks]
    if known.status == "diverged":
        says = f"it diverged: {known.why}"
        return Finding(trouble="non-convergence", answer="found", says=says)
    if len(values) < 3:
        return untold("non-convergence", f"{len(values)} looks are too few")
    best, last = min(values), values[-1]
    early, since = before_and_since(known)
    late_ones = [look.value for look in known.looks[-max(3, len(values) // 3) :]]
    fallen = Figure(says="last distance, over the best one", value=last / best, limit=LATE)
    apart = Figure(
        says="largest distance of the last third, over the smallest",
        value=max(late_ones) / min(late_ones),
        limit=LATE,
    )
    seen = [fallen, apart]
    never = nothing = False
    if known.chance is not None:
        far = Figure(
            says="last distance, over that of what takes no learning",
            value=last / known.chance,
            limit=1.0,
        )
        seen.append(far)
        nothing = far.speaks
    if early and since and known.chance is not None:
        gained = Figure(
            says="best distance of the last two thirds, over that of the first",
            value=min(since) / min(early),
            limit=BETTER,
        )
        idle = Figure(
            says="best distance, over that of what takes no learning",
            value=best / known.chance,
            limit=LEARNT,
        )
        seen += [gained, idle]
        never = gained.speaks and idle.speaks
    falling = late_ones == sorted(late_ones, reverse=True)
    if fallen.speaks:
        at = known.looks[values.index(best)].images_seen
        says = (
            f"it was {figures(last / best)} times as near after {images(at)} images as at its end"
        )
    elif apart.speaks and not falling:
        says = f"in the last third distances differ {figures(apart.value)}-fold, up and down"
    elif nothing:
        says = f"at its end it is as far as what takes no learning, {figures(last)}"
    elif never:
        says = f"the best distance, {figures(best)}, is hardly better than what takes no learning"
    else:
        says = "it got nearer and stayed there"
        if falling and apart.value > 1 / BETTER:
            says = "it was still getting nearer at its end: training further may pay"
        return Finding(
            trouble="non-convergence", answer="not found", says=says, figures=tuple(seen)
        )
    return Finding(trouble="non-convergence", answer="found", says=says, figures=tuple(seen))


def imbalance(known: Evidence) -> Finding:
    told = late(known.signs, "told-apart")
    if told is None:
        return untold("imbalance", "how often the critic tells images apart was not logged")
    if known.chance is None or not known.looks:
        return untold("imbalance", known.no_samples or "it was never looked at")
    poor = Figure(
        says="last distance, over that of what takes no learning",
        value=known.looks[-1].value / known.chance,
        limit=LEARNT,
    )
    strong = Figure(says="pairs that the critic tells apart", value=told, limit=CERTAIN)
    weak = Figure(
        says="pairs that the critic tells apart", value=told, limit=GUESSING, beyond="below"
    )
    share = f"the critic tells {100 * told:.0f} % of pairs apart"
    far = f"the images are {100 * poor.value:.0f} % as far as what takes no learning"
    if poor.speaks and strong.speaks:
        says = f"{share} and the generator does not follow: {far}"
        return Finding(trouble="imbalance", answer="found", says=says, figures=(strong, poor))
    if poor.speaks and weak.speaks:
        says = f"{share} and so teaches the generator nothing: {far}"
        return Finding(trouble="imbalance", answer="found", says=says, figures=(weak, poor))
    return Finding(
        trouble="imbalance", answer="not found", says=f"{share}, and {far}",
        figures=(strong, weak, poor),
    )  # fmt: skip


def memorised(known: Evidence) -> Finding:
    made = known.samples
    if made is None or made.share_copied is None:
        return untold("memorisation", known.no_samples or "of points any two are alike")
    expected = made.share_expected or 0.0
    seen = (
        Figure(says="samples nearer to a training image than usual", value=made.share_copied),
        Figure(says="the same, of fresh images", value=expected),
        Figure(says="z of all their distances to training images", value=made.copies_z or 0.0),
    )
    share = f"{100 * made.share_copied:.1f} % of samples are nearer to a training image than "
    share += f"{100 * (1 - expected):.0f} % of held-out images are"
    answer: Answer = "found" if made.copies_found else "not found"
    return Finding(trouble="memorisation", answer=answer, says=share, figures=seen)


def checkerboard(known: Evidence) -> Finding:
    made = known.samples
    if made is None or made.levels is None or made.ripple is None:
        return untold("checkerboard", known.no_samples or "points, and tiny images, have no grid")
    alike = made.cells is None or made.cells < ALIKE
    over = OVER_ONE if alike else OVER_REAL
    seen = (
        Figure(says="amplitude of the pattern, grey levels", value=made.levels, limit=VISIBLE),
        Figure(says="its power over that of real images", value=made.ripple, limit=over),
    )
    if alike and made.levels > VISIBLE and OVER_REAL < made.ripple <= OVER_ONE:
        why = "its images are too few of kind to part a pattern of the grid from what they show"
        return untold("checkerboard", why)
    pattern = f"the strongest pattern of the pixel grid, one of {made.period} px, lifts and lowers "
    pattern += f"pixels by {figures(made.levels, 2)} of 256 levels"
    answer: Answer = "found" if all(each.speaks for each in seen) else "not found"
    return Finding(trouble="checkerboard", answer=answer, says=pattern, figures=seen)


JUDGES: tuple[Callable[[Evidence], Finding], ...] = (
    mode_collapse,
    vanishing_gradient,
    unstable_training,
    non_convergence,
    imbalance,
    memorised,
    checkerboard,
)


# What they are told from -------------------------------------------------------------------------


def untold(trouble: Trouble, why: str) -> Finding:
    return Finding(trouble=trouble, answer="cannot be told", says=why)


def beside(says: str, value: float | None, limit: float | None = None) -> tuple[Figure, ...]:
    return () if value is None else (Figure(says=says, value=value, limit=limit),)


def tenth(values: Sequence[float]) -> int:
    return max(1, round(START * len(values)))


def late(curve: Curve, name: str) -> float | None:
    """What it usually was after the beginning."""
    values = column(curve, name)
    return median(values[tenth(values) :]) if len(values) >= 10 else None


class Parted(NamedTuple):
    early: list[float]  # distances
    since: list[float]


def before_and_since(known: Evidence) -> Parted:
    end = EARLY * known.trial.budget
    early = [look.value for look in known.looks if look.images_seen <= end]
    return Parted(early, [look.value for look in known.looks if look.images_seen > end])


def no_better_since(known: Evidence) -> bool:
    early, since = before_and_since(known)
    return not early or not since or min(since) > BETTER * min(early)


def size(values: Sequence[float]) -> float:
    """Of a loss at first; 1 where that is less, since logarithms are of that order."""
    return max(1.0, median(abs(each) for each in values[: tenth(values)]))


def spikes(values: Sequence[float]) -> float:
    """The share of points after the beginning that are far above what is usual, then or for logs."""
    if len(values) < 20:
        return 0.0
    sizes = [abs(each) for each in values[tenth(values) :]]
    usual = max(1.0, median(sizes))
    return sum(each > SPIKE * usual for each in sizes) / len(sizes)


def growth(values: Sequence[float]) -> float:
    if len(values) < 20:
        return 0.0
    return median(abs(each) for each in values[-len(values) // 5 :]) / size(values)


def swung(values: Sequence[float]) -> int:
    """How often distances rose by LATE from their lowest, and fell by as much again."""
    swings, low, high = 0, float("inf"), 0.0
    up = False
    for value in values:
        if not up:
            low = min(low, value)
            if value >= LATE * low:
                up, high = True, value
        else:
            high = max(high, value)
            if value <= high / LATE:
                swings, up, low = swings + 1, False, value
    return swings
