"""Trials in processes of their own, as many at a time as there is room for, supervised."""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from knowledge.files import write_whole
from runner.kept import Foreign, result_in, sweep
from runner.plan import RunPlan, Task, Trial
from runner.results import TrialResult

ATTEMPTS = 2  # a trial whose process dies or hangs is tried once more, from its checkpoint
PATIENCE = 3600.0  # seconds without a word from a trial: measuring by Inception takes long


class Stopped(RuntimeError):
    """The run cannot go on for a reason that lies outside the trials, such as a full disk."""


class Turn(NamedTuple):
    """A task, with what became of its processes so far."""

    task: Task
    ends: tuple[str, ...] = ()


@dataclass
class Running:
    turn: Turn
    process: BaseProcess
    pipe: Connection
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
    trials = {trial.id: trial for trial in planned(run).trials}
    todo = deque(Turn(task) for task in tasks)
    context = fork_server()
    running: list[Running] = []
    sweep(run)
    try:
        while todo or running:
            while todo and len(running) < workers:
                running.append(start(context, todo.popleft(), run, threads))
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
                    if again := aftermath(each, run, trials[each.turn.task.trial], on_event):
                        todo.appendleft(again)
    finally:
        for each in running:
            each.process.terminate()
        for each in running:
            each.process.join()


def fork_server() -> ForkServerContext:
    """What trials need is loaded there once, and not by every one of their processes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["runner.warm"])
    return context


def start(context: ForkServerContext, turn: Turn, run: Path, threads: int) -> Running:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=work, args=(turn.task, run, theirs, threads), name=turn.task.trial, daemon=True
    )
    process.start()
    theirs.close()
    return Running(turn, process, ours, time.monotonic())


def listen(each: Running, on_event: Callable[..., None]) -> None:
    try:
        while each.pipe.poll():
            event = each.pipe.recv()
            each.heard = time.monotonic()
            if isinstance(event, str):
                raise Stopped(event)
            on_event(event)
    except (EOFError, OSError):  # it has ended, perhaps in the middle of a word
        return


def aftermath(each: Running, run: Path, trial: Trial, on_event: Callable[..., None]) -> Turn | None:
    """After a process has ended: its task again if it died, unless it died before."""
    task = each.turn.task
    if done(run, trial, task):
        return None
    ends = (*each.turn.ends, cause(each, run))
    if len(ends) < ATTEMPTS:
        from runner.trial import Event

        says = f"its process {ends[-1]}; it is tried once more, from its last checkpoint"
        on_event(Event(trial.id, "starting again", 0, says=says))
        return Turn(task, ends)
    first, last = ends[0], ends[-1]
    twice = f"{last}, twice" if first == last else f"{first}; at its second try it {last}"
    write_crash(run, trial, f"its process {twice}")
    return None


def cause(each: Running, run: Path) -> str:
    if each.hung:
        return "hung"
    code = each.process.exitcode or 0
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    log = run / "trials" / each.turn.task.trial / "error.txt"
    if log.exists():
        return f"failed: {log.read_text(encoding='utf-8').strip().splitlines()[-1]}"
    return f"ended with code {code}"


def write_crash(run: Path, trial: Trial, why: str) -> None:
    """What an earlier rung left is kept: the trial got as far as that."""
    before = result_of(run, trial) or TrialResult(trial=trial, status="crashed")
    result = before.model_copy(update={"status": "crashed", "why": why})
    folder_of(run, trial).mkdir(parents=True, exist_ok=True)
    write_whole(folder_of(run, trial) / "result.json", result.model_dump_json(indent=1))


def planned(run: Path) -> RunPlan:
    return RunPlan.model_validate_json((run / "plan.json").read_bytes())


def work(task: Task, run: Path, pipe: Connection, threads: int) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor is told, and ends us
    threading.Thread(target=end_with_supervisor, daemon=True).start()
    import traceback

    import torch

    from runner.checkpoint import CheckpointError
    from runner.data import DataError
    from runner.trial import run_trial

    torch.set_num_threads(threads)
    plan = planned(run)
    trial = next(trial for trial in plan.trials if trial.id == task.trial)
    folder = folder_of(run, trial)
    log = folder / "error.txt"
    log.unlink(missing_ok=True)  # of an earlier attempt
    try:
        run_trial(trial, plan, folder, pipe.send, budget=task.budget)
    except BrokenPipeError:
        return  # the supervisor is gone: whoever comes next goes on from the checkpoint
    except (DataError, CheckpointError, Foreign) as error:
        pipe.send(str(error))
    except OSError as error:
        pipe.send(f"{error.filename or run}: {error.strerror or error}")
    except Exception:  # noqa: BLE001 - whatever it is, it stands in the log
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)  # the supervisor tells: a traceback between its bars would help nobody


def end_with_supervisor() -> None:
    """Killed, it cannot end us, and whoever starts the run again must not find us at work."""
    if supervisor := parent_process():
        supervisor.join()
        os._exit(1)


def folder_of(run: Path, trial: Trial) -> Path:
    return run / "trials" / trial.id


def is_done(run: Path, task: Task) -> bool:
    """Whether a task has got to its end, or its trial to another one."""
    return done(run, next(t for t in planned(run).trials if t.id == task.trial), task)


def done(run: Path, trial: Trial, task: Task) -> bool:
    result = result_of(run, trial)
    return result is not None and result.passed(task.budget)


def result_of(run: Path, trial: Trial) -> TrialResult | None:
    """Raises Stopped for a file that is of something else."""
    try:
        return result_in(folder_of(run, trial), trial)
    except Foreign as error:
        raise Stopped(f"{error}; it is neither used nor written over: move it away") from None


def results(run: Path, trials: Sequence[Trial]) -> list[TrialResult]:
    """Of the trials that have ended, or wait at the end of a rung."""
    return [found for trial in trials if (found := result_of(run, trial))]


def free_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
