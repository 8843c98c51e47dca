"""The plan of a folder: written once, and from then on the same command must mean the same."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from advisor.recommendation import Recommendation
from knowledge.files import write_whole
from knowledge.schema import Record
from runner.calibrate import Calibration, affordable, calibrate, compiling
from runner.device import MODES
from runner.plan import RunPlan
from runner.prepare import Prepared, RunError
from runner.race import with_budget
from runner.wording import counted, duration

R = TypeVar("R", bound=Record)


class Planned(NamedTuple):
    """What a run will do."""

    prepared: Prepared
    calibration: Calibration

    @property
    def plan(self) -> RunPlan:
        return self.prepared.plan


def settled(
    prepared: Prepared,
    advice: Recommendation,
    folder: Path,
    workers: int | None,
    tell: Callable[[str], None],
    *,
    paces: bool = False,
) -> Planned:
    """The plan that stands in the folder, or a new one that from now on stands there.

    The same command later must mean the same plan: a budget that was worked out from a time,
    whose networks are compiled, and how many threads a trial has are not worked out anew.
    """
    plan, known = prepared.plan, folder / "plan.json"
    before = stored(RunPlan, known) if known.exists() else None
    if before and plan.seconds is not None and plan.seconds == before.seconds:
        plan = with_budget(plan, before.budget)
    if before and plan.compile == before.compile:
        plan = plan.model_copy(update={"compiled": before.compiled})
    begun = (folder / "trials").exists()
    if before and before != plan and begun:
        raise RunError(
            f"{folder} holds another run ({'; '.join(differences(before, plan))}); "
            "choose another folder with -o, or repeat the settings"
        )
    same = before == plan
    asked = plan.seconds is not None or (plan.compile == "auto" and plan.device in MODES)
    calibration = calibrated(
        plan, folder, workers, tell, paces=paces or (asked and not same),
        again=not begun and not same,
    )  # fmt: skip
    if plan.seconds is not None and not same:
        fits = affordable(plan, calibration, plan.seconds)
        if fits is None:
            raise RunError(
                f"{duration(plan.seconds)} are too few for {len(plan.arms)} arms and "
                f"{counted(len(plan.seeds), 'seed')} on this machine; give more time, fewer "
                "--seeds, or some candidates with --only"
            )
        plan = fits
    if not same:
        plan, calibration = compiling(plan, calibration, tell)
        write_whole(folder / "calibration.json", calibration.model_dump_json(indent=1))
        write_whole(folder / "recommendation.json", advice.model_dump_json(indent=2))
        write_whole(known, plan.model_dump_json(indent=1))
    return Planned(prepared._replace(plan=plan), calibration)


def calibrated(
    plan: RunPlan,
    folder: Path,
    workers: int | None,
    tell: Callable[[str], None],
    *,
    paces: bool,
    again: bool,
) -> Calibration:
    """As it was measured for this folder, or measured now."""
    path = folder / "calibration.json"
    if path.exists() and not again:
        known = stored(Calibration, path)
        if workers in (None, known.workers) and (known.paces or not paces):
            return known
    try:
        found = calibrate(plan, workers=workers, paces=paces, tell=tell)
    except RuntimeError as error:
        raise RunError(str(error)) from None
    write_whole(path, found.model_dump_json(indent=1))
    return found


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Two runs in one folder would overwrite each other. The lock ends with the process."""
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another run is at work in {folder}") from None
        yield


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


def stored(shape: type[R], path: Path) -> R:
    """Raises RunError for a file of another version, or of nothing at all."""
    try:
        return shape.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(f"{path} is not of this version ({where}: {first['msg']})") from None
