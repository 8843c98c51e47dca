"""What a trial leaves behind. A failure is a result."""

from typing import Literal

from pydantic import Field

from knowledge.schema import Record
from runner.metrics.score import Score
from runner.plan import Trial

Status = Literal[
    "finished",
    "paused",
    "diverged",
    "critic-won",
    "collapsed",
    "stalled",
    "out-of-memory",
    "crashed",
]


class Look(Record):
    """A cheap measurement on the way. Looks compare with one another, not with final scores."""

    images_seen: int
    seconds: float  # of training so far
    value: float
    coverage: float | None = None  # the share of real images that some generated one is near to
    spread: float | None = None  # how far apart generated images are, beside real ones


class TrialResult(Record):
    """Where a trial ended, or (paused) where it waits at the end of a rung."""

    trial: Trial
    status: Status
    why: str | None = None  # of a failure
    remarks: tuple[str, ...] = ()  # what a reader of the result ought to know
    score: Score | None = None  # at the end of the budget
    truth: dict[str, float] = Field(default_factory=dict)  # of toys: "modes-covered", ...
    looks: tuple[Look, ...] = ()
    look_metric: str | None = None
    images_seen: int = 0
    seconds: float = 0.0  # of training
    measuring_seconds: float = 0.0
    generator_parameters: int = 0
    critic_parameters: int = 0
    losses: tuple[tuple[int, dict[str, float]], ...] = ()  # images seen, means since the last
    signs: tuple[tuple[int, dict[str, float]], ...] = ()  # of how the players fare, likewise
    micro_batch: int | None = None  # images at a time, where a batch did not fit into memory
    other_in_parts: tuple[str, ...] = ()  # what then is not quite the same, in words

    def passed(self, budget: int) -> bool:
        """Whether it has got to the end of a rung, or will never get there."""
        if self.status != "paused":
            return True
        # At the end of everything it is measured, which makes it a finished one.
        return self.images_seen >= budget and budget < self.trial.budget

    @property
    def images_per_second(self) -> float:
        return self.images_seen / self.seconds if self.seconds else 0.0

    @property
    def best_look(self) -> Look | None:
        return min(self.looks, key=lambda look: look.value, default=None)


class Verdict(Record):
    """What the ranking claims, and no more."""

    kind: Literal["winner", "tie", "preview", "nothing"]
    arms: tuple[str, ...]  # the winner, or those that tie
    says: str  # one sentence


class Standing(Record):
    """An arm over its seeds."""

    arm: str
    name: str
    rank: int  # equal ranks are ties; below the leaders only an order; never finished: last
    leader: bool  # not told apart from the lowest mean
    seeds: tuple[int, ...]  # the finished ones
    scores: tuple[float, ...]  # one for each of them
    mean: float | None  # geometric, since distances are compared by ratio
    low: float | None = None  # 95 % interval of the mean, from two seeds on
    high: float | None = None
    best: float | None = None  # probability that its true mean is the lowest; no test
    truth: dict[str, float] = Field(
        default_factory=dict
    )  # means over the finished seeds; they rank nothing
    left: int | None = None  # real images after which it left the race; None: it did not
    secondary: dict[str, float] = Field(default_factory=dict)  # the same: "kid", "coverage", ...
    best_look: float | None  # geometric mean over seeds of each one's best
    last_look: float | None  # the same of its last
    finished: int
    tried: int
    failures: tuple[str, ...] = ()  # each reason, with the seeds that it stopped
    foreseen: tuple[str, ...] = ()  # what the advice had said of how it fails
    images_per_second: float
    seconds: float  # of training, all seeds
    control: bool = False


class Tried(Record):
    """A setting of an arm, and what became of it."""

    setting: int  # 0: as published
    says: str
    distance: float | None  # None: it failed, or has not ended
    failure: str | None = None

    @property
    def rank(self) -> float:
        return float("inf") if self.distance is None else self.distance


class Outcome(Record):
    """The lowest distance among so many settings drawn at random. None: infinite."""

    draws: int
    expected: float | None
    median: float | None  # half of the time it is below this
    low: float  # 95 % interval of that median
    high: float | None


class Searched(Record):
    """An arm over its settings."""

    arm: str
    name: str
    tried: tuple[Tried, ...]  # the published setting first
    best: tuple[Outcome, ...]  # of one drawn setting, of two, ...

    @property
    def drawn(self) -> tuple[Tried, ...]:
        return self.tried[1:]

    @property
    def median(self) -> float:
        """Of single settings."""
        first = self.best[0].median if self.best else None
        return float("inf") if first is None else first


class Leaderboard(Record):
    schema_version: Literal[1] = 1
    metric: str
    look_metric: str | None
    standings: tuple[Standing, ...]  # best first
    verdict: Verdict
    floor: Score | None  # real images against real images
    anchors: dict[str, Score] = Field(default_factory=dict)  # "noise", "mean", "blur"
    resolves: float | None = None  # from which ratio on these seeds tell the first two apart
    redraw_noise: float | None = None  # standard deviation of one set of samples, in logs
    cautions: tuple[str, ...] = ()
    complete: bool  # every planned trial has ended
    tries: int | None = None  # of a search: means are medians of the best of so many settings
    search: tuple[Searched, ...] = ()  # of a search: every arm over its settings, best first

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of what was measured beside the distance."""
        return tuple(dict.fromkeys(name for each in self.standings for name in each.secondary))

    @property
    def truths(self) -> tuple[str, ...]:
        """The names of what was held against a toy's known distribution."""
        return tuple(dict.fromkeys(name for each in self.standings for name in each.truth))
