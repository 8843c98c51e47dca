"""From what a user asks for to a plan: everything that can be wrong is found here, at the door."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from advisor.recommendation import Recommendation
from knowledge.reading import nearest
from knowledge.schema import Recipe, Record
from runner.alike import merged
from runner.data import ImageSet, open_images
from runner.data.cache import cache_folder
from runner.data.source import Channels
from runner.device import chosen_precision
from runner.fits import other_data, untrained_task
from runner.game import build, rule_book
from runner.metrics import Extractor, Reference, extractor, reference, reference_points
from runner.metrics.features import NETWORKS
from runner.metrics.points import NAME as COORDINATES
from runner.parts import PartError
from runner.plan import (
    Compile,
    DataPlan,
    Measurement,
    Overrides,
    Precision,
    RunPlan,
    Skip,
    Trial,
    trials_of,
)
from runner.race import EARLY, ladder
from runner.scene import ImageShape
from runner.search import settings
from runner.wording import counted


class RunError(ValueError):
    """A run that cannot start as asked: one sentence for whoever asked."""


class Request(Record):
    """What the user asks for."""

    data: str
    size: int = 32
    channels: Channels | None = None
    budget: int = 2_000_000
    time: float | None = None  # seconds for the whole run, instead of a budget
    halving: bool = True  # arms far behind leave early
    health: bool = True  # trials without hope are stopped
    seeds: int = 3
    search: int = 0  # settings of each candidate, one trial each, instead of seeds
    features: str = "auto"
    weights: Path | None = None
    engine: str = "auto"
    samples: int = 10_000
    draws: int = 1
    looks: int = 4
    look_samples: int = 2_000
    precision: Precision | None = None  # None: what the hardware does best
    compile: Compile = "auto"
    device: str = "auto"
    overrides: Overrides = Overrides()


class Prepared(NamedTuple):
    plan: RunPlan
    images: ImageSet
    features: Extractor

    def reference(self) -> Reference:
        """What final scores are measured against."""
        return reference_of(self.images, self.features, self.plan.measurement.n)


def prepare(
    advice: Recommendation, request: Request, on_decode: Callable[[int, int], None]
) -> Prepared:
    """Raises RunError, DataError and MetricError."""
    device = chosen_device(request.device)
    if why := untrained_task(advice):
        raise RunError(why)
    check_arms(advice, request.overrides)
    seeds = tuple(range(request.search or request.seeds))
    images = open_images(
        request.data, size=request.size, channels=request.channels, progress=on_decode
    )
    features = extractor(
        features_for(images, request.features),
        weights=request.weights,
        device=device,
        engine=request.engine,
    )
    trials, skipped = trainable(
        trials_of(
            advice,
            seeds=seeds,
            budget=request.budget,
            overrides=request.overrides,
            settings=partial(settings_of, request.search) if request.search else None,
        ),
        ImageShape(images.channels, images.size, len(images.classes)),
    )
    trials, doubled = merged(trials, advice, request.overrides)
    if request.time is None:
        check_budget(request.budget, trials)
    arms = tuple(dict.fromkeys(trial.arm for trial in trials))
    control = advice.control.id if advice.control and advice.control.id in arms else None
    # A setting is tried once, so there are no seeds that could tell who is behind.
    early = EARLY if request.halving and not request.search else ()
    has_control = control is not None
    plan = RunPlan(
        data=data_plan(request.data, images, request.channels),
        measurement=measurement(request, images, features),
        budget=request.budget,
        seconds=request.time,
        rungs=ladder(len(arms), request.budget, len(seeds), control=has_control, early=early),
        search=bool(request.search),
        control=control,
        seeds=seeds,
        # Eight bits are fewer than a narrow mode of points has.
        precision=chosen_precision(
            request.precision or ("float32" if images.of_points else "auto"), device
        ),
        device=device.type,
        compile=request.compile,
        trials=trials,
        skipped=(*skipped, *doubled),
        health=request.health,
        other_data=other_data(advice, images, rule_book()),
    )
    return Prepared(plan, images, features)


def settings_of(count: int, recipe: Recipe) -> list[tuple[Recipe, str]]:
    """As published, and drawn from published ranges."""
    return [(each.recipe, each.says) for each in settings(recipe, count, rule_book())]


def chosen_device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise RunError(f"no device {name!r}{nearest(name, ('auto', 'cpu', 'cuda'))}")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise RunError("no CUDA device is available here; use --device cpu")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def features_for(images: ImageSet, wanted: str) -> str:
    if images.of_points:
        if wanted not in ("auto", COORDINATES):
            raise RunError(f"points have no features by {wanted!r}; leave --features at auto")
        return COORDINATES
    if wanted == COORDINATES:
        raise RunError("images are not compared by coordinates; leave --features at auto")
    return wanted


def check_arms(advice: Recommendation, overrides: Overrides) -> None:
    known = [arm.id for arm in advice.arms]
    if not known:
        raise RunError("this recommendation has no candidates to train")
    for name in overrides.only:
        if name not in known:
            raise RunError(f"no candidate {name!r} in this recommendation{nearest(name, known)}")


def check_budget(budget: int, trials: Sequence[Trial]) -> None:
    """Less than a batch trains nothing, and is a slip of the pen: 2 for 2M."""
    largest = max(trial.recipe.batch_size for trial in trials)
    if budget < largest:
        also = f"; did you mean {budget}M or {budget}h?" if budget < 100 else ""
        what = f"{counted(budget, 'image')} {'is' if budget == 1 else 'are'}"
        raise RunError(f"{what} less than one batch of {largest}{also}")


def trainable(
    trials: tuple[Trial, ...], image: ImageShape
) -> tuple[tuple[Trial, ...], tuple[Skip, ...]]:
    """Each arm is built once before anything starts, so that what cannot be built is told now."""
    why: dict[str, str] = {}
    for arm, trial in {trial.arm: trial for trial in trials}.items():
        try:
            build(trial.recipe, image, 0)
        except PartError as error:
            why[arm] = str(error)
    able = tuple(trial for trial in trials if trial.arm not in why)
    if not able:
        reasons = "; ".join(dict.fromkeys(why.values()))
        hint = "; points take --backbone mlp" if image.size == 1 else ""
        raise RunError(f"none of the candidates can be trained here: {reasons}{hint}")
    return able, tuple(Skip(arm=arm, why=reason) for arm, reason in why.items())


def data_plan(where: str, images: ImageSet, asked: Channels | None = None) -> DataPlan:
    return DataPlan(
        where=where,
        name=images.name,
        size=images.size,
        channels=images.channels,
        asked=asked,
        train=len(images.train),
        held_out=len(images.held_out),
        held_out_is=images.held_out_is,
        classes=len(images.classes),
        fingerprint=images.fingerprint,
        skipped=len(images.skipped),
    )


def measurement(request: Request, images: ImageSet, features: Extractor) -> Measurement:
    """As many samples as were asked for, or as there are real images on either side."""
    n = min(request.samples, len(images.held_out), len(images.train))
    return Measurement(
        network=next(name for name in (*NETWORKS, COORDINATES) if features.name.startswith(name)),
        features=features.name,
        digest=features.digest,
        weights=str(request.weights.absolute()) if request.weights else None,
        engine=features.engine,
        n=n,
        draws=request.draws,
        look_n=min(request.look_samples, n),
        looks=request.looks,
    )


def reference_of(images: ImageSet, features: Extractor, n: int) -> Reference:
    """Worked out once for each data set and machine."""
    if images.of_points:
        return reference_points(images.held_out, features, n=n)
    return reference(images.held_out, features, n=n, cache=cache_folder(None) / "references")
