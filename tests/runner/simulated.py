"""Nodes that do not train: trials take as long as they are told to, on a clock that is not real."""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import process_time

from runner.cluster import Outcome, Room
from runner.node import HEARTBEAT, Order
from runner.plan import RunPlan, Task, Trial
from runner.results import Look, TrialResult
from runner.storage import Storage
from runner.trial import Event
from tests.runner.runs import score

Length = Callable[[Task, int], float]  # a task and how often it was begun before -> seconds
POINTS = 200  # of the curves of a whole trial


class SimulatedNodes:
    """Each holds one trial at a time. `dies` says which attempts are lost half-way."""

    def __init__(
        self,
        storage: Storage,
        count: int,
        *,
        length: Length = lambda task, attempt: 60.0,
        value: Callable[[Trial], float] = lambda trial: 100.0,
        dies: Callable[[Task, int], bool] = lambda task, attempt: False,
    ) -> None:
        self.storage, self.count = storage, count
        self.length, self.value, self.dies = length, value, dies
        self.now, self.spent = 0.0, 0.0  # seconds: of the clock, of simulating
        self.free, self.submitted = count, 0
        self.queue: deque[tuple[int, Order, int]] = deque()
        self.running: list[tuple[float, int, Order, int]] = []  # a heap by the end
        self.told: list[Event] = []
        self.begun: list[str] = []  # every attempt

    def slots(self, room: Room) -> int:
        return self.count

    def submit(self, order: Order, room: Room) -> Hashable:
        with self.simulating():
            self.submitted += 1
            self.queue.append((self.submitted, order, 0))
            return self.submitted

    def wait(self, tickets: Collection[Hashable], seconds: float) -> Mapping[Hashable, Outcome]:
        with self.simulating():
            until, ended = self.now + seconds, {}
            self.fill()
            while self.running and self.running[0][0] <= until and len(ended) < len(tickets):
                self.now, ticket, order, attempt = heapq.heappop(self.running)
                self.free += 1
                if self.dies(order.task, attempt):
                    self.queue.appendleft((ticket, order, attempt + 1))
                else:
                    self.finish(order)
                    ended[ticket] = Outcome()
                self.fill()
            self.speak(until)
            if len(ended) < len(tickets):
                self.now = until
            return ended

    def news(self) -> Sequence[Event]:
        told, self.told = self.told, []
        return told

    def fill(self) -> None:
        while self.free and self.queue:
            ticket, order, attempt = self.queue.popleft()
            self.free -= 1
            self.begun.append(order.task.trial)
            end = self.now + self.length(order.task, attempt)
            heapq.heappush(self.running, (end, ticket, order, attempt))

    def speak(self, until: float) -> None:
        """As often as trials do: once in a while each."""
        for end, ticket, order, _ in self.running:
            if int((until + ticket) // HEARTBEAT) != int((self.now + ticket) // HEARTBEAT):
                share = max(0.0, 1 - (end - until) / 60)
                seen = int(share * order.task.budget)
                self.told.append(Event(order.task.trial, "training", seen, 1000.0))

    def finish(self, order: Order) -> None:
        plan = RunPlan.model_validate_json(order.plan)
        result = result_at(plan.trials[0], order.task.budget, plan, self.value(plan.trials[0]))
        name = f"trials/{result.trial.id}/result.json"
        self.storage.write(name, result.model_dump_json(indent=1).encode())

    @contextmanager
    def simulating(self) -> Iterator[None]:
        begun = process_time()
        yield
        self.spent += process_time() - begun


def result_at(trial: Trial, budget: int, plan: RunPlan, value: float) -> TrialResult:
    """What a trial leaves at the end of a rung, of the size that it has in earnest."""
    ends = [rung.budget for rung in plan.rungs if rung.budget <= budget]
    whole = budget == plan.budget
    points = POINTS * budget // plan.budget
    return TrialResult(
        trial=trial,
        status="finished" if whole else "paused",
        score=score(value) if whole else None,
        looks=tuple(Look(images_seen=end, seconds=end / 1000, value=value) for end in ends),
        images_seen=budget,
        seconds=budget / 1000,
        losses=tuple(
            (plan.budget * at // POINTS, {"critic": 0.69314718, "generator": 0.7 + at / 1000})
            for at in range(1, points + 1)
        ),
    )
