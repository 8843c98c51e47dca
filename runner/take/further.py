"""An arm of a run trained further, in a folder of its own: the fair comparison is over by then."""

from collections.abc import Callable, Sequence
from math import exp, log
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from advisor.recommendation import Recommendation
from knowledge.files import write_whole
from knowledge.reading import nearest
from runner import checkpoint as checkpoints
from runner.execute import folder_of
from runner.kept import GRIDS, Looks, result_in
from runner.logs import Log
from runner.plan import Continued, Rung, RunPlan, Trial
from runner.prepare import Prepared, chosen_device
from runner.race import Race
from runner.results import Leaderboard, TrialResult
from runner.run import Engine, carry_out, ranked
from runner.settle import alone_in, settled, stored
from runner.take.find import TakeError, first_of
from runner.trial import Event, features_of, planned_images
from runner.wording import images

FOUND = ("anchors.json", "real.png")  # what scores are held against is the same as before


class Further(NamedTuple):
    """What is to be trained further, and from where."""

    run: Path
    plan: RunPlan
    advice: Recommendation
    before: tuple[TrialResult, ...]  # of the trials of the plan, as they ended in the run
    says: str

    @property
    def folder(self) -> Path:
        """Beside the run, unless somebody wants it elsewhere."""
        run = self.run.resolve()
        return run.with_name(f"{run.name}-{self.plan.arms[0]}-{images(self.plan.budget)}")


def further(run: Path, budget: int, arm: str | None = None) -> Further:
    """The run's first arm, or the one that is named, with every seed that left a checkpoint.

    `budget` counts from the start, as in a run. Raises TakeError, and RunError for files of
    another version.
    """
    if not (run / "plan.json").exists():
        raise TakeError(f"{run} holds no run; give the folder that gan-runner run wrote")
    plan = stored(RunPlan, run / "plan.json")
    board, ended = ranked(run)
    if arm is None:
        arm = first_of(run, board).arm
    elif arm not in plan.arms:
        raise TakeError(f"{run} has no arm {arm!r}{nearest(arm, plan.arms)}")
    able = tuple(each for each in ended if each.trial.arm == arm and can_go_on(run, each))
    name = next(trial.name for trial in plan.trials if trial.arm == arm)
    if not able:
        why = "; ".join(f"{r.trial.id} {r.status}" for r in ended if r.trial.arm == arm)
        raise TakeError(
            f"{name} left no checkpoint in {run} to go on from ({why or 'not begun'}); those of a "
            "run on a cluster lie in its storage"
        )
    seen = max(each.images_seen for each in able)
    if budget <= seen:
        raise TakeError(
            f"{name} has been shown {seen:,} images already, and --budget counts from the start: "
            "give more than that"
        )
    trials = tuple(each.trial.model_copy(update={"budget": budget}) for each in able)
    seeds = tuple(trial.seed for trial in trials)
    onwards = plan.model_copy(
        update={
            "budget": budget,
            "seconds": None,
            "rungs": (Rung(budget=budget, seeds=len(seeds), keep=None),),
            "control": None,
            "seeds": seeds,
            "trials": trials,
            "skipped": (),
            "continued": origin(run, plan, able),
        }
    )
    says = (
        f"{name}, {', '.join(trial.id for trial in trials)}: from {images(min(seen, plan.budget))}"
    )
    advice = stored(Recommendation, run / "recommendation.json")
    return Further(run, onwards, advice, able, f"{says} to {images(budget)} images")


def can_go_on(run: Path, result: TrialResult) -> bool:
    there = folder_of(run, result.trial) / "checkpoint.pt"
    return result.status in ("finished", "paused") and there.exists()


def origin(run: Path, plan: RunPlan, before: Sequence[TrialResult]) -> Continued:
    scores = [each.score for each in before if each.score]
    seen = min(plan.budget, max(each.images_seen for each in before))
    if len(scores) < len(before):
        return Continued(run=run.resolve().name, budget=seen)
    return Continued(
        run=run.resolve().name,
        budget=seen,
        metric=scores[0].metric,
        score=exp(fmean(log(score.value) for score in scores)),
    )


def go_on(
    wanted: Further,
    folder: Path,
    *,
    workers: int | None = None,
    engine: Engine | None = None,
    on_plan: Callable[[RunPlan, Sequence[TrialResult]], None] = lambda plan, before: None,
    on_event: Callable[[Event], None] = lambda event: None,
    on_rung: Callable[[Race], None] = lambda race: None,
    tell: Callable[[str], None] = lambda what: None,
    logs: Sequence[Log] = (),
) -> Leaderboard:
    """Measures by the same protocol; the run itself stays as it is.

    Where rates do not decay, the networks are those that training to this budget from the start
    would have given. The same call goes on after an interruption. Raises what `run` raises, and
    TakeError.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "plan.json").exists():
        raise TakeError(f"{folder} exists and is not empty; give another folder with -o")
    chosen_device(wanted.plan.device)
    for trial in wanted.plan.trials:
        state_of(folder_of(wanted.run, trial))  # before anything is written
    prepared = Prepared(wanted.plan, planned_images(wanted.plan), features_of(wanted.plan))
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        planned = settled(prepared, wanted.advice, folder, workers, tell)
        for name in FOUND:
            if (wanted.run / name).exists() and not (folder / name).exists():
                write_whole(folder / name, (wanted.run / name).read_bytes())
        for trial, before in zip(wanted.plan.trials, wanted.before, strict=True):
            hand_on(folder_of(wanted.run, trial), folder_of(folder, trial), trial, before)
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


def hand_on(old: Path, new: Path, trial: Trial, before: TrialResult) -> None:
    """A trial as it ended, to where it goes on; the checkpoint comes last, and says that it did."""
    if (new / "checkpoint.pt").exists() or result_in(new, trial):
        return
    state = state_of(old)
    identity = dict(state["identity"])
    if identity["rates end"] is not None:  # they decay, and from now on to another end
        identity["rates end"] = trial.budget
    new.mkdir(parents=True, exist_ok=True)
    (new / GRIDS).mkdir(exist_ok=True)
    for grid in sorted((old / GRIDS).glob("*.webp")):
        write_whole(new / GRIDS / grid.name, grid.read_bytes())
    looks = Looks(trial=trial, looks=before.looks)
    write_whole(new / "looks.json", looks.model_dump_json(indent=1))
    checkpoints.save(new / "checkpoint.pt", {**state, "identity": identity})


def state_of(trial: Path) -> dict[str, Any]:
    """Raises TakeError."""
    why: list[str] = []
    state = checkpoints.load(trial / "checkpoint.pt", why.append)
    if state is None:
        raise TakeError(f"{trial.name} cannot go on: {'; '.join(why) or 'it left no checkpoint'}")
    return state
