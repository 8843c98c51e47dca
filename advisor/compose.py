"""From a point of the combination space to a recipe that the runner can train."""

from collections.abc import Iterator
from typing import Any

from advisor.recommendation import Setting
from advisor.space import Combination
from knowledge.library import Library
from knowledge.recipes import merged
from knowledge.schema import SLOTS, Gan, Part, PublishedSettings, Recipe, RecipeChange


def compose(
    combination: Combination,
    gan: Gan | None,
    published: tuple[PublishedSettings, ...],
    library: Library,
) -> tuple[Recipe, tuple[Setting, ...]]:
    """What the options set, in the order of the axes; then the GAN's own; then published settings."""
    options = (library.option(slot, combination[slot]) for slot in SLOTS)
    changes = [option.change for option in options if option]
    if gan is not None:
        changes.append(gan.change)
    used = [s for s in published if s.optimizer in (None, combination["optimizer"])]
    changes += [settings.change for settings in used]
    return merged(changes), tuple(origin(settings, library) for settings in used)


def published(
    gan: Gan, combination: Combination, library: Library
) -> tuple[PublishedSettings, ...]:
    """On a system with another loss than its authors' the settings go with the loss."""
    loss = library.option("loss", combination["loss"])
    if loss is None or combination["loss"] == gan.combination.get("loss", combination["loss"]):
        return gan.settings
    return library.gans[loss.gan or loss.id].settings


def origin(settings: PublishedSettings, library: Library) -> Setting:
    source = library.sources[settings.source]
    return Setting(
        what=", ".join(spelt_out(settings.change)),
        source=settings.source,
        short=source.short,
        locator=settings.locator,
        verified=settings.verified,
    )


SAID: dict[str, str] = {  # a setting as a paper would say it
    "rate": "learning rate {}",
    "critic_rate": "{} for the critic",
    "betas": "betas {}",
    "critic_steps": "critic steps {}",
    "critic_weight_decay": "weight decay of the critic {}",
    "batch_size": "batches of {}",
    "latent_dim": "latent codes of {} numbers",
    "normalizers": "in the critic also {}",
    "penalties": "penalty {}",
}


def spelt_out(change: RecipeChange) -> Iterator[str]:
    named = {name: getattr(change, name) for name in RecipeChange.model_fields}
    others = {k: v for k, v in named.items() if k in change.model_fields_set and k != "optimizer"}
    for name, value in {**change.optimizer, **others}.items():
        if name == "critic_steps":
            yield "1 critic step" if value == 1 else f"{value} critic steps"
        else:
            yield SAID.get(name, name.replace("_", " ") + " {}").format(in_words(value))


def in_words(value: Any) -> str:  # noqa: ANN401 - any setting
    """A part by its name and what differs from its defaults."""
    if isinstance(value, Part):
        given = ", ".join(f"{name} {setting}" for name, setting in value.settings.items())
        return f"{value.name} ({given})" if given else value.name
    if isinstance(value, list | tuple):
        return " and ".join(map(in_words, value))
    return (
        f"{value:.15f}".rstrip("0") if isinstance(value, float) and 0 < value < 1e-4 else str(value)
    )
