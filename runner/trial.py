"""One trial: build, train, look on the way, measure, and leave a folder behind."""

import json
import time
from collections.abc import Callable, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from knowledge.files import write_whole
from runner.checkpoint import discard, previous
from runner.data import Batches, DataError, ImageSet, open_images
from runner.data.cache import cache_folder
from runner.game import build
from runner.health import Course, Finding, diversity, hopeless, late_collapse
from runner.kept import Looks, grid_of, looks_in, result_in, sweep
from runner.memory import of_the_batch, ran_out
from runner.metrics import (
    Extractor,
    Reference,
    Score,
    anchors,
    beside,
    extractor,
    measure,
    metric_name,
)
from runner.pictures import picture, shown, small_picture
from runner.plan import RunPlan, Trial
from runner.prepare import reference_of
from runner.results import Look, Status, TrialResult
from runner.rounds import Diverged, Trained
from runner.rounds import Look as Loss
from runner.samples import sampler
from runner.scene import Game, Scene
from runner.told import intra_class, is_told
from runner.train import Progress, train
from runner.truth import Model, truth_of

EVALUATION_SEED = 1_000_003  # latents of every score: the same for all candidates
PICTURE_SEED = 7


class Event(NamedTuple):
    """What a trial tells while it runs."""

    trial: str
    what: str  # what it is doing
    images_seen: int
    images_per_second: float = 0.0
    look: float | None = None
    says: str | None = None  # a sentence that the user ought to read
    points: tuple[Loss, ...] = ()  # of the curves since the last one that its process told


Listener = Callable[[Event], None]


