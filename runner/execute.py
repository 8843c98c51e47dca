"""Trials in processes of their own, as many at a time as there is room for, supervised."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from knowledge.files import write_whole
from runner.plan import RunPlan, Task, Trial
from runner.results import TrialResult

ATTEMPTS = 2  # a trial whose process dies or hangs is tried once more, from its checkpoint
PATIENCE = 3600.0  # seconds without a word from a trial: measuring by Inception takes long


class Stopped(RuntimeError):
    """The run cannot go on for a reason that lies outside the trials, such as a full disk."""


@dataclass
class Running:
    task: Task
    process: BaseProcess
    pipe: Connection
    attempt: int
    heard: float  # when it last said something, on the monotonic clock
    hung: bool = False


def execute(
    run: Path,
    tasks: Sequence[Task],
    *,
    workers: int,
    threads: int,
    on_event: Callable[..., None],
    patience: float = PATIENCE,
) -> None:
    """Runs tasks of the plan in the folder. Raises Stopped."""
    todo = deque((task, 1) for task in tasks)
    context = get_context("forkserver")
    context.set_forkserver_preload(["runner.trial"])  # torch is loaded once, not once a trial
    running: list[Running] = []
    try:
        while todo or running:
            while todo and len(running) < workers:
                running.append(start(context, *todo.popleft(), run, threads))
            wait([r.pipe for r in running] + [r.process.sentinel for r in running], timeout=1.0)
            for each in list(running):
                listen(each, on_event)
                if time.monotonic() - each.heard > patience:
                    each.hung = True
                    each.process.kill()
                    each.process.join()
                if not each.process.is_alive():
                    listen(each, on_event)
                    each.process.join()
                    running.remove(each)
                    if again := aftermath(each, run):
                        todo.appendleft(again)
    finally:
        for each in running:
            each.process.terminate()
        for each in running:
            each.process.join()


def start(context: ForkServerContext, task: Task, attempt: int, run: Path, threads: int) -> Running:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=work, args=(task, run, theirs, threads), name=task.trial, daemon=True
    )
    process.start()
    theirs.close()
    return Running(task, process, ours, attempt, time.monotonic())


def listen(each: Running, on_event: Callable[..., None]) -> None:
    try:
        while each.pipe.poll():
            event = each.pipe.recv()
            each.heard = time.monotonic()
            if isinstance(event, str):
                raise Stopped(event)
            on_event(event)
    except EOFError:
        return


def aftermath(each: Running, run: Path) -> tuple[Task, int] | None:
    """After a process has ended: its task again if it died, unless it died before."""
    if is_done(run, each.task):
        return None
    if each.attempt < ATTEMPTS:
        return each.task, each.attempt + 1
    write_crash(run, each.task, f"its process {cause(each, run)}, twice")
    return None


def cause(each: Running, run: Path) -> str:
    if each.hung:
        return "hung"
    code = each.process.exitcode or 0
    why = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    log = run / "trials" / each.task.trial / "error.txt"
    if log.exists():
        why += f": {log.read_text(encoding='utf-8').strip().splitlines()[-1]}"
    return why


def write_crash(run: Path, task: Task, why: str) -> None:
    """What an earlier rung left is kept: the trial got as far as that."""
    trial = planned(run, task)
    before = result_of(run, trial) or TrialResult(trial=trial, status="crashed")
    result = before.model_copy(update={"status": "crashed", "why": why})
    folder_of(run, trial).mkdir(parents=True, exist_ok=True)
    write_whole(folder_of(run, trial) / "result.json", result.model_dump_json(indent=1))


def planned(run: Path, task: Task) -> Trial:
    plan = RunPlan.model_validate_json((run / "plan.json").read_bytes())
    return next(trial for trial in plan.trials if trial.id == task.trial)


def work(task: Task, run: Path, pipe: Connection, threads: int) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor is told, and ends us
    import traceback

    import torch

    from runner.data import DataError
    from runner.trial import run_trial

    torch.set_num_threads(threads)
    plan = RunPlan.model_validate_json((run / "plan.json").read_bytes())
    trial = next(trial for trial in plan.trials if trial.id == task.trial)
    folder = folder_of(run, trial)
    try:
        run_trial(trial, plan, folder, pipe.send, budget=task.budget)
    except BrokenPipeError:
        return  # the supervisor is gone: whoever comes next goes on from the checkpoint
    except DataError as error:
        pipe.send(str(error))
    except OSError as error:
        pipe.send(f"{error.filename or run}: {error.strerror or error}")
    except Exception:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        raise


def folder_of(run: Path, trial: Trial) -> Path:
    return run / "trials" / trial.id


def is_done(run: Path, task: Task) -> bool:
    """Whether a task has got to its end, or its trial to another one."""
    result = result_of(run, planned(run, task))
    return result is not None and result.passed(task.budget)


def result_of(run: Path, trial: Trial) -> TrialResult | None:
    path = folder_of(run, trial) / "result.json"
    return TrialResult.model_validate_json(path.read_bytes()) if path.exists() else None


def results(run: Path, trials: Sequence[Trial]) -> list[TrialResult]:
    """Of the trials that have ended, or wait at the end of a rung."""
    return [found for trial in trials if (found := result_of(run, trial))]


def free_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
