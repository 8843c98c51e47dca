"""The plan of a folder: written once, and from then on the same command must mean the same."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from advisor.recommendation import Recommendation
from knowledge.files import write_whole
from knowledge.schema import Record
from runner.calibrate import Calibration, affordable, calibrate, compiling
from runner.device import MODES
from runner.plan import RunPlan
from runner.prepare import Prepared, RunError
from runner.race import with_budget
from runner.wording import counted, duration, listed

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
            f"{folder} holds another run: {'; '.join(differences(before, plan))}. Give these "
            f"settings a folder of their own with -o, or repeat those of the run{more(before, plan)}"
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


def more(before: RunPlan, now: RunPlan) -> str:
    """For whoever wanted the same for longer."""
    if now.budget <= before.budget or now.arms != before.arms or now.data != before.data:
        return ""
    return "; for a larger budget gan-runner continue trains its first arm further"


# What a plan says, in the user's words, and what follows from it and so is no difference of its own.
WORDS = {
    "data.where": "the data were",
    "data.size": "pixels a side were",
    "data.channels": "channels were",
    "data.asked": "the channels asked for were",
    "data.fingerprint": "the images have changed since",
    "measurement.network": "features were by",
    "measurement.weights": "the weights of the features were",
    "measurement.engine": "the engine was",
    "measurement.n": "samples of a score were",
    "measurement.draws": "draws of a score were",
    "measurement.looks": "looks were",
    "seconds": "the time was",
    "budget": "the budget was",
    "search": "settings were searched:",
    "seeds": "seeds were",
    "arms": "the candidates were",
    "recipes": "the recipes have changed since",
    "precision": "the precision was",
    "device": "the device was",
    "compile": "--compile was",
    "health": "trials without hope were stopped:",
    "control": "the control arm was",
    "continued": "the run that it goes on from has changed",
    "halving": "arms far behind left early:",
    "digest": "the features are worked out otherwise than before",
    "other": "the advice is another one",
    "skipped": "what is not trained here, or why, has changed",
}


def differences(before: RunPlan, now: RunPlan) -> Iterator[str]:
    """In the user's words."""
    old, new = told_of(before), told_of(now)
    differ = [name for name in WORDS if old[name] != new[name]]
    for name in differ:
        if any(cause in differ for cause in FOLLOWS.get(name, ())):
            continue
        says = WORDS[name]
        yield f"{says} {old[name]}, now {new[name]}" if says.endswith(ASKING) else says
    if not differ:
        yield "other rungs, or other details"


ASKING = (" was", " were", " by", ":")
FOLLOWS = {
    "data.fingerprint": ("data.where", "data.size", "data.channels"),
    "data.channels": ("data.where",),
    "measurement.network": ("data.where",),
    "measurement.n": ("data.where",),
    "measurement.engine": ("data.where", "measurement.network"),
    "digest": ("data.where", "data.size", "precision", "measurement.network",
               "measurement.weights", "measurement.engine", "device"),
    "budget": ("seconds",),
    "recipes": ("arms", "seeds", "data.where"),
    "control": ("arms",),
    "precision": ("device", "data.where"),
    "halving": ("arms", "seeds", "search"),
    "skipped": ("arms", "data.where", "data.size"),
    "other": ("arms", "data.where", "data.size", "data.channels"),
    "seeds": ("search",),
}  # fmt: skip


def told_of(plan: RunPlan) -> dict[str, object]:
    data, measurement = plan.data, plan.measurement
    return {
        "data.where": data.where,
        "data.size": data.size,
        "data.channels": data.channels,
        "data.asked": data.asked or "those of the images",
        "data.fingerprint": data.fingerprint,
        "measurement.network": measurement.network,
        "measurement.weights": measurement.weights or "the usual ones",
        "measurement.engine": measurement.engine,
        "measurement.n": f"{measurement.n:,}",
        "measurement.draws": measurement.draws,
        "measurement.looks": measurement.looks,
        "digest": measurement.digest,
        "seconds": duration(plan.seconds) if plan.seconds else "not given",
        "budget": f"{plan.budget:,} images",
        "search": yes(plan.search),
        "seeds": len(plan.seeds),
        "arms": listed(plan.arms),
        "recipes": [trial.recipe for trial in plan.trials],
        "precision": plan.precision,
        "device": plan.device,
        "compile": plan.compile,
        "health": yes(plan.health),
        "control": plan.control or "none",
        "continued": plan.continued,
        "halving": yes(len(plan.rungs) > 1),
        "other": plan.other_data,
        "skipped": plan.skipped,
    }


def yes(holds: bool) -> str:
    return "yes" if holds else "no"


def stored(shape: type[R], path: Path) -> R:
    """Raises RunError for a file of another version, or of nothing at all."""
    try:
        return shape.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(f"{path} is not of this version ({where}: {first['msg']})") from None