def run_trial(
    trial: Trial, plan: RunPlan, folder: Path, tell: Listener, *, budget: int | None = None
) -> TrialResult:
    """Trains up to `budget` (the end of a rung; None: to the end) and writes result.json.

    Goes on where an earlier rung ended or an earlier attempt stopped. At the end of the whole
    budget the samples are measured. Divergence, a trial without hope and a full device memory are
    results. Raises
    DataError where the images are no longer the planned ones, Foreign and CheckpointError for a
    file of another trial, and OSError where the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    attempt = Attempt(trial, plan, folder, tell)
    status: Status
    why: str | None = None
    try:
        if found := attempt.run(budget or trial.budget):
            status, why = found
        else:
            status = "finished" if attempt.measured else "paused"
    except Diverged as error:
        status, why = "diverged", str(error)
        attempt.images_seen, attempt.history = error.images_seen, error.history
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        status, why = "out-of-memory", next(iter(str(error).splitlines()), "no memory is left")
    result = attempt.result(status, why)
    write_whole(folder / "result.json", result.model_dump_json(indent=1))
    if status != "paused":
        previous(folder / "checkpoint.pt").unlink(missing_ok=True)  # the last can be trained on
    return result


class Attempt:
    """A trial in the making."""

    def __init__(self, trial: Trial, plan: RunPlan, folder: Path, tell: Listener) -> None:
        self.trial, self.plan, self.folder, self.tell = trial, plan, folder, tell
        before = result_in(folder, trial)  # of the rung before, if any
        self.looks = looks_in(folder, trial) or (before.looks if before else ())
        self.remarks = before.remarks if before else ()
        self.judged = {look.images_seen for look in before.looks} if before else set()
        self.images_seen, self.seconds = 0, 0.0
        self.measuring_seconds = before.measuring_seconds if before else 0.0
        self.measured = False
        self.score: Score | None = None
        self.truth: dict[str, float] = {}
        self.look_metric: str | None = None
        self.history: Sequence[Loss] = ()
        self.told = 0  # points of it; all of them, where an earlier process began
        self.game: Game | None = None
        self.micro_batch: int | None = None

    def run(self, end: int) -> Finding | None:
        """Why it was given up, if it was."""
        images = planned_images(self.plan)
        final, glance = references(images, self.plan)
        self.look_metric = metric_name(glance.extractor, glance.count)
        for budget in milestones(self.plan, end):
            newest = max((look.images_seen for look in self.looks), default=0)
            looked = budget <= newest
            # A process may have been killed between the newest look and what followed from it.
            if looked and budget < end and (budget < newest or budget in self.judged):
                continue
            trained = self.train_to(budget, images)
            if not looked and went_on(trained, budget):
                self.remark("its looks were lost, so it is trained from the start again")
                discard(self.checkpoint)
                trained = self.train_to(budget, images)
            begun = time.perf_counter()
            if not looked:
                self.look(trained, glance, budget)
            found = None if went_on(trained, budget) else self.judge(trained, glance, images)
            if budget == self.trial.budget:
                self.measure(trained, final, images)
            self.measuring_seconds += time.perf_counter() - begun
            if found:
                return found
        return None

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def train_to(self, budget: int, images: ImageSet) -> Trained:
        shape = self.plan.data.shape
        self.game = build(self.trial.recipe, shape, self.trial.seed)
        trained = train(
            self.game,
            self.trial.recipe,
            batches_of(self.trial, self.plan, images),
            budget=budget,
            whole=self.trial.budget,
            checkpoint=self.checkpoint,
            precision=self.plan.precision,
            device=self.plan.device,
            compiled=self.trial.arm in self.plan.compiled,
            seed=self.trial.seed,
            look_every=max(1, self.trial.budget // 200),
            identity={"trial": self.trial.id, "images": self.plan.data.fingerprint},
            on_progress=self.progressed,
            tell=self.remark,
        )
        self.images_seen, self.seconds = trained.images_seen, trained.seconds
        self.history, self.micro_batch = trained.history, trained.micro_batch
        return trained

    def progressed(self, progress: Progress) -> None:
        self.images_seen, self.seconds = progress.images_seen, progress.seconds
        self.micro_batch = progress.micro_batch
        points, self.told = tuple(progress.history[self.told :]), len(progress.history)
        self.say("training", progress.images_per_second, points=points)

    def say(
        self,
        what: str,
        pace: float = 0.0,
        look: float | None = None,
        points: tuple[Loss, ...] = (),
    ) -> None:
        self.tell(Event(self.trial.id, what, self.images_seen, pace, look, points=points))

    def remark(self, says: str) -> None:
        self.tell(Event(self.trial.id, "training", self.images_seen, says=says))

    def look(self, trained: Trained, glance: Reference, budget: int) -> None:
        """A cheap distance and a picture of the same latents as ever."""
        self.say("looking")
        game = trained.game
        features = glance.extractor(sampler(game)(glance.count, EVALUATION_SEED))
        value = self.checked(glance.distance(features), trained)
        variety = diversity(features, glance)
        look = Look(
            images_seen=budget,
            seconds=self.seconds,
            value=value,
            coverage=variety.coverage,
            spread=variety.spread,
        )
        self.looks = (*(old for old in self.looks if old.images_seen < budget), look)
        samples = sampler(game)(shown(game.image.size), PICTURE_SEED)
        # Before the look: once that is there, nobody comes back for the pictures.
        grid = grid_of(self.folder, budget)
        grid.parent.mkdir(exist_ok=True)
        write_whole(grid, small_picture(samples))
        write_whole(self.folder / "samples.png", picture(samples))
        kept = Looks(trial=self.trial, looks=self.looks)
        write_whole(self.folder / "looks.json", kept.model_dump_json(indent=1))
        self.say("looking", look=value)

    def judge(self, trained: Trained, glance: Reference, images: ImageSet) -> Finding | None:
        """Whether to give it up; at its end there is nothing left to save."""
        at = self.looks[-1].images_seen
        if at == self.trial.budget:
            if late := late_collapse(self.looks):
                self.remarks = (*self.remarks, late)
            return None

        def chance() -> float:
            if images.of_points:  # an untrained generator's are near them, so that it says little
                return inf
            cache = cache_folder(None) / "references"
            found = anchors(images.train, glance, cache=cache)
            return max(found[name].value for name in ("noise", "mean"))

        found = hopeless(
            Course(self.trial.budget, trained.rounds, self.looks, trained.history, chance)
        )
        if found and self.plan.health:
            self.remark(f"given up after {at:,} images, {found.status}: {found.why}")
            return found
        if found and not any(found.status in remark for remark in self.remarks):
            says = f"it would have been given up as {found.status} after {at:,} images: {found.why}"
            self.remarks = (*self.remarks, says)
        return None

    def measure(self, trained: Trained, final: Reference, images: ImageSet) -> None:
        """The full measurement, at the end of the whole budget."""
        self.say("measuring")
        game = trained.game
        weights = self.folder / "generator.safetensors"
        write_generator(game, self.trial, weights, images.classes)
        draws = self.plan.measurement.draws
        score = measure(sampler(game), final, draws=draws, seed=EVALUATION_SEED)
        self.checked(score.value, trained)
        within = None
        if is_told(game):
            count, features = self.plan.measurement.n, final.extractor
            within = intra_class(game, images, features, n=count, seed=EVALUATION_SEED)
        self.score = score if within is None else beside(score, "intra-class", within)
        if truth := truth_of(self.plan.data.where, images, self.plan.device):
            self.truth = truth(model_of(game))
        self.measured = True

    def checked(self, distance: float, trained: Trained) -> float:
        """Points may lie so far out that their distance is no number any more."""
        if not isfinite(distance):
            raise Diverged(trained.images_seen, "the distance of its samples", trained.history)
        return distance

    def result(self, status: Status, why: str | None) -> TrialResult:
        networks = self.game.networks.items() if self.game else ()
        parameters = {
            name: sum(p.numel() for p in network.parameters()) for name, network in networks
        }
        return TrialResult(
            trial=self.trial,
            status=status,
            why=why,
            remarks=self.remarks,
            score=self.score,
            truth=self.truth,
            looks=self.looks,
            look_metric=self.look_metric,
            images_seen=self.images_seen,
            seconds=self.seconds,
            measuring_seconds=self.measuring_seconds,
            generator_parameters=parameters.get("generator", 0),
            critic_parameters=parameters.get("critic", 0),
            losses=tuple((look.images_seen, look.losses) for look in self.history),
            signs=tuple((look.images_seen, look.signs) for look in self.history if look.signs),
            micro_batch=self.micro_batch,
            other_in_parts=self.other_in_parts,
        )

    @property
    def other_in_parts(self) -> tuple[str, ...]:
        if self.game is None or self.micro_batch is None:
            return ()
        return tuple(of_the_batch(self.trial.recipe, self.game.networks))


def went_on(trained: Trained, budget: int) -> bool:
    """Whether it was trained further than to the end of the round in which the budget was spent."""
    a_round = trained.images_seen // max(1, trained.rounds)  # none: it was not trained at all
    return trained.rounds > 0 and trained.images_seen - a_round >= budget


def milestones(plan: RunPlan, end: int) -> list[int]:
    """After how many images to look: even parts of the budget and the ends of rungs, up to one."""
    looks = plan.measurement.looks
    parts = {plan.budget * part // looks for part in range(1, looks + 1)}
    return sorted(at for at in parts | {rung.budget for rung in plan.rungs} if 0 < at <= end)


def batches_of(trial: Trial, plan: RunPlan, images: ImageSet) -> Batches:
    return Batches(
        images.train,
        batch_size=trial.recipe.batch_size,
        seed=trial.seed,
        device=plan.device,
        labels=images.labels,
        channels_last=True,
    )


def planned_images(plan: RunPlan) -> ImageSet:
    """The images of the plan. Raises DataError where they have changed since."""
    # As they were asked for when the run was planned, so that they are found in the cache.
    images = open_images(plan.data.where, size=plan.data.size, channels=plan.data.asked)
    if images.fingerprint != plan.data.fingerprint:
        raise DataError(
            f"{plan.data.where} holds other images than when this run was planned; "
            "start a new run for them"
        )
    return images


def references(images: ImageSet, plan: RunPlan) -> tuple[Reference, Reference]:
    """For the final score, and for the looks on the way."""
    features, how = features_of(plan), plan.measurement
    return reference_of(images, features, how.n), reference_of(images, features, how.look_n)


def features_of(plan: RunPlan) -> Extractor:
    """Those of the plan. Raises DataError where they have changed since."""
    how = plan.measurement
    weights = Path(how.weights) if how.weights else None
    features = extractor(how.network, weights=weights, device=plan.device, engine=how.engine)
    if features.digest != how.digest:
        raise DataError(
            f"the features are now {features.name} with other weights or precision than when this "
            "run was planned; scores would not compare"
        )
    return features


def model_of(game: Game) -> Model:
    """The generator with its gradients, for what the scores do not ask."""
    device = next(game.networks.parameters()).device

    def scene(count: int, rng: torch.Generator, **known: Tensor) -> Scene:
        surroundings = {"count": count, "rng": rng, "device": device}
        return Scene(game.quantities, {**game.networks, **surroundings, **known})

    def latents(count: int, seed: int) -> Tensor:
        drawn: Tensor = scene(count, torch.Generator().manual_seed(seed))["latents"]
        return drawn

    def generate(latents: Tensor) -> Tensor:
        made: Tensor = scene(len(latents), torch.Generator(), latents=latents)["fake"]
        return made

    return Model(sampler(game), latents, generate)


def write_generator(game: Game, trial: Trial, path: Path, classes: tuple[str, ...] = ()) -> None:
    """The averaged generator's weights; the recipe that they belong to stands in the metadata."""
    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in game.networks["generator"].state_dict().items()
    }
    made_by = {
        "recipe": trial.recipe.model_dump(mode="json"),
        "image": game.image._asdict(),
        "classes": classes if is_told(game) else (),
    }
    metadata = {"gan-advisor": json.dumps(made_by)}  # one entry: their order is not fixed
    write_whole(path, save(weights, metadata))
