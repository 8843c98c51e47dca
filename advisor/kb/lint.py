"""What only the engine can tell of a knowledge base: dead rules, options out of reach."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from advisor.compose import compose
from advisor.kb.reach import Reach, reach
from advisor.space import Combination, Space
from knowledge.building import Built, attempt, in_order_of_files
from knowledge.check import findings
from knowledge.library import HERE, Library
from knowledge.reading import Problem
from knowledge.references import problem
from knowledge.schema import Gan, Slot


class Waived(NamedTuple):
    """A finding that is meant, and why."""

    says: str
    reason: str


class Report(NamedTuple):
    """All that was found; `library` is missing where the files could not be read."""

    mistakes: tuple[Problem, ...]
    waived: tuple[Waived, ...] = ()
    library: Library | None = None


def lint(overlays: Sequence[Path] = (), root: Path = HERE) -> Report:
    """Every mistake at once. The engine is asked only where all references lead somewhere."""
    found, lost = attempt(root, overlays)
    if found is None:
        return Report(tuple(lost))
    mistakes, waived = [*lost, *findings(found)], list(waived_tags(found.library))
    if not lost:
        for each in engine_findings(found):
            (waived if isinstance(each, Waived) else mistakes).append(each)  # type: ignore[arg-type]
    return Report(tuple(sorted(mistakes, key=in_order_of_files)), tuple(waived), found.library)


def engine_findings(found: Built) -> Iterator[Problem | Waived]:
    yield from recipes_that_cannot_be_put_together(found)
    reached = reach(found.library)
    yield from dead_rules(found, reached)
    yield from options_out_of_reach(found, reached)
    for name in sorted({gan.id for gan in found.library.nodes} - reached.beside):
        says = (
            f"{name}: no profile leads to it; its tags or a lack of claims rule it out everywhere"
        )
        yield problem(found.places.get(("gan", name)), "combination", says)


def dead_rules(found: Built, reached: Reach) -> Iterator[Problem | Waived]:
    for rule in found.library.rules:
        says = ""
        if rule.id not in reached.fires:
            says = f"{rule.id} can never fire: no profile meets its condition"
        elif rule.id not in reached.matters:
            says = f"{rule.id} changes nothing in any profile"
        place = found.places.get(("rule", rule.id))
        if says and rule.waiver:
            yield Waived(says, rule.waiver)
        elif says:
            yield problem(place, rule.id, says)
        elif rule.waiver:
            yield problem(place, "waiver", f"{rule.id} needs no waiver: it does change something")


def options_out_of_reach(found: Built, reached: Reach) -> Iterator[Problem | Waived]:
    lonely = set(without_partner(found.library))
    for slot, axis in found.library.axes.items():
        for option in axis.options:
            says = ""
            if (slot, option.id) in lonely:
                says = f"the {slot} option {option.id} has no coherent partner"
            elif (slot, option.id) not in reached.options:
                says = f"no profile reaches the {slot} option {option.id}"
            place = found.places.get(("option", f"{slot}:{option.id}"))
            if says and option.waiver:
                yield Waived(says, option.waiver)
            elif says:
                yield problem(place, option.id, says)
            elif option.waiver:
                says = f"the {slot} option {option.id} needs no waiver: a profile reaches it"
                yield problem(place, "waiver", says)


def without_partner(library: Library) -> Iterator[tuple[Slot, str]]:
    """Options that no combination holds which is coherent for everybody."""
    space = Space(library)
    alive = space.all
    for rule in library.rules:
        if rule.layer == "hard" and not rule.when:
            for selector in rule.excludes:
                alive &= ~space.where(selector)
    return (option for option, mask in space.masks.items() if not alive & mask)


def recipes_that_cannot_be_put_together(found: Built) -> Iterator[Problem]:
    """A system beside the product brings its own parts, and some may be missing or misnamed."""
    library = found.library
    points: list[tuple[tuple[str, str], Combination, Gan | None]] = [
        (("gan", gan.id), gan.combination, gan) for gan in library.nodes
    ]
    points.append((("baseline", "baseline"), library.baseline.combination, None))
    for key, combination, gan in points:
        settings = gan.settings if gan else library.baseline.settings
        try:
            compose(combination, gan, settings, library)
        except ValidationError as error:
            for each in error.errors():
                where = ".".join(map(str, each["loc"]))
                says = f"{key[1]}: its recipe cannot be put together: {where}: {each['msg']}"
                yield problem(found.places.get(key), where.split(".")[0], says)


def waived_tags(library: Library) -> Iterator[Waived]:
    for slot, axis in library.axes.items():
        for tag, reason in axis.waivers.items():
            yield Waived(f"no rule uses the {slot} tag {tag}", reason)
