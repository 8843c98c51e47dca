"""The nodes of a Ray cluster, or Ray's processes on this machine. Its core tasks, not Ray Tune.

A trial on Tune takes a second to start, and a restored one goes on from an old snapshot.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

from runner.cluster import Cluster, Home, Outcome, Room, storage_of
from runner.execute import free_cores
from runner.node import Order, carry_out
from runner.prepare import RunError
from runner.settle import alone_in
from runner.storage import Folder, Storage, StorageError, Unreachable
from runner.trial import Event
from runner.wording import counted

RETRIES = 10  # nodes that a trial may lose before it counts as crashed
ANSWER = 10.0  # seconds until a cluster has to answer
TOKEN = "; if it asks for a token, set RAY_AUTH_MODE=token"
OBJECTS = 100 * 2**20  # bytes of Ray's object store where we start it: nothing of weight goes there


@contextmanager
def on_ray(
    address: str,
    folder: Path,
    *,
    storage: str | None = None,
    room: Room = Room(),  # noqa: B008
    on_event: Callable[[Event], None] = lambda event: None,
    tell: Callable[[str], None] = lambda what: None,
) -> Iterator[Cluster]:
    """An engine for `run`, and when that has ended well, its report in the storage.

    `address`: "local" starts Ray here, "auto" finds the cluster that this machine belongs to, and
    host:port any other. Raises RunError.
    """
    try:
        files = storage_of(storage, folder)
        with connected(address) as ray:
            about = described(ray)
            tell(f"{about}; files in {files.url}")
            engine = Cluster(
                folder, files, RayNodes(ray), room, on_event=on_event, tell=tell, about=about
            )
            folder.mkdir(parents=True, exist_ok=True)
            with alone_at(files, engine.home):
                engine.home.restore()
                yield engine
                engine.home.send()
                engine.home.fetch_leaders()
    except StorageError as error:
        raise RunError(str(error)) from error


def alone_at(storage: Storage, home: Home) -> AbstractContextManager[None]:
    """A bucket knows no locks, and the run's own folder has one already."""
    if home.same or not isinstance(storage, Folder):
        return nullcontext()
    storage.path.mkdir(parents=True, exist_ok=True)
    return alone_in(storage.path)


@contextmanager
def connected(address: str) -> Iterator[ModuleType]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody asked to be counted
    try:
        import ray
    except ModuleNotFoundError:
        raise RunError(
            "--ray needs Ray, which is not installed: pip install 'gan-advisor[ray]'"
        ) from None
    check_answer(address)
    own: dict[str, Any] = {
        "num_cpus": free_cores(),
        "object_store_memory": OBJECTS,
        "include_dashboard": False,
    }
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **(own if address == "local" else {}),
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        says = str(error).strip().splitlines()[0]
        hint = "" if "RAY_AUTH_MODE" in os.environ else TOKEN
        raise RunError(f"no Ray cluster at --ray {address}: {says}{hint}") from None
    try:
        yield ray
    finally:
        ray.shutdown()  # which ends the tasks of this driver, and a Ray that it started


def check_answer(address: str) -> None:
    """Ray itself would try for minutes. Raises RunError."""
    if address in ("local", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
    except (OSError, ValueError, OverflowError) as error:
        raise RunError(f"no Ray cluster at --ray {address}: {error}") from None


def described(ray: ModuleType) -> str:
    alive = [node for node in ray.nodes() if node["Alive"]]
    has = ray.cluster_resources()
    gpus = f", {counted(int(has['GPU']), 'GPU')}" if has.get("GPU") else ""
    nodes, cpus = counted(len(alive), "node"), counted(int(has.get("CPU", 0)), "CPU")
    return f"Ray {ray.__version__} with {nodes}, {cpus}{gpus}"


class RayNodes:
    """Ray brings an order to a node with room, and to another one when that node dies."""

    def __init__(self, ray: ModuleType) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray = ray
        self.work = ray.remote(carry_out_there)
        beside_us = NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self.mailbox = (
            ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=beside_us).remote()
        )

    def slots(self, room: Room) -> int:
        takes = {"CPU": room.cpus, "GPU": room.gpus or 0.0}
        wanted = {name: much for name, much in takes.items() if much}
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return sum(
            min((int(has.get(name, 0) / much) for name, much in wanted.items()), default=0)
            for has in nodes
        )

    def submit(self, order: Order, room: Room) -> Hashable:
        task = self.work.options(
            name=order.task.trial,
            num_cpus=room.cpus,
            num_gpus=room.gpus or 0,
            max_retries=RETRIES,
            retry_exceptions=[Unreachable],
        )
        ticket: Hashable = task.remote(order, self.mailbox)
        return ticket

    def wait(self, tickets: Collection[Hashable], seconds: float) -> Mapping[Hashable, Outcome]:
        if not tickets:
            time.sleep(seconds)
            return {}
        ended, _ = self.ray.wait(
            list(tickets), num_returns=len(tickets), timeout=seconds, fetch_local=False
        )
        return {ticket: self.outcome(ticket) for ticket in ended}

    def outcome(self, ticket: Hashable) -> Outcome:
        from ray.exceptions import RayError, RayTaskError

        try:
            return Outcome(stopped=self.ray.get(ticket))
        except RayTaskError as error:  # it ran, and raised
            return Outcome(stopped=str(error.cause).strip() or type(error.cause).__name__)
        except RayError as error:
            why = str(error).strip().splitlines()[0]
            return Outcome(lost=f"its node or process was lost {RETRIES + 1} times: {why}")

    def news(self) -> Sequence[Event]:
        from ray.exceptions import RayError

        try:
            told: list[Event] = self.ray.get(self.mailbox.take.remote(), timeout=10)
            return told
        except RayError:
            return []  # what trials tell is for people; the run does not depend on it


class Mailbox:
    """Where trials tell how far they are. Of each the last word is kept, and all looks."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self.last: dict[str, Event] = {}

    def post(self, event: Event) -> None:
        if event.look is not None or event.says:
            self.all.append(event)
        else:
            self.last[event.trial] = event

    def take(self) -> list[Event]:
        told = [*self.last.values(), *self.all]
        self.all, self.last = [], {}
        return told


def carry_out_there(order: Order, mailbox: Any) -> str | None:  # noqa: ANN401
    """On a node."""
    return carry_out(order, lambda event: mailbox.post.remote(event))
