"""What a trial left in its folder, read back with care: a killed run goes on from it."""

from itertools import chain
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from knowledge.schema import Record
from runner.plan import Trial
from runner.results import Look, TrialResult

R = TypeVar("R", bound=Record)
GRIDS = "grids"


class Foreign(ValueError):
    """A file that is whole and yet not of this trial: neither used nor written over."""


class Looks(Record):
    """The looks so far, with the trial that they were taken of."""

    trial: Trial
    looks: tuple[Look, ...]


def result_in(folder: Path, trial: Trial) -> TrialResult | None:
    """None where there is none, or a damaged one: it will be worked out again. Raises Foreign."""
    found = whole(TrialResult, folder / "result.json")
    if found is not None and found.trial != trial:
        raise Foreign(not_of(trial, found.trial, folder / "result.json"))
    return found


def looks_in(folder: Path, trial: Trial) -> tuple[Look, ...]:
    """None of them where the file is missing or damaged. Raises Foreign."""
    found = whole(Looks, folder / "looks.json")
    if found is None:
        return ()
    if found.trial != trial:
        raise Foreign(not_of(trial, found.trial, folder / "looks.json"))
    return found.looks


def whole(kind: type[R], path: Path) -> R | None:
    """None where it is missing or torn. Raises Foreign for JSON that is something else."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":  # written whole, so a disk or a person tore it since
            return None
        where = ".".join(map(str, first["loc"])) or "the file"
        raise Foreign(
            f"{path} is of another version, or of another program ({where}: {first['msg']})"
        ) from None


def not_of(wanted: Trial, found: Trial, path: Path) -> str:
    which = f"it says {found.id}"
    if found.id == wanted.id:
        which = f"it says {found.id} too, but with another recipe or budget"
    return f"{path} is of another trial: {which}"


def grid_of(folder: Path, images_seen: int) -> Path:
    """Samples of the same latents, in the same places, at a look of the trial in the folder."""
    return folder / GRIDS / f"{images_seen:012}.webp"  # in order of their names too


def sweep(folder: Path) -> None:
    """Takes away what a killed process had not written to its end."""
    parts = (folder.glob(".*.part"), folder.glob("*.partial"), folder.glob(f"{GRIDS}/.*.part"))
    for unfinished in chain(*parts):
        unfinished.unlink(missing_ok=True)
