"""A whole experiment in one folder, which is its database: plan, trials, leaderboard, report."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from advisor.recommendation import Recommendation
from knowledge import __version__
from knowledge.files import write_whole
from knowledge.schema import Record
from runner.execute import execute, folder_of, results
from runner.health import with_foreseen
from runner.held import held_against, hold_against
from runner.keepsakes import keep
from runner.leaderboard import rank
from runner.live import Journal
from runner.logs import Log, logging
from runner.plan import RunPlan, Task, Trial
from runner.prepare import Request, RunError, prepare
from runner.race import Race, race_of
from runner.report import Report, content, page, read, write_report
from runner.results import Leaderboard, TrialResult
from runner.settle import Planned, alone_in, settled, stored
from runner.trial import Event
from runner.truth import truth_of


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


Engine = Callable[[Path, Sequence[Task]], None]  # runs tasks of the plan in the folder


def plan(
    advice: Recommendation,
    request: Request,
    folder: Path,
    *,
    workers: int | None = None,
    on_decode: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[str], None] = lambda what: None,
) -> Planned:
    """Measures what every arm takes here, and leaves the plan in the folder for `run` to follow.

    Raises RunError, DataError, MetricError, and OSError for a folder that cannot be written.
    """
    prepared = prepare(advice, request, on_decode)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        return settled(prepared, advice, folder, workers, tell, paces=True)


def run(
    advice: Recommendation,
    request: Request,
    folder: Path,
    *,
    workers: int | None = None,
    engine: Engine | None = None,
    on_plan: Callable[[RunPlan, Sequence[TrialResult]], None] = lambda plan, before: None,
    on_event: Callable[[Event], None] = lambda event: None,
    on_rung: Callable[[Race], None] = lambda race: None,
    on_decode: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[str], None] = lambda what: None,
    logs: Sequence[Log] = (),
) -> Leaderboard:
    """Trains every arm, measures, ranks and reports; run again, it goes on where it stopped.

    `engine` runs trials elsewhere than in processes of this machine, `logs` are written meanwhile,
    see runner.logs. Raises RunError, DataError
    and MetricError for what cannot start, Stopped for what cannot go on, OSError for a folder that
    cannot be written.
    """
    prepared = prepare(advice, request, on_decode)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        planned = settled(prepared, advice, folder, workers, tell)
        return carry_out(
            planned,
            folder,
            engine=engine,
            on_plan=on_plan,
            on_event=on_event,
            on_rung=on_rung,
            tell=tell,
            logs=logs,
        )


def carry_out(
    planned: Planned,
    folder: Path,
    *,
    engine: Engine | None = None,
    on_plan: Callable[[RunPlan, Sequence[TrialResult]], None] = lambda plan, before: None,
    on_event: Callable[[Event], None] = lambda event: None,
    on_rung: Callable[[Race], None] = lambda race: None,
    tell: Callable[[str], None] = lambda what: None,
    logs: Sequence[Log] = (),
) -> Leaderboard:
    """The plan that has settled in the folder, which nobody else is at work in."""
    plan, room = planned.plan, planned.calibration
    around = circumstances(plan, room.workers, room.threads)
    write_whole(folder / "run.json", around.model_dump_json(indent=1))
    on_plan(plan, results(folder, plan.trials))
    hold_against(planned.prepared, folder)
    # What a truth learns is learnt here, once, and not by every trial at the same time.
    truth_of(plan.data.where, planned.prepared.images, plan.device)
    with logging(folder, plan, logs, tell) as written:
        written.ended(plan.trials)  # earlier

        def told(event: Event) -> None:
            written.heard(event)
            on_event(event)

        heard = Journal(folder, told)
        own = partial(execute, workers=room.workers, threads=room.threads, on_event=heard)
        race(plan, folder, engine or own, on_rung, written.ended)
        keep(folder, planned.prepared, tell)
        board = conclude(folder)
        written.concluded(board)
    return board


def race(
    plan: RunPlan,
    folder: Path,
    engine: Engine,
    on_rung: Callable[[Race], None],
    on_ended: Callable[[Sequence[Trial]], None] = lambda trials: None,
) -> None:
    """Rung after rung, until those that are left have got to the end."""
    held = held_against(folder / "anchors.json")
    trials = {trial.id: trial for trial in plan.trials}
    ended = without_curves(folder, plan.trials)
    while not (race := race_of(plan, list(ended.values()), held)).over:
        on_rung(race)
        tasks = race.tasks(race.rung)
        engine(folder, tasks)
        went = [trials[task.trial] for task in tasks]
        on_ended(went)
        ended |= without_curves(folder, went)


def without_curves(folder: Path, trials: Sequence[Trial]) -> dict[str, TrialResult]:
    """All that a race asks for: ten thousand results with their losses are half a gigabyte."""
    found = (each for trial in trials for each in results(folder, [trial]))
    return {each.trial.id: each.model_copy(update={"losses": (), "signs": ()}) for each in found}


def report_again(folder: Path) -> Leaderboard:
    """Ranks what has ended so far. Raises RunError where there is no run."""
    if not (folder / "plan.json").exists():
        raise RunError(f"{folder} holds no run")
    return conclude(folder)


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


def conclude(folder: Path) -> Leaderboard:
    """From what lies in the folder: ranking, the first arm's samples, report."""
    board, ended = ranked(folder)
    write_whole(folder / "leaderboard.json", board.model_dump_json(indent=1))
    first = next((standing.arm for standing in board.standings if standing.finished), None)
    samples = (r for r in ended if r.trial.arm == first and r.score)
    if shown := next(samples, None):  # the first seed, not the luckiest
        write_whole(
            folder / "samples.png", (folder_of(folder, shown.trial) / "samples.png").read_bytes()
        )
    write_report(folder, board)
    return board


def ranked(folder: Path) -> tuple[Leaderboard, list[TrialResult]]:
    """What has ended so far. Raises RunError for files of another version, or of another run."""
    plan = stored(RunPlan, folder / "plan.json")
    advice = stored(Recommendation, folder / "recommendation.json")
    held = held_against(folder / "anchors.json")
    ended = results(folder, plan.trials)
    try:
        board = rank(plan, ended, held.pop("floor", None), plan.control, held)
        return with_foreseen(board, advice, ended), ended
    except ValueError as error:
        raise RunError(f"{folder}: {error}") from None


def page_of(folder: Path) -> str:
    """The report as it would be written now; nothing is written."""
    return page(reported(folder), folder)


def reported(folder: Path) -> Report:
    """What a report says now; nothing is written. Raises RunError where there is no run."""
    if not (folder / "plan.json").exists():
        raise RunError(f"{folder} holds no run")
    return content(read(folder, ranked(folder)[0]))
