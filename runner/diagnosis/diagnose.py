"""Every trial of a run, or one of them, with what it suffered from."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.reading import nearest
from runner.diagnosis.evidence import Surroundings, evidence, surroundings
from runner.diagnosis.verdicts import findings
from runner.execute import folder_of
from runner.health import ROUNDS
from runner.plan import RunPlan
from runner.prepare import RunError
from runner.settle import stored
from runner.take.find import planned
from runner.troubles import Diagnosed, Diagnosis
from runner.wording import counted, images

APART = "the trial lies apart from its run, which knows the images it was trained on"


class Place(NamedTuple):
    run: Path | None  # None: a trial that lies apart
    trials: tuple[Path, ...]


def diagnose(place: Place, tell: Callable[[str], None] = lambda trial: None) -> Diagnosis:
    """Raises RunError where files are of another version. `tell` hears which trial is looked at."""
    around: Surroundings | str = APART
    if place.run:
        around = surroundings(stored(RunPlan, place.run / "plan.json"), place.run)
    trials = tuple(each(place, around, tell))
    return Diagnosis(trials=trials, note=too_young(trials, place.run))


def too_young(trials: Sequence[Diagnosed], run: Path | None) -> str | None:
    """What to do first, where trials may just not have begun."""
    those = [each for each in trials if each.young and len(each.found) > len(each.counts)]
    if not those:
        return None
    says = (
        f"{counted(len(those), 'trial')} had too few steps to tell trouble from a beginning, "
        f"and {'is' if len(those) == 1 else 'are'} left out of what is advised; train longer first"
    )
    if run is None:
        return says
    recipes = [trial.recipe for trial in stored(RunPlan, run / "plan.json").trials]
    most = max(each.batch_size * each.optimizer.critic_steps for each in recipes)
    return f"{says}: with --budget {images(ROUNDS * most)} every generator takes {ROUNDS:,} steps"


def each(
    place: Place, around: Surroundings | str, tell: Callable[[str], None]
) -> Iterator[Diagnosed]:
    for folder in place.trials:
        tell(folder.name)
        known = evidence(folder, around)
        yield Diagnosed(
            trial=known.trial.id,
            arm=known.trial.arm,
            name=known.trial.name,
            which=known.trial.which,
            status=known.status,
            rounds=known.rounds,
            findings=findings(known),
        )


def locate(where: Path) -> Place:
    """A run with those of its trials that have begun, or one trial. Raises RunError."""
    if (where / "plan.json").exists():
        plan = stored(RunPlan, where / "plan.json")
        folders = tuple(folder_of(where, trial) for trial in plan.trials)
        begun = tuple(folder for folder in folders if has_begun(folder))
        if not begun:
            raise RunError(f"{where}: none of its trials has got to its first look yet")
        return Place(where, begun)
    if has_begun(where):
        above = where.resolve().parent.parent
        return Place(above if is_of(above, where) else None, (where,))
    if where.parent.name == "trials" and (where.parent.parent / "plan.json").exists():
        known = [path.parent.name for path in where.parent.glob("*/looks.json")]
        raise RunError(
            f"{where.parent.parent} has no trial {where.name!r}{nearest(where.name, known)}"
        )
    if not where.exists():
        raise RunError(f"{where} does not exist; give the folder of a run or of one of its trials")
    raise RunError(f"{where} holds neither a run (plan.json) nor a trial (result.json, looks.json)")


def has_begun(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("result.json", "looks.json"))


def is_of(run: Path, folder: Path) -> bool:
    """A trial may have been moved to a folder of its own, or by chance into another run."""
    known = evidence(folder, APART).trial if (run / "plan.json").exists() else None
    return known is not None and planned(run, known)
