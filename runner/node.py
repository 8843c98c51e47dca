"""What a machine of a cluster does for the driver: one trial, to the end of one rung."""

import json
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

from knowledge import __version__
from knowledge.files import write_whole
from runner.execute import Stopped, execute
from runner.plan import Task
from runner.prepare import RunError
from runner.results import TrialResult
from runner.settle import alone_in
from runner.storage import LAST, Mirror, StorageError, Unreachable, storage_at
from runner.trial import Event

HEARTBEAT = 5.0  # seconds between two words of a trial to the driver, looks apart
ATTEMPT = "node.json"  # in a trial's folder: who took its task last
MARK = "plan.sha256"  # by which a node knows that it sees the run's storage
SCRATCH = "gan-runner-"
FRESH = 60.0  # seconds in which a folder may not be locked yet


class Order(NamedTuple):
    """A task with all that a node must know of it, in a few kilobytes."""

    task: Task
    plan: str  # as JSON, with this trial only
    storage: str
    mark: str
    threads: int
    versions: tuple[tuple[str, str], ...]


def carry_out(order: Order, tell: Callable[[Event], None]) -> str | None:
    """Trains one trial to the end of its rung, from where the storage says that it is.

    Returns why the run cannot go on, or None when the result lies in the storage. Raises
    Unreachable where another node may have better luck.
    """
    here = socket.gethostname()
    try:
        return refused(order, here) or trained(order, tell, here)
    except Unreachable:
        raise
    except StorageError as error:
        return f"{error} (on {here})"
    except OSError as error:
        return f"{error.filename or tempfile.gettempdir()} on {here}: {error.strerror or error}"


def refused(order: Order, here: str) -> str | None:
    """A node that cannot give the same numbers, or would put them elsewhere."""
    for (name, there), (_, own) in zip(order.versions, versions(), strict=True):
        if own != there:
            return f"{here} has {name} {own} and the driver has {there}: install the same on both"
    if storage_at(order.storage).read([MARK]) != {MARK: order.mark.encode()}:
        return (
            f"{here} does not find this run in {order.storage}: put the run folder where all "
            "nodes see it, or give --storage a folder that they share or an address such as s3://…"
        )
    return None


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """What has to be the same everywhere. Builds for other devices compare as equal."""
    try:
        torch = installed("torch").partition("+")[0]
    except PackageNotFoundError:
        torch = "none"
    return ("gan-advisor", __version__), ("torch", torch)


def trained(order: Order, tell: Callable[[Event], None], here: str) -> str | None:
    trial, storage = order.task.trial, storage_at(order.storage)
    with scratch() as run:
        write_whole(run / "plan.json", order.plan)
        mirror = Mirror(run / "trials" / trial, storage, f"trials/{trial}")
        mirror.fetch()
        if has_passed(mirror.folder / LAST, order.task):
            return None  # an earlier attempt got to the end, and its node was lost after that
        heard = Sparse(tell)
        before = attempt_in(mirror.folder)
        write_whole(mirror.folder / ATTEMPT, json.dumps({"rung": order.task.rung, "node": here}))
        mirror.send()
        cut_short = before["node"] if before.get("rung") == order.task.rung else None
        says = f"was cut short on {cut_short}; it goes on on {here}, from its last checkpoint"
        heard(Event(trial, f"starting on {here}", 0, says=says if cut_short else None))

        def progressed(event: Event) -> None:
            mirror.send()
            heard(event)

        try:
            execute(run, [order.task], workers=1, threads=order.threads, on_event=progressed)
        except Stopped as error:
            return f"{error} (on {here})"
        mirror.send()
    return None


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder to work in. Those of processes that were killed are taken away."""
    for old in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with suppress(OSError, RunError):
            if time.time() - old.stat().st_mtime > FRESH:
                with alone_in(old):  # whoever works there has it locked
                    shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as folder, alone_in(Path(folder)):
        yield Path(folder)


def attempt_in(folder: Path) -> dict[str, Any]:
    """What the node before left; empty: this is the first one."""
    try:
        known: dict[str, Any] = json.loads((folder / ATTEMPT).read_bytes())
        return known
    except (FileNotFoundError, ValueError):
        return {}


def has_passed(path: Path, task: Task) -> bool:
    try:
        return TrialResult.model_validate_json(path.read_bytes()).passed(task.budget)
    except (FileNotFoundError, ValueError):  # torn: the trial works it out again
        return False


class Sparse:
    """Passes on what matters and a sign of life now and then: a driver has a thousand nodes."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell, self.told = tell, -HEARTBEAT

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        matters = event.look is not None or event.says
        if matters or now - self.told >= HEARTBEAT:
            self.tell(event._replace(points=()))  # the curves come with the result
            self.told = now
