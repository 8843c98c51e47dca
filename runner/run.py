"""A whole experiment in one folder, which is its database: plan, trials, leaderboard, report."""

import fcntl
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ValidationError

from advisor.recommendation import Recommendation
from knowledge import __version__
from knowledge.files import write_whole
from knowledge.schema import Record
from runner.execute import execute, folder_of, free_cores, results
from runner.leaderboard import rank
from runner.metrics import Score, floor
from runner.pictures import picture, shown
from runner.plan import RunPlan
from runner.prepare import Prepared, Request, RunError, prepare
from runner.report import write_report
from runner.results import Leaderboard
from runner.trial import Event
from runner.truth import truth_of

R = TypeVar("R", bound=Record)


class Circumstances(Record):
    """Where and how it ran: for the report, not for comparing plans."""

    version: str
    python: str
    torch: str
    system: str
    processor: str
    cores: int
    gpu: str | None
    command: str
    workers: int
    threads: int


def run(
    advice: Recommendation,
    request: Request,
    folder: Path,
    *,
    workers: int | None = None,
    on_plan: Callable[[RunPlan, int], None] = lambda plan, done: None,
    on_event: Callable[[Event], None] = lambda event: None,
    on_decode: Callable[[int, int], None] = lambda done, total: None,
) -> Leaderboard:
    """Trains every arm, measures, ranks and reports; run again, it goes on where it stopped.

    Raises RunError, DataError and MetricError for what cannot start, Stopped for what cannot go
    on, OSError for a folder that cannot be written.
    """
    prepared = prepare(advice, request, on_decode)
    plan = prepared.plan
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        settle(plan, advice, folder)
        at_once, threads = room(plan, workers)
        around = circumstances(plan, at_once, threads)
        write_whole(folder / "run.json", around.model_dump_json(indent=1))
        on_plan(plan, len(results(folder, plan.trials)))
        measure_floor(prepared, folder)
        # What a truth learns is learnt here, once, and not by every trial at the same time.
        truth_of(plan.data.where, prepared.images, plan.device)
        execute(plan, folder, workers=at_once, threads=threads, on_event=on_event)
        return conclude(folder)


def report_again(folder: Path) -> Leaderboard:
    """Ranks what has ended so far. Raises RunError where there is no run."""
    if not (folder / "plan.json").exists():
        raise RunError(f"{folder} holds no run")
    return conclude(folder)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Two runs in one folder would overwrite each other. The lock ends with the process."""
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another run is at work in {folder}") from None
        yield


def settle(plan: RunPlan, advice: Recommendation, folder: Path) -> None:
    """The first run writes the plan; the same command later must mean the same plan."""
    known = folder / "plan.json"
    if known.exists():
        before = stored(RunPlan, known)
        if before != plan:
            raise RunError(
                f"{folder} holds another run ({'; '.join(differences(before, plan))}); "
                "choose another folder with -o, or repeat the settings"
            )
        return
    write_whole(folder / "recommendation.json", advice.model_dump_json(indent=2))
    write_whole(known, plan.model_dump_json(indent=1))


def differences(before: RunPlan, now: RunPlan) -> Iterator[str]:
    """In the user's words."""
    old, new = (flat(plan.model_dump(exclude={"trials"})) for plan in (before, now))
    for name in old | new:
        if old.get(name) != new.get(name):
            yield f"{name} was {old.get(name)}, now {new.get(name)}"
    if [trial.id for trial in before.trials] != [trial.id for trial in now.trials]:
        yield "other candidates or seeds"
    elif [trial.recipe for trial in before.trials] != [trial.recipe for trial in now.trials]:
        yield "other recipes"


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        inner = (
            flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
        leaves |= inner
    return leaves


def room(plan: RunPlan, workers: int | None) -> tuple[int, int]:
    """How many trials at a time, and threads for each.

    Threads of two processes that share a core spin against each other (a thirtieth of the speed
    was measured), so their sum stays within the cores.
    """
    cores = free_cores()
    at_once = workers or (1 if plan.device == "cuda" else min(cores, len(plan.trials)))
    return at_once, max(1, cores // at_once)


def circumstances(plan: RunPlan, workers: int, threads: int) -> Circumstances:
    return Circumstances(
        version=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        system=f"{platform.system()} {platform.machine()}",
        processor=processor(),
        cores=os.cpu_count() or 1,
        gpu=torch.cuda.get_device_name() if plan.device == "cuda" else None,
        command=" ".join(["gan-runner", *sys.argv[1:]]),
        workers=workers,
        threads=threads,
    )


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def measure_floor(prepared: Prepared, folder: Path) -> None:
    """Real against real, and real images to hold the samples against."""
    path = folder / "floor.json"
    if not path.exists():
        held_out = prepared.images.held_out
        write_whole(folder / "real.png", picture(held_out[: shown(prepared.images.size)]))
        score = floor(prepared.images.train, prepared.reference())
        write_whole(path, score.model_dump_json(indent=1))


def conclude(folder: Path) -> Leaderboard:
    """From what lies in the folder: ranking, the first arm's samples, report."""
    plan = stored(RunPlan, folder / "plan.json")
    advice = stored(Recommendation, folder / "recommendation.json")
    kept = folder / "floor.json"
    of_real = stored(Score, kept) if kept.exists() else None
    ended = results(folder, plan.trials)
    board = rank(plan, ended, of_real, advice.control.id if advice.control else None)
    write_whole(folder / "leaderboard.json", board.model_dump_json(indent=1))
    first = next((standing.arm for standing in board.standings if standing.finished), None)
    samples = (r for r in ended if r.trial.arm == first and r.score)
    if shown := next(samples, None):  # the first seed, not the luckiest
        write_whole(
            folder / "samples.png", (folder_of(folder, shown.trial) / "samples.png").read_bytes()
        )
    write_report(folder)
    return board


def stored(shape: type[R], path: Path) -> R:
    """Raises RunError for a file of another version, or of nothing at all."""
    try:
        return shape.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(f"{path} is not of this version ({where}: {first['msg']})") from None
