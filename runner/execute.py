"""Trials in processes of their own, as many at a time as there is room for, supervised."""

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from knowledge.files import write_whole
from runner.plan import RunPlan, Trial
from runner.results import TrialResult

ATTEMPTS = 2  # a trial whose process dies is tried once more, from its checkpoint


class Stopped(RuntimeError):
    """The run cannot go on for a reason that lies outside the trials, such as a full disk."""


class Running(NamedTuple):
    trial: Trial
    process: BaseProcess
    pipe: Connection
    attempt: int


def execute(
    plan: RunPlan, run: Path, *, workers: int, threads: int, on_event: Callable[..., None]
) -> None:
    """Runs every trial that has no result yet. Raises Stopped."""
    todo = deque((trial, 1) for trial in plan.trials if not has_result(run, trial))
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


def start(context, trial: Trial, attempt: int, run: Path, threads: int) -> Running:  # noqa: ANN001
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=work, args=(trial.id, run, theirs, threads), name=trial.id, daemon=True
    )
    process.start()
    theirs.close()
    return Running(trial, process, ours, attempt)


def listen(each: Running, on_event: Callable[..., None]) -> None:
    try:
        while each.pipe.poll():
            event = each.pipe.recv()
            if isinstance(event, str):
                raise Stopped(event)
            on_event(event)
    except EOFError:
        return


def aftermath(each: Running, run: Path) -> tuple[Trial, int] | None:
    """After a process has ended: its trial again if it died, unless it died before."""
    if has_result(run, each.trial):
        return None
    if each.attempt < ATTEMPTS:
        return each.trial, each.attempt + 1
    code = each.process.exitcode or 0
    why = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    log = folder_of(run, each.trial) / "error.txt"
    if log.exists():
        why += f": {log.read_text(encoding='utf-8').strip().splitlines()[-1]}"
    result = TrialResult(trial=each.trial, status="crashed", why=f"its process {why}, twice")
    folder_of(run, each.trial).mkdir(parents=True, exist_ok=True)
    write_whole(folder_of(run, each.trial) / "result.json", result.model_dump_json(indent=1))
    return None


def work(trial_id: str, run: Path, pipe: Connection, threads: int) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor is told, and ends us
    import traceback

    import torch

    from runner.data import DataError
    from runner.trial import run_trial

    torch.set_num_threads(threads)
    plan = RunPlan.model_validate_json((run / "plan.json").read_bytes())
    trial = next(trial for trial in plan.trials if trial.id == trial_id)
    folder = folder_of(run, trial)
    try:
        run_trial(trial, plan, folder, pipe.send)
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


def has_result(run: Path, trial: Trial) -> bool:
    return (folder_of(run, trial) / "result.json").exists()


def results(run: Path, trials: Sequence[Trial]) -> list[TrialResult]:
    """Of the trials that have ended."""
    return [
        TrialResult.model_validate_json((folder_of(run, trial) / "result.json").read_bytes())
        for trial in trials
        if has_result(run, trial)
    ]


def free_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
