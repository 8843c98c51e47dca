"""What hangs together: claims, numbers and disagreements of one entry. Pure joins, no opinion."""

import re
from collections.abc import Iterator

from knowledge.library import Library
from knowledge.numbers import Result
from knowledge.schema import Claim, Conflict, Record


class Quoted(Record):
    """A claim with who says it, and the claims that say the opposite."""

    claim: Claim
    short: str  # "Motwani & Parmar 2020"
    url: str
    opposed_by: dict[str, str]  # claim -> what it says


class Disagreement(Record):
    """Two sides that both stand."""

    id: str | None = None  # a disagreement of one system has none
    about: str
    one_side: str
    other_side: str
    where: str
    verified: bool
    severity: str | None = None
    advice: str | None = None
    gans: tuple[str, ...] = ()


def quote(claim: Claim, library: Library) -> Quoted:
    source = library.sources[claim.source]
    against = {other.id: other.says for other in opponents(claim, library)}
    return Quoted(claim=claim, short=source.short, url=source.url, opposed_by=against)


def claims_about(library: Library, *addresses: str) -> list[Claim]:
    """Claims with one of these at either end."""
    wanted = set(addresses)
    return [c for c in library.claims.values() if wanted & {c.subject, c.object}]


def claims_between(library: Library, one: str, other: str) -> list[Claim]:
    """In both directions."""
    pair = {one, other}
    return [c for c in library.claims.values() if {c.subject, c.object} == pair]


def opponents(claim: Claim, library: Library) -> Iterator[Claim]:
    return (c for c in library.claims.values() if c.id != claim.id and opposed(claim, c))


CONTRARY = ({"requires", "forbids"}, {"positive", "negative"}, {"requires", "compatible"},
            {"forbids", "compatible"})  # fmt: skip


def opposed(one: Claim, other: Claim) -> bool:
    """Of the same two, on the same aspect, the other way round, and not about other data."""
    if {one.subject, one.object} != {other.subject, other.object}:
        return False
    if not set(one.aspects) & set(other.aspects):
        return False
    if one.datasets and other.datasets and not set(one.datasets) & set(other.datasets):
        return False
    if {one.direction, other.direction} in CONTRARY:
        return one.subject == other.subject
    first, second = standing(one), standing(other)
    return first is not None and second is not None and first != second


def standing(claim: Claim) -> tuple[str, str] | None:
    """(winner, loser); an equal pair wins in alphabetical order of nobody; None: no comparison."""
    if claim.direction == "equal":
        return ("", "")
    if claim.direction == "better":
        return (claim.subject, claim.object)
    return (claim.object, claim.subject) if claim.direction == "worse" else None


# Disagreements -------------------------------------------------------------------------------


def disagreements(library: Library, *gans: str) -> list[Disagreement]:
    """Of these systems: their own first, then those that concern several."""
    own = [
        told(conflict, (gan,))
        for gan in dict.fromkeys(gans)
        if gan in library.gans
        for conflict in library.gans[gan].conflicts
    ]
    return own + [
        told(conflict, conflict.gans)
        for conflict in library.archive.conflicts.values()
        if set(gans) & set(conflict.gans)
    ]


def all_disagreements(library: Library) -> list[Disagreement]:
    """Of every system, then those that concern several or the sources as a whole."""
    own = [told(c, (gan.id,)) for gan in library.gans.values() for c in gan.conflicts]
    return own + [told(c, c.gans) for c in library.archive.conflicts.values()]


def told(conflict: Conflict, gans: tuple[str, ...]) -> Disagreement:
    return Disagreement.model_validate(conflict.model_dump() | {"gans": gans})


def disagreements_on(claim: Claim, library: Library) -> list[Disagreement]:
    """Of the claim's two ends, where a side is the source and the place of the claim."""
    return [d for d in disagreements(library, claim.subject, claim.object) if touches(d, claim)]


def touches(conflict: Disagreement, claim: Claim) -> bool:
    words = f"{conflict.one_side} {conflict.other_side}"
    if not {claim.source, claim.lineage} & set(re.findall(r"[\w-]+", words)):
        return False
    places = tables_named(claim.locator)
    return not places or bool(places & tables_named(f"{words} {conflict.where}"))


def tables_named(text: str) -> set[int]:
    """1, 2 and 4 of "Tables 1, 2 and 4"."""
    lists = re.findall(r"\bTables? (\d+(?:(?:, | and |, and )\d+)*)", text)
    return {int(number) for words in lists for number in re.findall(r"\d+", words)}


# Numbers -------------------------------------------------------------------------------------

PROTOCOL = ("dataset", "metric", "resolution", "conditional", "n_generated", "n_reference", "split",
            "features", "budget_images", "taken", "setting", "protocol", "source",
            "superseded")  # fmt: skip


def numbers_of(library: Library, model: str) -> list[Result]:
    return [number for number in library.archive.numbers if number.model == model]


def protocol(number: Result) -> tuple[object, ...]:
    """All that has to agree before two numbers may stand side by side."""
    return tuple(getattr(number, field) for field in PROTOCOL)
