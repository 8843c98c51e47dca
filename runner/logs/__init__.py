"""What others show of a run while it trains: TensorBoard's event files, and MLflow's runs.

Each log is written by a thread of its own, out of what trials tell and of what lies in their
folders: it slows no trial down, and a run does not end for want of a log. A point that is written
once is not written again, whoever goes on with the run.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol

from runner.execute import folder_of
from runner.kept import Foreign, grid_of, looks_in, result_in
from runner.plan import RunPlan, Trial
from runner.prepare import RunError
from runner.results import Leaderboard, TrialResult
from runner.trial import Event

PATIENCE = 120.0  # seconds that the end of a run waits for a slow server


class Log(Protocol):
    """Methods are called in this order, by one thread."""

    name: str

    def begin(self, plan: RunPlan) -> None: ...
    def write(self, entry: "Entry") -> None: ...
    def conclude(self, board: Leaderboard) -> None: ...
    def close(self) -> None: ...


class Point(NamedTuple):
    """Numbers, by names such as "loss/hinge", after so many real images."""

    images_seen: int
    values: dict[str, float]
    grid: Path | None = None  # samples at that moment


class Entry(NamedTuple):
    """What there is to write of a trial: perhaps again, since nobody keeps in mind what was."""

    trial: Trial
    curve: tuple[Point, ...] = ()
    looks: tuple[Point, ...] = ()
    result: TrialResult | None = None  # where it ended, or waits

    @property
    def score(self) -> Point | None:
        if self.result is None or self.result.score is None:
            return None
        score = self.result.score
        values = {"score/distance": score.value}
        values |= {f"score/{name}": value for name, value in score.secondary.items()}
        values |= {f"truth/{name}": value for name, value in self.result.truth.items()}
        return Point(self.result.images_seen, values)


class Logs:
    """All logs of a run, each in its thread."""

    def __init__(self, folder: Path, plan: RunPlan, asides: "Sequence[Aside]") -> None:
        self.folder, self.asides = folder, asides
        self.trials = {trial.id: trial for trial in plan.trials}
        for aside in asides:
            aside.put(partial(aside.log.begin, plan))

    def heard(self, event: Event) -> None:
        """Of a trial of this machine, whose events are all heard."""
        if self.asides and (event.points or event.look is not None):
            trial = self.trials[event.trial]
            points = tuple(
                Point(point.images_seen, named(point.losses, point.signs)) for point in event.points
            )
            self.put(Entry(trial, points, self.looks(trial) if event.look is not None else ()))

    def ended(self, trials: Sequence[Trial]) -> None:
        """They have got to the end of a rung, or of everything: what was not heard is caught up."""
        for trial in trials:
            for aside in self.asides:
                aside.put(partial(self.catch_up, trial, aside.log))

    def catch_up(self, trial: Trial, log: Log) -> None:
        """Read when its turn comes: ten thousand results would fill the queue and the memory."""
        with suppress(Foreign):
            if result := result_in(folder_of(self.folder, trial), trial):
                log.write(Entry(trial, curve_of(result), self.looks(trial, result), result))

    def concluded(self, board: Leaderboard) -> None:
        for aside in self.asides:
            aside.put(partial(aside.log.conclude, board))

    def put(self, entry: Entry) -> None:
        for aside in self.asides:
            aside.put(partial(aside.log.write, entry))

    def looks(self, trial: Trial, result: TrialResult | None = None) -> tuple[Point, ...]:
        own = folder_of(self.folder, trial)
        found = result.looks if result else ()
        with suppress(Foreign, OSError):
            found = looks_in(own, trial) or found
        points = []
        for look in found:
            known = {"distance": look.value, "coverage": look.coverage, "spread": look.spread}
            values = {f"look/{name}": value for name, value in known.items() if value is not None}
            grid = grid_of(own, look.images_seen)
            points.append(Point(look.images_seen, values, grid if grid.exists() else None))
        return tuple(points)


def named(losses: Mapping[str, float], signs: Mapping[str, float]) -> dict[str, float]:
    values = {f"loss/{name}": value for name, value in losses.items()}
    return values | {f"health/{name}": value for name, value in signs.items()}


def curve_of(result: TrialResult) -> tuple[Point, ...]:
    signs = dict(result.signs)
    return tuple(Point(at, named(losses, signs.get(at, {}))) for at, losses in result.losses)


class Aside:
    """Does one thing after another in a thread; after a failure, which is told, nothing more."""

    def __init__(self, log: Log, tell: Callable[[str], None]) -> None:
        self.log, self.tell = log, tell
        self.queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.work, name=log.name, daemon=True)
        self.failed = False
        self.thread.start()

    def put(self, action: Callable[[], None]) -> None:
        if not self.failed:
            self.queue.put(action)

    def work(self) -> None:
        while action := self.queue.get():
            try:
                if not self.failed:
                    action()
            except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
                self.failed = True
                says = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
                self.tell(f"caution: nothing more goes to {self.log.name}: {says}")

    def close(self) -> None:
        self.put(self.log.close)
        self.queue.put(None)
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            self.tell(f"caution: {self.log.name} did not take everything within {PATIENCE:.0f} s")


@contextmanager
def logging(
    folder: Path, plan: RunPlan, logs: Sequence[Log], tell: Callable[[str], None]
) -> Iterator[Logs]:
    asides = [Aside(log, tell) for log in logs]
    try:
        yield Logs(folder, plan, asides)
    finally:
        for aside in asides:
            aside.close()


def chosen_logs(folder: Path, *, tensorboard: bool | None, mlflow: str | None) -> list[Log]:
    """TensorBoard's where its writer is installed, unless told; MLflow's where it is asked for.

    Raises RunError for what is asked for and not installed.
    """
    logs: list[Log] = []
    if tensorboard is None:
        tensorboard = find_spec("tensorboardX") is not None
    if tensorboard:
        if not find_spec("tensorboardX"):
            says = "--tensorboard needs tensorboardX, which is not installed"
            raise RunError(f"{says}: pip install 'gan-advisor[tensorboard]'")
        from runner.logs.tensorboard import TensorBoard

        logs.append(TensorBoard(folder / "tensorboard"))
    if mlflow:
        if not find_spec("mlflow"):
            says = "--mlflow needs MLflow, which is not installed"
            raise RunError(f"{says}: pip install 'gan-advisor[mlflow]'")
        from runner.logs.mlflow import MLflow

        logs.append(MLflow(mlflow, folder))
    return logs
