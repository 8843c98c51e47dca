"""Where things stand in the report's drawings: log axes, curves of looks, intervals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import floor, isfinite, log, log10
from typing import NamedTuple

from runner.report.contents import Course
from runner.results import Look, Standing
from runner.wording import duration, figures, images

# The coarsest of these that puts enough marks on an axis is taken.
MARKS = (
    (1,),
    (1, 3),
    (1, 2, 5),
    (1, 1.5, 2, 3, 4, 5, 7),
    tuple(m / 10 for m in range(10, 100, 2)),
    tuple(m / 100 for m in range(100, 1000, 5)),
)
ENOUGH = 3


class Axis(NamedTuple):
    """A logarithmic axis between two places of the drawing."""

    low: float
    high: float
    start: float  # where `low` stands
    end: float

    def place(self, value: float) -> float:
        share = log(min(max(value, self.low), self.high) / self.low) / log(self.high / self.low)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def marks(self) -> list[float]:
        for steps in MARKS:
            found = list(self._within(steps))
            if len(found) >= ENOUGH:
                return found
        return found

    def _within(self, steps: Sequence[float]) -> Iterator[float]:
        for power in range(floor(log10(self.low)), floor(log10(self.high)) + 1):
            yield from (s * 10.0**power for s in steps if self.low <= s * 10.0**power <= self.high)


def axis(values: Iterable[float], start: float, end: float, *, room: float = 0.06) -> Axis | None:
    """With some room on both sides; None where there is nothing to show."""
    shown = [value for value in values if isfinite(value) and value > 0]
    if not shown:
        return None
    low, high = min(shown), max(shown)
    more = max((high / low) ** room, 1.05)
    return Axis(low / more, high * more, start, end)


# Curves ----------------------------------------------------------------------------------------

WIDTH, HEIGHT = 320, 220
LEFT, RIGHT, TOP, BOTTOM = 42, 56, 10, 26
LINE = 12  # of text


class Across(NamedTuple):
    """What curves run over, and how far."""

    whole: float
    at_look: Callable[[Look], float]
    at_end: Callable[[Course], float]
    in_words: Callable[[float], str]

    def place(self, value: float) -> float:
        return round(LEFT + min(value / self.whole, 1.0) * (WIDTH - LEFT - RIGHT), 1)


def over_images(budget: float) -> Across:
    """Real images shown to the critic."""
    return Across(budget, lambda look: look.images_seen, lambda trial: trial.images_seen, images)


def over_time(trials: Iterable[Course]) -> Across:
    """Time spent on training, up to that of the slowest."""
    ends = (max([trial.seconds, *(look.seconds for look in trial.looks)]) for trial in trials)
    longest = max(ends, default=0.0) or 1.0
    return Across(longest, lambda look: look.seconds, lambda trial: trial.seconds, duration)


class Curve(NamedTuple):
    """One trial."""

    label: str
    path: str  # "x,y x,y", one for each look
    dots: tuple[tuple[float, float], ...]
    end: tuple[float, float]
    label_at: float  # its height beside the end of the axis
    failure: str | None
    cross: tuple[float, float]  # where it failed

    @property
    def late(self) -> bool:
        """Whether there is no room for words after the cross."""
        return self.cross[0] > WIDTH / 2


class Panel(NamedTuple):
    """All trials of an arm, and in words what they show."""

    name: str
    curves: tuple[Curve, ...]
    says: str


class Curves(NamedTuple):
    panels: tuple[Panel, ...]
    across: tuple[tuple[float, str], ...]  # marks and their words
    up: tuple[tuple[float, str], ...]


def curves(arms: Sequence[Sequence[Course]], across: Across) -> Curves | None:
    """One panel an arm, all on the same axes. None where nobody has looked."""
    looks = (look.value for trials in arms for trial in trials for look in trial.looks)
    up = axis(looks, HEIGHT - BOTTOM, TOP)
    if not up:
        return None
    marks = (0.0, across.whole / 2, across.whole)
    return Curves(
        panels=tuple(panel(trials, across, up) for trials in arms if trials),
        across=tuple(
            (across.place(mark), across.in_words(mark) if mark else "0") for mark in marks
        ),
        up=tuple((up.place(value), figures(value, 2)) for value in up.marks),
    )


def panel(trials: Sequence[Course], across: Across, up: Axis) -> Panel:
    drawn = [curve(trial, across, up) for trial in trials]
    kept = [each for each in drawn if each]
    heights = spread([each.label_at for each in kept])
    placed = (each._replace(label_at=at) for each, at in zip(kept, heights, strict=True))
    says = "; ".join(trial.says for trial in trials)
    return Panel(trials[0].name, tuple(placed), says)


def curve(trial: Course, across: Across, up: Axis) -> Curve | None:
    seen = [look for look in trial.looks if isfinite(look.value)]
    if not seen:
        return None
    points = [(across.place(across.at_look(look)), up.place(look.value)) for look in seen]
    ended = max(across.at_end(trial), across.at_look(trial.looks[-1]))
    return Curve(
        label=trial.which,
        path=" ".join(f"{x},{y}" for x, y in points),
        dots=tuple(points),
        end=points[-1],
        label_at=points[-1][1],
        failure=None if trial.status in ("finished", "paused") else trial.status,
        cross=(across.place(ended), points[-1][1]),
    )


def spread(heights: Sequence[float]) -> list[float]:
    """Moved apart until no line of text covers another, in the same order, within the panel."""
    if not heights:
        return []
    apart = min(LINE, (HEIGHT - TOP - BOTTOM) / len(heights))
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    moved = list(heights)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + apart)
    bottom: float = HEIGHT - BOTTOM
    for index in reversed(order):
        moved[index] = bottom = min(moved[index], bottom)
        bottom -= apart
    return [round(height, 1) for height in moved]


# Intervals -------------------------------------------------------------------------------------

SPAN = 180


class Interval(NamedTuple):
    """An arm's seeds, mean and interval on an axis that all arms share."""

    low: float | None
    high: float | None
    mean: float
    seeds: tuple[float, ...]
    floor: float | None


def intervals(standings: Sequence[Standing], real: float | None) -> dict[str, Interval]:
    """By arm. What lies beyond the seeds of all arms is cut off, the floor left out."""
    across = axis((score for each in standings for score in each.scores), 6, SPAN - 6, room=0.2)
    if not across:
        return {}
    at_floor = across.place(real) if real and across.low <= real else None
    return {
        each.arm: Interval(
            across.place(each.low) if each.low is not None else None,
            across.place(each.high) if each.high is not None else None,
            across.place(each.mean),
            tuple(across.place(score) for score in each.scores),
            at_floor,
        )
        for each in standings
        if each.mean is not None
    }
