"""What is known of a trial: its logs as they were kept, and figures of its samples."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from knowledge.schema import Record
from runner import checkpoint
from runner.data import DataError, ImageSet
from runner.data.cache import cache_folder
from runner.diagnosis.spectrum import ripple
from runner.diagnosis.variety import variety
from runner.game import build
from runner.health import spread
from runner.held import held_against
from runner.kept import Foreign, Looks, whole
from runner.metrics import MetricError, Reference, anchors, secondary_of
from runner.metrics.copies import memorisation
from runner.metrics.neighbours import ROBUST
from runner.parts import PartError
from runner.plan import RunPlan, Trial
from runner.prepare import RunError, reference_of
from runner.results import Look, TrialResult
from runner.samples import Drawn, sampler
from runner.scene import Game
from runner.take import TakeError, read_generator
from runner.trial import EVALUATION_SEED, features_of, planned_images

Curve = tuple[tuple[int, dict[str, float]], ...]  # images seen, means since the last
MOST = 2_000  # samples
GENERATOR = "generator.safetensors"


class Samples(Record):
    """Figures of what a generator makes, beside real images. None: these images have no such one."""

    count: int
    spread: float  # of features: how far apart they are, over that of real ones
    coverage: float | None
    precision: float | None
    recall: float | None
    neglected: float | None  # see Variety
    cells: float | None
    cells_of_real: float | None
    closeness: float | None
    period: int | None  # see Ripple
    ripple: float | None  # over that of real images
    levels: float | None
    share_copied: float | None  # see Copies: in the space where it is the more conspicuous one
    share_expected: float | None
    copies_p: float | None
    copies_z: float | None  # in features
    copies_found: bool | None


class Evidence(Record):
    """All that verdicts rest on: with the same evidence they are the same."""

    trial: Trial
    status: str  # of its result; "unfinished" where it has none
    why: str | None
    images_seen: int
    looks: tuple[Look, ...]
    losses: Curve
    signs: Curve
    chance: float | None  # the distance of what takes no learning: noise, or the mean image
    samples: Samples | None
    no_samples: str | None  # why there are none

    @property
    def rounds(self) -> int:
        """Steps of the generator."""
        recipe = self.trial.recipe
        steps = 1 if recipe.structure.name == "vae" else recipe.optimizer.critic_steps
        return self.images_seen // (recipe.batch_size * steps)


class Surroundings(NamedTuple):
    """What all trials of a run have in common, opened once."""

    plan: RunPlan
    images: ImageSet
    reference: Reference
    chance: float

    @classmethod
    def of(cls, plan: RunPlan, run: Path | None) -> "Surroundings":
        """Raises DataError where the images are not here, or others; MetricError for features."""
        images, features = planned_images(plan), features_of(plan)
        known = held_against(run / "anchors.json") if run else {}
        if not known:
            glance = reference_of(images, features, plan.measurement.look_n)
            known = anchors(images.train, glance, cache=cache_folder(None) / "references")
        chance = max(known[name].value for name in ("noise", "mean"))
        held = reference_of(images, features, min(MOST, len(images.held_out)))
        return cls(plan, images, held, chance)


def surroundings(plan: RunPlan, run: Path | None = None) -> Surroundings | str:
    """Or why they cannot be had. A run has already measured what takes no learning."""
    try:
        return Surroundings.of(plan, run)
    except (DataError, MetricError) as error:
        return str(error)


def evidence(folder: Path, around: Surroundings | str) -> Evidence:
    """Of a trial, from its folder. Raises RunError where that holds no trial."""
    try:
        result = whole(TrialResult, folder / "result.json")
        looks = whole(Looks, folder / "looks.json")
    except Foreign as error:
        raise RunError(str(error)) from None
    left = result or looks
    if left is None:
        raise RunError(f"{folder} holds no trial (result.json, looks.json), or a damaged one")
    trial, taken = left.trial, left.looks
    whole_already = result and result.signs and (folder / GENERATOR).exists()
    state = {} if whole_already else checkpoint.load(folder / "checkpoint.pt", ignored) or {}
    losses, signs = curves(result, state)
    made: Samples | None = None
    why = around if isinstance(around, str) else None
    if not isinstance(around, str):
        game = generator_of(folder, trial, around, state)
        if isinstance(game, str):
            why = game
        else:
            made, why = measured(game, around)
    return Evidence(
        trial=trial,
        status=result.status if result else "unfinished",
        why=result.why if result else None,
        images_seen=result.images_seen if result else taken[-1].images_seen if taken else 0,
        looks=taken,
        losses=losses,
        signs=signs,
        chance=None if isinstance(around, str) else around.chance,
        samples=made,
        no_samples=why,
    )


def ignored(says: str) -> None:
    """That a checkpoint is damaged: what it would have told cannot be told then."""


def curves(result: TrialResult | None, state: dict[str, Any]) -> tuple[Curve, Curve]:
    """Runs from before signs were kept in results have them in their checkpoints alone."""
    history = state["run"]["history"] if state else []
    if result and (result.losses or not history):
        signs = result.signs or tuple((at, signs) for at, _, signs in history if signs)
        return result.losses, signs
    return (
        tuple((at, losses) for at, losses, _ in history),
        tuple((at, signs) for at, _, signs in history if signs),
    )


def generator_of(
    folder: Path, trial: Trial, around: Surroundings, state: dict[str, Any]
) -> Game | str:
    """The finished one, else that of the last checkpoint; or why there is none."""
    path = folder / GENERATOR
    if path.exists():
        try:
            return read_generator(path)
        except TakeError as error:
            return str(error)
    if not state:
        return "it left neither a generator nor a checkpoint"
    data = around.plan.data
    try:
        game = build(trial.recipe, data.shape, trial.seed)
        for name in game.averaged:
            prefix = f"{name}."
            own = {
                key.removeprefix(prefix): value
                for key, value in state["run"]["average"].items()
                if key.startswith(prefix)
            }
            game.networks[name].load_state_dict(own)
    except (PartError, RuntimeError, KeyError) as error:
        return f"its checkpoint cannot be read: {str(error).splitlines()[0]}"
    game.networks.eval()
    return game


def measured(game: Game, around: Surroundings) -> tuple[Samples | None, str | None]:
    """Figures of its samples, or why there are none."""
    images, held = around.images, around.reference
    try:
        samples = sampler(game)(held.count, EVALUATION_SEED)
    except MetricError as error:
        return None, str(error)
    if not np.isfinite(samples).all():
        return None, "its samples are not finite"
    features = held.extractor(samples)
    near = secondary_of(features, held, ("precision", "recall", "coverage"))
    many = held.count > ROBUST + 1
    kinds = variety(samples, images.train, images.held_out) if many else None
    grid = None
    if not images.of_points:
        seen, real = (
            np.asarray(each, np.uint8) for each in (samples, images.held_out[: held.count])
        )
        grid = ripple(seen, real) if real.shape[1] == seen.shape[1] else None
    return Samples(
        count=held.count,
        spread=spread(features) / max(spread(held.features), 1e-12),
        coverage=near.get("coverage"),
        precision=near.get("precision"),
        recall=near.get("recall"),
        neglected=kinds.neglected if kinds else None,
        cells=kinds.cells if kinds else None,
        cells_of_real=kinds.of_real if kinds else None,
        closeness=kinds.closeness if kinds else None,
        period=grid.period if grid else None,
        ripple=grid.over_real if grid else None,
        levels=grid.levels if grid else None,
        **copied(samples, around),
    ), None


def copied(samples: Drawn, around: Surroundings) -> dict[str, Any]:
    images = around.images
    names = ("share_copied", "share_expected", "copies_p", "copies_z", "copies_found")
    if images.of_points or around.reference.count <= ROBUST:
        return dict.fromkeys(names)
    found = memorisation(
        lambda n, seed: samples, images.train, images.held_out, around.reference,
        cache=cache_folder(None) / "references",
    )  # fmt: skip
    worst = found.of[found.worst]
    values = (worst.share_copied, worst.expected, worst.p, found.of["features"].z, found.found)
    return dict(zip(names, values, strict=True))


def column(curve: Curve, name: str) -> list[float]:
    """One of its lines, from the start."""
    return [values[name] for _, values in curve if isfinite(values.get(name, float("nan")))]


def names_of(curve: Curve) -> Sequence[str]:
    return tuple(dict.fromkeys(name for _, values in curve for name in values))
