"""Trials on many machines: what the driver hands out, keeps in mind and brings home.

Everything of weight goes by way of the storage. The driver hands out small orders and reads small
results, and may die at any moment: whoever runs the same command again finds all in the storage.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from knowledge.files import write_whole
from runner.data import NAMES
from runner.execute import Stopped, folder_of
from runner.kept import GRIDS
from runner.node import MARK, Order, versions
from runner.plan import RunPlan, Task, Trial
from runner.prepare import RunError
from runner.results import Leaderboard, TrialResult
from runner.storage import Folder, Mirror, Storage, StorageError, storage_at
from runner.trial import Event
from runner.wording import counted

POLL = 1.0  # seconds between two looks of the driver
PATIENCE = 120.0  # seconds until a shared folder shows what a node wrote: NFS caches for 60
AT_ONCE = 200  # results that are read together


class Room(NamedTuple):
    """What one trial takes of a node."""

    cpus: float = 1.0
    gpus: float | None = None  # None: one for a plan on GPUs

    @property
    def threads(self) -> int:
        return max(1, int(self.cpus))


class Outcome(NamedTuple):
    stopped: str | None = None  # why the run cannot go on
    lost: str | None = None  # why nobody will carry the order out; neither: it is done


class Nodes(Protocol):
    """Whoever brings orders to machines, and brings them again when a machine dies."""

    def slots(self, room: Room) -> int:
        """How many trials they hold at a time."""
        ...

    def submit(self, order: Order, room: Room) -> Hashable: ...

    def wait(self, tickets: Collection[Hashable], seconds: float) -> Mapping[Hashable, Outcome]:
        """Of the orders that have ended, as soon as all have or the time is over."""
        ...

    def news(self) -> Sequence[Event]:
        """What trials told since."""
        ...


class Cluster:
    """An engine for `runner.run`: carries the tasks of a rung out on nodes."""

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        nodes: Nodes,
        room: Room,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        tell: Callable[[str], None] = lambda what: None,
        about: str = "",
    ) -> None:
        self.home = Home(folder, storage)
        self.storage, self.nodes, self.room = storage, nodes, room
        self.on_event, self.tell, self.about = on_event, tell, about
        self.plan: RunPlan | None = None
        self.trials: dict[str, Trial] = {}
        self.mark = ""

    def __call__(self, folder: Path, tasks: Sequence[Task]) -> None:
        """Raises Stopped."""
        try:
            plan = self.plan or self.begin(folder)
            goal = {task.trial: task.budget for task in tasks}
            ended = self.home.results(goal)
            passed = {each.trial.id for each in ended if each.passed(goal[each.trial.id])}
            self.carry_out(plan, [task for task in tasks if task.trial not in passed])
            self.home.fetch_pictures([self.trials[task.trial] for task in tasks])
        except StorageError as error:
            raise Stopped(str(error)) from error

    def begin(self, folder: Path) -> RunPlan:
        content = (folder / "plan.json").read_bytes()
        plan = self.plan = RunPlan.model_validate_json(content)
        self.trials = {trial.id: trial for trial in plan.trials}
        if self.room.gpus is None:
            self.room = self.room._replace(gpus=1.0 if plan.device == "cuda" else 0.0)
        slots = self.nodes.slots(self.room)
        takes = f"{self.room.cpus:g} CPU and {self.room.gpus:g} GPU a trial"
        self.tell(
            f"room for {counted(slots, 'trial')} at a time ({takes})"
            if slots
            else f"no node has room for a trial ({takes}): waiting until one joins"
        )
        around = {"workers": slots, "threads": self.room.threads, "cluster": self.about}
        self.home.describe(around)
        self.home.send()
        self.mark = hashlib.sha256(content).hexdigest()
        self.storage.write(MARK, self.mark.encode())
        return plan

    def carry_out(self, plan: RunPlan, tasks: Sequence[Task]) -> None:
        lean = plan.model_copy(update={"trials": (), "skipped": ()})
        running = {self.nodes.submit(self.order(lean, task), self.room): task for task in tasks}
        unseen: dict[str, tuple[Task, float]] = {}  # done, says the node; not yet in the storage
        while running or unseen:
            outcomes = self.nodes.wait(running, POLL)
            for event in self.nodes.news():
                self.on_event(event)
            for ticket, outcome in outcomes.items():
                task = running.pop(ticket)
                if outcome.stopped:
                    raise Stopped(outcome.stopped)
                if outcome.lost:
                    self.write_crash(task, outcome.lost)
                else:
                    unseen[task.trial] = task, time.monotonic()
            self.see(unseen)

    def see(self, unseen: dict[str, tuple[Task, float]]) -> None:
        for result in self.home.results(list(unseen)):
            task, _ = unseen[result.trial.id]
            if result.passed(task.budget):
                del unseen[task.trial]
        for trial, (_, since) in unseen.items():
            if time.monotonic() - since > PATIENCE:
                raise Stopped(f"{self.storage.url} does not show the result of {trial}")

    def order(self, lean: RunPlan, task: Task) -> Order:
        trial = self.trials[task.trial]
        where = lean.data.where
        if where not in NAMES:  # nodes have another working directory
            where = str(Path(where).expanduser().absolute())
        data = lean.data.model_copy(update={"where": where})
        plan = lean.model_copy(update={"trials": (trial,), "data": data})
        return Order(
            task=task,
            plan=plan.model_dump_json(),
            storage=self.storage.url,
            mark=self.mark,
            threads=self.room.threads,
            versions=versions(),
        )

    def write_crash(self, task: Task, why: str) -> None:
        """What an earlier rung left is kept: the trial got as far as that."""
        before = next(iter(self.home.results([task.trial])), None)
        if before and before.passed(task.budget):
            return
        result = before or TrialResult(trial=self.trials[task.trial], status="crashed")
        crashed = result.model_copy(update={"status": "crashed", "why": why})
        self.home.write_result(crashed)


class Home:
    """The run folder of the driver, and the storage, which may be the same place."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self.folder, self.storage = folder, storage
        self.same = isinstance(storage, Folder) and storage.path.resolve() == folder.resolve()
        self.mirror = Mirror(folder, storage, "")
        self.finished: set[str] = set()  # trials

    def restore(self) -> None:
        """Before a run: brings here what an earlier driver left in the storage, or takes there what
        was begun here.

        Raises RunError where two different runs would mix, and StorageError.
        """
        if self.same:
            return
        here = self.folder / "plan.json"
        there = self.storage.read(["plan.json"]).get("plan.json")
        if there is None:
            self.take_there()
            return
        if here.exists() and here.read_bytes() != there:
            raise RunError(
                f"{self.storage.url} holds another run than {self.folder}; "
                "choose another --storage or another folder with -o"
            )
        if not here.exists():
            self.mirror.fetch()
        plan = RunPlan.model_validate_json(there)
        begun = {result.trial.id for result in self.results(trial.id for trial in plan.trials)}
        self.fetch_pictures([trial for trial in plan.trials if trial.id in begun])

    def take_there(self) -> None:
        trials = self.folder / "trials"
        for folder in sorted(trials.iterdir()) if trials.exists() else ():
            Mirror(folder, self.storage, f"trials/{folder.name}").send()

    def send(self) -> None:
        """Plan, leaderboard, report and so on: what is no trial's."""
        if not self.same:
            self.mirror.send()

    def results(self, trials: Iterable[str]) -> Iterator[TrialResult]:
        """Of those that have one in the storage; from now on they lie here too."""
        names = [f"trials/{trial}/result.json" for trial in trials]
        for at in range(0, len(names), AT_ONCE):
            for name, content in self.storage.read(names[at : at + AT_ONCE]).items():
                if not self.same:
                    self.keep(name, content)
                result = TrialResult.model_validate_json(content)
                if result.status == "finished":
                    self.finished.add(result.trial.id)
                yield result

    def write_result(self, result: TrialResult) -> None:
        name = f"trials/{result.trial.id}/result.json"
        content = result.model_dump_json(indent=1).encode()
        self.storage.write(name, content)
        if not self.same:
            self.keep(name, content)

    def keep(self, name: str, content: bytes) -> None:
        path = self.folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)

    def fetch_pictures(self, trials: Sequence[Trial]) -> None:
        """What the report may show: of each arm the first seed that finished, or left one at all."""
        if self.same:
            return
        arms: dict[str, list[Trial]] = {}
        for trial in sorted(trials, key=lambda trial: trial.id not in self.finished):
            arms.setdefault(trial.arm, []).append(trial)
        for own in arms.values():
            shown = (trial for trial in own if self.fetch(trial, "samples.png"))
            for trial in islice(shown, 1):
                for name in self.storage.names(f"trials/{trial.id}/{GRIDS}"):
                    self.fetch(trial, f"{GRIDS}/{name}")

    def fetch(self, trial: Trial, name: str) -> bool:
        path = folder_of(self.folder, trial) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return self.storage.download(f"trials/{trial.id}/{name}", path)

    def fetch_leaders(self) -> None:
        """The generators that a user will want to have at hand."""
        if self.same:
            return
        board = Leaderboard.model_validate_json((self.folder / "leaderboard.json").read_bytes())
        leading = {standing.arm for standing in board.standings if standing.leader}
        plan = RunPlan.model_validate_json((self.folder / "plan.json").read_bytes())
        for trial in plan.trials:
            if trial.arm in leading:
                self.fetch(trial, "generator.safetensors")

    def describe(self, about: Mapping[str, object]) -> None:
        """Where the trials run, for the report."""
        path = self.folder / "run.json"
        known = json.loads(path.read_bytes()) if path.exists() else {}
        write_whole(path, json.dumps({**known, **about}, indent=1))


def storage_of(url: str | None, folder: Path) -> Storage:
    """None: the run folder, which all nodes see."""
    return storage_at(url or os.fspath(folder))
