"""What to train: every arm of a recommendation, the same seeds and the same budget for all."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from advisor.recommendation import Recommendation
from knowledge.schema import Part, Recipe, Record

if TYPE_CHECKING:
    from runner.scene import ImageShape

Precision = Literal["float32", "bfloat16", "float16"]
Compile = Literal["auto", "on", "off"]  # networks, before they are trained


class DataPlan(Record):
    """The images, and what makes sure that they are still the same ones."""

    where: str  # as the user named them
    name: str
    size: int  # pixels a side
    channels: int
    asked: Literal[1, 2, 3, 4] | None = None  # channels that the user asked for; None: as they are
    train: int  # images
    held_out: int
    held_out_is: str
    classes: int
    fingerprint: str  # sha256 of the decoded pixels
    skipped: int

    @property
    def of_points(self) -> bool:
        """Of the plane: images of one pixel."""
        return self.size == 1

    @property
    def shape(self) -> "ImageShape":
        from runner.scene import ImageShape  # with torch, which few commands need

        return ImageShape(self.channels, self.size, self.classes)


class Measurement(Record):
    """How trials are scored: the same for all of a run, or their scores do not compare."""

    network: str  # "inception", "efficientnet-lite0"
    features: str  # the same with the size at which it sees the images
    digest: str  # of the extractor: weights, resize, precision
    weights: str | None  # a local weights file
    engine: str = "auto"  # what works the features out: "torch", "openvino"
    n: int  # generated and reference images of the final score
    draws: int  # independent sets of generated images, whose scores are averaged
    look_n: int  # images of the cheap looks on the way
    looks: int  # looks on the way, the final one included


class Trial(Record):
    """One arm trained once."""

    arm: str
    name: str  # the arm's, for people
    seed: int
    budget: int  # real images shown to the critic
    recipe: Recipe
    setting: str | None = None  # of a search, in words: the seed is its number

    @property
    def id(self) -> str:
        return f"{self.arm}-{'seed' if self.setting is None else 'setting'}{self.seed}"

    @property
    def which(self) -> str:
        """Among the trials of its arm, for people."""
        return f"{'seed' if self.setting is None else 'setting'} {self.seed}"


class Skip(Record):
    """An arm that is not trained here, and why."""

    arm: str
    why: str
    same_as: str | None = None  # the arm that stands for it, being the same recipe


class Rung(Record):
    """A stretch of the race. Its end is the same for every arm."""

    budget: int  # real images shown to the critic since the start
    seeds: int  # of each arm
    keep: int | None  # arms that go on, the control arm beside them; None: the last rung


class Task(NamedTuple):
    """One trial up to the end of one rung."""

    trial: str
    rung: int  # from 0
    budget: int


class Continued(Record):
    """Another run, of which this one trains an arm further."""

    run: str  # the name of its folder
    budget: int  # real images that the arm had seen there
    metric: str | None = None
    score: float | None = None  # geometric mean over the same seeds there, where all had finished


class RunPlan(Record):
    schema_version: Literal[1] = 1
    data: DataPlan
    measurement: Measurement
    budget: int  # of a trial that gets to the end
    seconds: float | None = None  # for the whole run, where time and not images were asked for
    rungs: tuple[Rung, ...]
    search: bool = False  # trials of an arm are settings and not seeds
    control: str | None = None  # the arm that is measured to the end, wherever it stands
    seeds: tuple[int, ...]
    precision: Precision
    device: str  # "cpu" or "cuda"
    compile: Compile = "auto"  # what was asked for
    compiled: tuple[str, ...] = ()  # the arms whose networks are
    trials: tuple[Trial, ...]
    skipped: tuple[Skip, ...] = ()
    continued: Continued | None = None
    health: bool = True  # trials without hope are stopped
    other_data: str | None = None  # how the images differ from those of the advice

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(trial.arm for trial in self.trials))


class Overrides(Record):
    """What the user sets for every arm alike."""

    backbone: str | None = None  # None: each recipe's own
    width: int | None = None  # channels of the networks; None: each backbone's own
    batch_size: int | None = None
    only: tuple[str, ...] = ()  # arms; empty: all


Settings = Callable[[Recipe], Sequence[tuple[Recipe, str]]]  # with what they are, in words


def trials_of(
    advice: Recommendation,
    *,
    seeds: tuple[int, ...],
    budget: int,
    overrides: Overrides,
    settings: Settings | None = None,
) -> tuple[Trial, ...]:
    """Seed by seed, so that a run that is cut short has seen every arm.

    With `settings`, a recipe's ways to be trained, each has its trial and the seed is its number.
    """
    arms = [arm for arm in advice.arms if not overrides.only or arm.id in overrides.only]
    if settings is not None:
        found = {arm.id: settings(overridden(arm.recipe, overrides)) for arm in arms}
        return tuple(
            Trial(arm=arm.id, name=arm.name, seed=seed, budget=budget, recipe=recipe, setting=says)
            for seed in seeds
            for arm in arms
            for recipe, says in [found[arm.id][seed]]
        )
    return tuple(
        Trial(
            arm=arm.id,
            name=arm.name,
            seed=seed,
            budget=budget,
            recipe=overridden(arm.recipe, overrides),
        )
        for seed in seeds
        for arm in arms
    )


def overridden(recipe: Recipe, overrides: Overrides) -> Recipe:
    backbone = recipe.backbone
    if overrides.backbone not in (None, backbone.name):
        backbone = Part(name=overrides.backbone)  # settings are of one backbone
    if overrides.width is not None:
        backbone = Part(
            name=backbone.name, settings={**backbone.settings, "width": overrides.width}
        )
    changes: dict[str, object] = {"backbone": backbone}
    if overrides.batch_size is not None:
        changes["batch_size"] = overrides.batch_size
    return recipe.model_copy(update=changes)
