"""What lies in the folder of a run, and is reported."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from advisor.recommendation import Recommendation
from knowledge.schema import Record
from runner.plan import RunPlan, Trial
from runner.results import Leaderboard, TrialResult
from runner.troubles import Diagnosis
from runner.wording import sentence

FRAMES = (".webp", ".png")
DIAGNOSIS = "diagnosis.json"  # what gan-runner diagnose found


class ReportError(ValueError):
    """A file of the run that cannot be read: which, and why."""


class Frame(Record):
    """A trial's samples after so many real images; the same latents in the same places."""

    images_seen: int
    path: str


class Shown(Record):
    """The trial whose samples stand for its arm: the first that finished, never the best."""

    arm: str
    trial: str
    which: str  # "seed 0"
    latents: int
    path: str | None
    frames: tuple[Frame, ...] = ()  # on the way, the earliest first


class Pair(Record):
    """A generated image, and how near a training image comes to it (runner/metrics/copies.py)."""

    distance: float
    of_real: float | None = None  # that of held-out images, typically
    nearer: float | None = None  # the share of held-out images that are nearer
    picked: str | None = None  # "nearest" of all, or "as it came"


class Nearest(Record):
    """Samples beside the training images that are nearest to them (runner/keepsakes.py)."""

    path: str
    arm: str | None = None
    trial: str | None = None
    count: int | None = None  # samples that were looked at
    against: int | None = None  # training images that were
    of: int | None = None  # training images in all
    z: float | None = None  # below zero: nearer than held-out images are
    share_copied: float | None = None
    space: str | None = None  # "features" or "pixels"
    says: str | None = None  # what came out of it, in a sentence
    pairs: tuple[Pair, ...] = ()  # one for each row of the picture


class Pictures(Record):
    """Files of the run, by their names within its folder."""

    samples: tuple[Shown, ...] = ()  # in the order of the plan
    real: str | None = None
    nearest: Nearest | None = None
    interpolation: str | None = None


class Run(NamedTuple):
    """What is known of a run."""

    folder: Path
    advice: Recommendation
    plan: RunPlan
    board: Leaderboard
    results: dict[str, TrialResult]  # by trial
    pictures: Pictures
    around: dict[str, Any]  # circumstances: versions, hardware, command
    diagnosis: Diagnosis | None = None  # None: nobody asked for one


def read(folder: Path, board: Leaderboard | None = None) -> Run:
    """With the ranking that lies in the folder, unless one is given."""
    plan = load(RunPlan, folder / "plan.json")
    ended = {
        trial.id: load(TrialResult, path).model_copy(update={"losses": (), "signs": ()})
        for trial in plan.trials
        if (path := folder / "trials" / trial.id / "result.json").exists()
    }
    return Run(
        folder=folder,
        advice=load(Recommendation, folder / "recommendation.json"),
        plan=plan,
        board=board or load(Leaderboard, folder / "leaderboard.json"),
        results=ended,
        pictures=pictures(folder, plan, ended),
        around=circumstances(folder / "run.json"),
        diagnosis=diagnosis(folder / DIAGNOSIS),
    )


def diagnosis(path: Path) -> Diagnosis | None:
    """One of another version is as good as none: it is made again in a minute."""
    try:
        return load(Diagnosis, path)
    except (FileNotFoundError, ReportError):
        return None


Kind = TypeVar("Kind", bound=Record)


def load(kind: type[Kind], path: Path) -> Kind:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ReportError(
            f"{path} is damaged or of another version: {where}: {first['msg']}"
        ) from None


def circumstances(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ReportError(f"{path} is damaged: {error}") from None
    return found if isinstance(found, dict) else {}


# Pictures --------------------------------------------------------------------------------------


def pictures(folder: Path, plan: RunPlan, ended: Mapping[str, TrialResult]) -> Pictures:
    return Pictures(
        samples=tuple(speakers(folder, plan, ended)),
        real=there(folder, "real.png"),
        nearest=nearest(folder),
        interpolation=there(folder, "interpolation.webp", "interpolation.png"),
    )


def speakers(folder: Path, plan: RunPlan, ended: Mapping[str, TrialResult]) -> Iterator[Shown]:
    """For each arm the first seed that finished, or that left pictures at all: never the best."""
    for arm in plan.arms:
        found = (shown(folder, trial) for trial in plan.trials if trial.arm == arm)
        own = [each for each in found if each.path or each.frames]
        own.sort(key=lambda each: not finished(ended.get(each.trial)))
        yield from own[:1]


def shown(folder: Path, trial: Trial) -> Shown:
    own = f"trials/{trial.id}"
    grids = (path for path in (folder / own / "grids").glob("*") if path.suffix in FRAMES)
    frames = (
        Frame(images_seen=int(path.stem), path=f"{own}/grids/{path.name}")
        for path in grids
        if path.stem.isdecimal()
    )
    return Shown(
        arm=trial.arm,
        trial=trial.id,
        which=trial.which,
        latents=trial.recipe.latent_dim,
        path=there(folder, f"{own}/samples.png"),
        frames=tuple(sorted(frames, key=lambda frame: frame.images_seen)),
    )


def finished(result: TrialResult | None) -> bool:
    return result is not None and result.status == "finished"


def nearest(folder: Path) -> Nearest | None:
    """What is said in nearest.json is left out where it is not understood; the picture is not."""
    path = there(folder, "nearest.webp", "nearest.png")
    if path is None:
        return None
    try:
        said = json.loads((folder / "nearest.json").read_bytes())
        known = {name: said[name] for name in Nearest.model_fields if name in said}
        known["pairs"] = [
            {name: pair[name] for name in Pair.model_fields if name in pair}
            for pair in said.get("pairs", ())
        ]
        if known.get("says"):
            known["says"] = sentence(str(known["says"]))
        return Nearest.model_validate(known | {"path": path})
    except (OSError, ValueError, TypeError, AttributeError):
        return Nearest(path=path)


def there(folder: Path, *names: str) -> str | None:
    """The first of these files that exists."""
    return next((name for name in names if (folder / name).is_file()), None)
