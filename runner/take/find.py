"""Which trained generator is meant: that of a run's first arm, or of the trial that is named."""

from pathlib import Path
from typing import NamedTuple

from knowledge.reading import nearest
from runner.kept import Foreign, whole
from runner.plan import RunPlan, Trial
from runner.prepare import RunError
from runner.results import Leaderboard, Standing, TrialResult
from runner.run import ranked
from runner.settle import stored
from runner.wording import images


class TakeError(RunError):
    """What cannot be taken home, in one sentence for whoever asked."""


class Taken(NamedTuple):
    """A finished trial."""

    folder: Path
    result: TrialResult
    says: str  # which one it is, and why that one
    run: Path | None  # the run that it is part of; None: the folder stands alone

    @property
    def trial(self) -> Trial:
        return self.result.trial

    @property
    def weights(self) -> Path:
        return self.folder / "generator.safetensors"


def find(where: Path) -> Taken:
    """Raises TakeError, and RunError for files of another version."""
    if (where / "plan.json").exists():
        return of_run(where)
    if (where / "result.json").exists():
        return of_trial(where)
    if where.is_file():
        raise TakeError(f"{where} is a file; give the folder of a run or of one of its trials")
    trials = where.parent
    if trials.name == "trials" and (trials.parent / "plan.json").exists():
        known = [path.parent.name for path in trials.glob("*/result.json")]
        raise TakeError(f"{trials.parent} has no trial {where.name!r}{nearest(where.name, known)}")
    if not where.exists():
        raise TakeError(f"{where} does not exist; give the folder of a run or of one of its trials")
    raise TakeError(f"{where} holds neither a run (plan.json) nor a trial (result.json)")


def of_run(run: Path) -> Taken:
    """The first finished seed of the first arm, not the luckiest one."""
    board, ended = ranked(run)
    first = first_of(run, board)
    result = next(r for r in ended if r.trial.arm == first.arm and r.status == "finished")
    which = f"{result.trial.id}: the first finished seed of {first.name}, {place(board)}"
    return taken(run / "trials" / result.trial.id, result, which, run)


def first_of(run: Path, board: Leaderboard) -> Standing:
    first = next((each for each in board.standings if each.finished), None)
    if first is None:
        reasons = [f"{each.name}, {why}" for each in board.standings for why in each.failures]
        says = f"{run} holds no finished trial. {board.verdict.says} {'; '.join(reasons)}"
        raise TakeError(says.strip())
    return first


def place(board: Leaderboard) -> str:
    return {
        "winner": "the winner",
        "tie": "which leads a tie: no single arm won",
        "preview": "which is first in a preview that names no winner",
        "nothing": "which alone has finished so far",
    }[board.verdict.kind]


def of_trial(folder: Path) -> Taken:
    try:
        result = whole(TrialResult, folder / "result.json")
    except Foreign as error:
        raise TakeError(str(error)) from None
    if result is None:
        raise TakeError(f"{folder / 'result.json'} is damaged")
    trial = result.trial
    if result.status == "paused":
        raise TakeError(
            f"{trial.id} waits, or left the race, after {images(result.images_seen)} images, and "
            f"has no generator yet; gan-runner continue trains it further with --arm {trial.arm}"
        )
    if result.status != "finished":
        raise TakeError(f"{trial.id} did not finish: {result.status}, {result.why}")
    above = folder.resolve().parent.parent
    run = above if planned(above, trial) else None
    return taken(folder, result, f"{trial.id}: the trial that was named", run)


def planned(run: Path, trial: Trial) -> bool:
    """A trial may have been moved to a folder of its own, or by chance into another run."""
    path = run / "plan.json"
    return path.exists() and trial in stored(RunPlan, path).trials


def taken(folder: Path, result: TrialResult, says: str, run: Path | None) -> Taken:
    found = Taken(folder, result, says, run)
    if not found.weights.exists():
        raise TakeError(
            f"{found.weights} is missing, though the trial has finished; of a run on a cluster, "
            "it may lie in its storage"
        )
    return found
