"""Arms that are one recipe here: the same seed would train the same network twice."""

from collections.abc import Iterator, Sequence
from typing import Any

from advisor.recommendation import Recommendation
from knowledge.schema import Part, Recipe
from runner import parts
from runner.parts.registry import Registry
from runner.plan import Overrides, Skip, Trial, overridden
from runner.structures import structure
from runner.wording import listed, part

OPTIONS = {"backbone": "--backbone", "width": "--width", "batch_size": "--batch-size"}


def merged(
    trials: Sequence[Trial], advice: Recommendation, overrides: Overrides
) -> tuple[tuple[Trial, ...], tuple[Skip, ...]]:
    """One arm of each recipe, named after all that it stands for, and those that it stands for.

    The control arm stands for others, since the race is run beside it.
    """
    names = {arm.id: arm.name for arm in advice.arms}
    published = {arm.id: arm.recipe for arm in advice.arms}
    control = advice.control.id if advice.control else None
    stands: dict[str, str] = {}  # an arm that is trained -> its name
    skips: list[Skip] = []
    for first, *others in groups(trials, control):
        stands[first] = " = ".join([names[first], *(names[arm] for arm in others)])
        for arm in others:
            why = " ".join(
                [
                    f"{names[first]} and {names[arm]} are the same recipe here, and one trial of a",
                    f"seed stands for both: {because(published[first], published[arm], overrides)}",
                ]
            )
            skips.append(Skip(arm=arm, why=why, same_as=first))
    kept = (trial for trial in trials if trial.arm in stands)
    named = (trial.model_copy(update={"name": stands[trial.arm]}) for trial in kept)
    return tuple(named), tuple(skips)


def groups(trials: Sequence[Trial], control: str | None) -> Iterator[list[str]]:
    """Arms that train alike, in the order of the plan."""
    recipes: dict[str, Recipe] = {}
    for trial in trials:
        recipes.setdefault(trial.arm, trial.recipe)  # of a search, the published setting
    found: list[tuple[dict[str, Any], list[str]]] = []
    for arm, recipe in recipes.items():
        trained = as_trained(recipe)
        own = next((arms for known, arms in found if known == trained), None)
        if own is None:
            found.append((trained, [arm]))
        else:
            own.insert(0 if arm == control else len(own), arm)
    for _, arms in found:
        yield arms


def as_trained(recipe: Recipe) -> dict[str, Any]:
    """All that training depends on, with every default filled in."""
    optimizer = recipe.optimizer.model_dump()
    del optimizer["smoothing" if recipe.optimizer.name == "adam" else "betas"]  # the other one's
    if recipe.optimizer.critic_rate is None:
        optimizer["critic_rate"] = recipe.optimizer.rate
    chosen = recipe.divergence
    divergence = Part(name=chosen) if isinstance(chosen, str) else chosen
    several: dict[str, Registry[Any]] = {
        "penalties": parts.penalty,
        "generator_penalties": parts.generator_penalty,
        "augmentations": parts.augmentation,
        "normalizers": parts.normalizer,
        "constraints": parts.constraint,
    }
    return {
        **recipe.model_dump(exclude={"despite"}),
        "optimizer": optimizer,
        "structure": (recipe.structure.name, structure.filled(recipe.structure)),
        "backbone": (recipe.backbone.name, parts.backbone.filled(recipe.backbone)),
        "divergence": (divergence.name, parts.divergence.filled(divergence)),
        "loss": (recipe.loss.name, parts.loss.filled(recipe.loss)),
        **{
            field: [(each.name, registry.filled(each)) for each in getattr(recipe, field)]
            for field, registry in several.items()
        },
    }


def because(one: Recipe, other: Recipe, overrides: Overrides) -> str:
    """What told the two apart as they are published, and what took it away."""
    if as_trained(one) == as_trained(other):
        return "they are trained alike as published"
    given = [name for name in OPTIONS if getattr(overrides, name) is not None]
    # Without such an option alone they would differ.
    guilty = [
        name for name in given if not alike(one, other, overrides.model_copy(update={name: None}))
    ] or given  # together
    told = " and ".join(f"{OPTIONS[name]} {getattr(overrides, name)}" for name in guilty)
    return (
        f"{told} {'override' if guilty[1:] else 'overrides'} what tells them apart "
        f"({listed(list(apart(one, other)))})"
    )


def alike(one: Recipe, other: Recipe, overrides: Overrides) -> bool:
    return as_trained(overridden(one, overrides)) == as_trained(overridden(other, overrides))


def apart(one: Recipe, other: Recipe) -> Iterator[str]:
    """Of the fields that can be overridden those that differ."""
    if one.backbone != other.backbone:
        yield f"the backbone: {part(one.backbone)} or {part(other.backbone)}"
    if one.batch_size != other.batch_size:
        yield f"batches of {one.batch_size} or of {other.batch_size}"
