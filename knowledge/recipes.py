"""From what is known to what can be trained: recipes of published systems, and their coherence."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from knowledge.library import Library
from knowledge.schema import SLOTS, Gan, Option, Recipe, RecipeChange, Rule, Selector, Slot

MERGED = ("penalties", "normalizers", "constraints")  # lists to which every option adds its parts


class UnknownSystem(LookupError):
    """No entry has that name, or it has no recipe."""


def merged(changes: Iterable[RecipeChange]) -> Recipe:
    """One change after the other: lists of parts grow, everything else is replaced."""
    recipe: dict[str, Any] = {}
    for change in changes:
        for field, value in change.model_dump(exclude_none=True, exclude_defaults=True).items():
            if field in MERGED:
                named = {part["name"]: part for part in (*recipe.get(field, ()), *value)}
                recipe[field] = tuple(named.values())
            elif field == "optimizer":
                recipe[field] = {**recipe.get(field, {}), **value}
            else:
                recipe[field] = value
    return Recipe.model_validate(recipe)


# A published system as a recipe ------------------------------------------------------------------


def recipe_of(name: str, library: Library) -> Recipe:
    """`wgan-gp`, or with a variation `fgan:pearson`. Raises UnknownSystem."""
    system, _, variation = name.partition(":")
    gan = library.gans.get(system)
    if gan is None:
        raise UnknownSystem(f"no system is called {system!r}{hint(system, library.gans)}")
    recipe = merged(own_changes(gan, library))
    if not variation:
        return recipe
    if variation not in gan.variations:
        known = hint(variation, gan.variations)
        raise UnknownSystem(f"{system} has no variation {variation!r}{known}")
    return varied(recipe, gan.variations[variation].change)


def varied(recipe: Recipe, change: RecipeChange) -> Recipe:
    """What a variation names takes the place of what was there, whole lists too."""
    fields = recipe.model_dump()
    new = change.model_dump(exclude_none=True, exclude={"optimizer"})
    optimizer = {**fields["optimizer"], **change.optimizer}
    return Recipe.model_validate({**fields, **new, "optimizer": optimizer})


def own_changes(gan: Gan, library: Library) -> Iterator[RecipeChange]:
    """What its place in the space sets; then what it sets itself; then its published settings."""
    if gan.covered and gan.covered.by != gan.id and gan.covered.by in library.gans:
        yield from own_changes(library.gans[gan.covered.by], library)
        yield gan.change
        return
    place = place_of(gan, library)
    for slot in SLOTS:
        if option := library.option(slot, place[slot]):
            yield option.change
    yield gan.change
    for settings in gan.settings:
        if settings.optimizer in (None, place["optimizer"]):
            yield settings.change


def place_of(gan: Gan, library: Library) -> Mapping[Slot, str]:
    """In the space of pairs, by its loss, where it has a place there; or beside the product."""
    losses = library.axes["loss"].options
    if own := next((o.id for o in losses if (o.gan or o.id) == gan.id), None):
        usual = {slot: default.option for slot, default in gan.defaults.items()}
        return {**gan.combination, **usual, "loss": own}
    if gan.combination:
        return gan.combination
    architecture = gan.covered.by if gan.covered else gan.id
    if library.option("architecture", architecture) is None:
        raise UnknownSystem(f"nothing is known of how {gan.id} is put together")
    standard = library.gans[losses[0].gan or losses[0].id]  # on networks that bring no loss along
    return {**place_of(standard, library), "architecture": architecture}


def hint(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    nearest = get_close_matches(name, known, n=1)
    return f"{f': did you mean {nearest[0]!r}?' if nearest else ';'} known: {', '.join(known)}"


# What the rules say of a recipe ------------------------------------------------------------------


class Reading(NamedTuple):
    """A recipe taken for a combination of the space: slot -> the tags that it has there.

    A slot that is missing is not known, and no rule that speaks of it fires.
    """

    tags: Mapping[Slot, frozenset[str]]
    closeness: int = 0  # how much of the recipe its loss accounts for


def objections(recipe: Recipe, library: Library) -> tuple[Rule, ...]:
    """The rules that hold for everybody and exclude the recipe, however it is read.

    Those that it breaks on purpose (`despite`) are left out.

    One recipe may stand for several losses: a Wasserstein loss with a gradient penalty is WGAN-GP,
    and no mistaken WGAN. It is coherent if it is so in one of them; otherwise the objections to
    the reading that accounts for most of it are told.
    """
    told: list[tuple[int, int, tuple[Rule, ...]]] = []
    for place, reading in enumerate(readings(recipe, library)):
        broken = (rule for rule in hard_rules(library) if excludes(rule, reading))
        against = tuple(rule for rule in broken if rule.id not in recipe.despite)
        told.append((-reading.closeness, place, against))
    return () if any(not against for *_, against in told) else min(told)[2]


def hard_rules(library: Library) -> Iterator[Rule]:
    for rule in library.rules:
        if rule.stage == "coherence" and rule.layer == "hard" and not rule.when:
            yield rule


def excludes(rule: Rule, reading: Reading) -> bool:
    return any(matches(selector, reading) for selector in rule.excludes)


def matches(selector: Selector, reading: Reading) -> bool:
    return all(
        slot in reading.tags and any(fits(word, reading.tags[slot]) for word in words)
        for slot, words in selector.items()
    )


def fits(word: str, tags: frozenset[str]) -> bool:
    return word[1:] not in tags if word.startswith("!") else word in tags


def readings(recipe: Recipe, library: Library) -> Iterator[Reading]:
    """One for each loss that the recipe may stand for; without one, what else can be read."""
    tags: dict[Slot, frozenset[str]] = {}
    for slot, axis in library.axes.items():
        if slot != "loss" and (found := shown(recipe, axis.options)):
            tags[slot] = found
    if recipe.structure.name != "plain":
        tags.pop("architecture", None)  # the axis speaks of pairs; a structure brings its own nets
    chosen = "chosen" in tags.get("divergence", ())
    losses = 0
    for option in losses_of(library):
        change = option.change.model_copy(update={"divergence": None} if chosen else {})
        if has(recipe, change) and change != RecipeChange():
            losses += 1
            yield Reading({**tags, "loss": option.tags | {option.id}}, len(set_fields(change)))
    if not losses:
        yield Reading(tags)


def losses_of(library: Library) -> Iterator[Option]:
    """Those of the axis, in every published form; and those of systems beside the product."""
    known = library.axes["loss"].options
    for option in known:
        yield option
        gan = library.gans[option.gan or option.id]
        for form in (variation.change for variation in gan.variations.values()):
            if form.loss:  # such as the non-saturating step of f-GAN, with any divergence
                own = {name: getattr(form, name) for name in form.model_fields_set}
                yield option.model_copy(update={"change": option.change.model_copy(update=own)})
    for gan in library.nodes:
        if gan.combination["loss"] not in {option.id for option in known}:
            yield Option(id=gan.id, name=gan.name, tags=gan.tags, change=gan.change)


def shown(recipe: Recipe, options: tuple[Option, ...]) -> frozenset[str]:
    """The tags of all options that the recipe has; of those that set nothing, if it has none."""
    found = [o for o in options if o.change != RecipeChange() and has(recipe, o.change)]
    found = found or [option for option in options if option.change == RecipeChange()]
    return frozenset().union(*(option.tags | {option.id} for option in found))


def has(recipe: Recipe, change: RecipeChange) -> bool:
    """Whether the recipe holds all the parts that the change sets. Strengths may differ."""
    return all(holds(getattr(recipe, field), value) for field, value in set_fields(change).items())


def set_fields(change: RecipeChange) -> dict[str, Any]:
    strengths = ("latent_dim", "batch_size", "despite")
    fields = {name: getattr(change, name) for name in RecipeChange.model_fields}
    return {k: v for k, v in fields.items() if v not in (None, {}, ()) and k not in strengths}


def holds(own: Any, wanted: Any) -> bool:  # noqa: ANN401 - fields of a recipe
    if isinstance(wanted, tuple):
        return {part.name for part in wanted} <= {part.name for part in own}
    if isinstance(wanted, dict):  # of the optimizer: names are equal, strengths are not zero
        given = own.model_dump()
        return all(
            given[k] == v if isinstance(v, str) else bool(given[k]) for k, v in wanted.items()
        )
    return name_of(own) == name_of(wanted)


def name_of(part: Any) -> str:  # noqa: ANN401 - a part, or its name
    return str(getattr(part, "name", part))
