"""What a person sees while trials run: what is going on, how far it is, and when it will end."""

import sys
import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from runner.plan import RunPlan
from runner.trial import Event


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
        self.seen: dict[str, int] = {}
        self.ended: set[str] = set()
        self.budget, self.total, self.begun, self.already = 1, 1, time.monotonic(), 0
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

    def planned(self, plan: RunPlan, done: int) -> None:
        how = plan.measurement
        arms, seeds = len(plan.arms), len(plan.seeds)
        data = plan.data
        self.console.print(
            f"{data.name}: {data.train:,} images of {data.size} px to train on, "
            f"{data.held_out:,} held out ({data.held_out_is})"
        )
        if data.skipped:
            self.console.print(f"skipped {data.skipped:,} files that could not be used")
        for skip in plan.skipped:
            self.console.print(f"not trained: {skip.arm}: {skip.why}")
        self.console.print(
            f"{arms} arms × {seeds} seed{'s' * (seeds > 1)} × {plan.budget:,} images, "
            f"{plan.precision} on {plan.device}; features {how.features}, n = {how.n:,}"
        )
        self.budget = plan.budget
        self.total = (len(plan.trials) - done) * plan.budget
        if done:
            self.console.print(f"{done} of {len(plan.trials)} trials have ended already")
        self.begun = time.monotonic()

    def heard(self, event: Event) -> None:
        first = event.trial not in self.seen
        if first:
            self.already += event.images_seen  # done in an earlier attempt
        self.seen[event.trial] = min(event.images_seen, self.budget)
        note = f"{event.images_per_second:,.0f} images/s" if event.images_per_second else event.what
        self.update(event.trial, self.seen[event.trial], self.budget, note)
        self.update("all trials", sum(self.seen.values()), self.total, self.time_left())
        if event.look is not None:
            at = f"after {event.images_seen:,} images"
            self.console.print(f"{event.trial}: distance {event.look:.1f} {at}")
        self.speak(event)
        if event.look is not None and self.seen[event.trial] >= self.budget:
            self.remove(event.trial)

    def time_left(self) -> str:
        done = sum(self.seen.values()) - self.already
        elapsed = time.monotonic() - self.begun
        if done <= 0 or elapsed < 5:
            return ""
        left = (self.total - sum(self.seen.values())) * elapsed / done
        return f"about {duration(left)} left"

    def speak(self, event: Event) -> None:
        """Without a terminal: how far it is, once a minute."""
        now = time.monotonic()
        if not self.live and now - self.spoke > 60 and (left := self.time_left()):
            self.spoke = now
            percent = 100 * sum(self.seen.values()) / self.total
            print(f"{percent:.0f} % of all trials, {left}", file=sys.stderr, flush=True)

    def update(self, name: str, done: int, total: int, note: str) -> None:
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=total, note="")
        self.bars.update(self.tasks[name], completed=done, note=note)

    def remove(self, name: str) -> None:
        if name in self.tasks:
            self.bars.remove_task(self.tasks.pop(name))


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
