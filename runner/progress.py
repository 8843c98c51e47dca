"""What a person sees while trials run: what is going on, how far it is, and when it will end."""

import sys
import time
from collections.abc import Sequence
from math import inf
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from runner.plan import RunPlan
from runner.race import Race
from runner.results import TrialResult
from runner.trial import Event
from runner.wording import counted, duration, images, listed

ALL = "all trials"


BARS = 16  # trials that are shown at a time, of the thousand that a cluster may hold
NAMES = 12  # arms that are named when a rung begins


class Display:
    """Progress bars in a terminal; a line now and then where there is none."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        self.bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.live,
        )
        self.tasks: dict[str, TaskID] = {}
        self.goal: dict[str, int] = {}  # real images at the end of this rung, for each trial
        self.seen: dict[str, int] = {}
        self.done = 0  # the sum of what was seen
        self.total, self.before, self.begun = 1, 0, time.monotonic()
        self.spoke = 0.0

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def decoded(self, done: int, total: int) -> None:
        self.update("reading images", done, total, f"{done:,} of {total:,}")
        if done >= total:
            self.remove("reading images")

    def planned(self, plan: RunPlan, before: Sequence[TrialResult]) -> None:
        how = plan.measurement
        arms, seeds = len(plan.arms), len(plan.seeds)
        data = plan.data
        self.console.print(
            f"{data.name}: {data.train:,} "
            f"{'points of the plane' if data.of_points else f'images of {data.size} px'} to train on, "
            f"{data.held_out:,} held out ({data.held_out_is})"
        )
        if data.skipped:
            self.console.print(f"skipped {data.skipped:,} files that could not be used")
        if plan.other_data:
            self.console.print(f"caution: {plan.other_data}")
        for skip in plan.skipped:
            self.console.print(f"not trained: {skip.arm}: {skip.why}")
        self.console.print(
            f"{arms} arms × {counted(seeds, 'setting' if plan.search else 'seed')} × "
            f"{plan.budget:,} images, "
            f"{plan.precision} on {plan.device}; features {how.features}, n = {how.n:,}"
        )
        if plan.rungs[1:]:
            ends = listed([images(rung.budget) for rung in plan.rungs[:-1]])
            self.console.print(f"arms that are far behind after {ends} images leave the race")
        if before:
            ended = sum(each.status != "paused" for each in before)
            waiting = f", {len(before) - ended} wait at the end of a rung"
            self.console.print(f"{counted(ended, 'trial')} ended earlier{waiting}")

    def tell(self, what: str) -> None:
        self.console.print(what)

    def rung(self, race: Race) -> None:
        """A rung begins."""
        rungs, index = race.plan.rungs, race.rung
        tasks = race.tasks(index)
        if rungs[1:]:
            arms = race.entrants[index]
            says = f"rung {index + 1} of {len(rungs)}, to {images(rungs[index].budget)} images: "
            named = index and len(arms) <= NAMES
            self.console.print(says + (listed(arms) if named else counted(len(arms), "arm")))
        self.goal = {task.trial: task.budget for task in tasks}
        self.seen = {
            task.trial: race.results[task.trial].images_seen if task.trial in race.results else 0
            for task in tasks
        }
        self.total, self.done = sum(self.goal.values()), sum(self.seen.values())
        self.before, self.begun = self.done, time.monotonic()
        self.remove(ALL)

    def heard(self, event: Event) -> None:
        goal = self.goal.get(event.trial, event.images_seen)
        seen = min(event.images_seen, goal)
        before = self.seen.get(event.trial, 0)
        self.seen[event.trial] = max(seen, before)
        self.done += max(0, seen - before)
        note = f"{event.images_per_second:,.0f} images/s" if event.images_per_second else event.what
        if self.has_room_for(event.trial):
            self.update(event.trial, seen, goal, note)
        self.update(ALL, self.done, self.total, self.time_left())
        if event.says:
            self.console.print(f"{event.trial}: {event.says}", markup=False)
        if event.look is not None:
            at = f"after {event.images_seen:,} images"
            self.console.print(f"{event.trial}: distance {event.look:.1f} {at}")
        self.speak()
        if event.look is not None and seen >= goal:
            self.remove(event.trial)

    def time_left(self) -> str:
        """Of this rung."""
        done = self.done - self.before
        elapsed = time.monotonic() - self.begun
        if done <= 0 or elapsed < 5:
            return ""
        left = (self.total - self.done) * elapsed / done
        return f"about {duration(left)} left"

    def speak(self) -> None:
        """Without a terminal: how far it is, once a minute."""
        now = time.monotonic()
        if not self.live and now - self.spoke > 60 and (left := self.time_left()):
            self.spoke = now
            percent = 100 * self.done / self.total
            print(f"{percent:.0f} % of this rung, {left}", file=sys.stderr, flush=True)

    def has_room_for(self, trial: str) -> bool:
        """Those that have got to the end of the rung make room for others."""
        if trial in self.tasks or len(self.tasks) < BARS:
            return True
        ended = (each for each in self.tasks if self.seen.get(each, 0) >= self.goal.get(each, inf))
        first = next(ended, None)
        if first is not None:
            self.remove(first)
        return first is not None

    def update(self, name: str, done: int, total: int, note: str) -> None:
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=total, note="")
        self.bars.update(self.tasks[name], completed=done, note=note)

    def remove(self, name: str) -> None:
        if name in self.tasks:
            self.bars.remove_task(self.tasks.pop(name))
