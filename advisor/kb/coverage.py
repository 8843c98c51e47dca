"""Where the base is thin: what nobody compared, measured, cited or read at the place."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from advisor.kb.related import all_disagreements, claims_about, disagreements, numbers_of
from knowledge.library import Library
from knowledge.numbers import Result
from knowledge.schema import Claim, Gan, Record


class Covered(Record):
    """What is held on one system."""

    gan: str
    name: str
    claims: int
    by_aspect: dict[str, int]
    lineages: int  # whose statements these are
    numbers: int
    verified: int  # of the numbers
    disagreements: int
    gaps: tuple[str, ...]


class Coverage(Record):
    schema_version: Literal[1] = 1
    systems: tuple[Covered, ...]
    totals: dict[str, int]
    uncited: dict[str, tuple[str, ...]]  # kind -> entries that name no source
    unverified_numbers: dict[str, int]  # result table -> numbers not read at the place
    unverified_disagreements: int
    unverified_recipes: dict[str, int]  # system -> settings, forms and ways to fail, likewise
    aspects: dict[str, int]  # claims by aspect, the rarest first


def coverage(library: Library) -> Coverage:
    archive = library.archive
    numbers, claims = archive.numbers, library.claims.values()
    every = all_disagreements(library)
    aspects = Counter(aspect for claim in claims for aspect in claim.aspects)
    unverified = Counter(
        table.id for table in archive.results.values() for n in table.results if not n.verified
    )
    return Coverage(
        systems=tuple(covered(gan, library) for gan in library.gans.values()),
        totals={
            "systems": len(library.gans),
            "claims": len(claims),
            "claims checked against other evidence": sum(bool(c.checks) for c in claims),
            "claims contradicted": sum(c.refuted for c in claims),
            "claims read in the primary source": sum(c.read_in == "primary" for c in claims),
            "numbers": len(numbers),
            "numbers verified": sum(number.verified for number in numbers),
            "disagreements": len(every),
            "sources": len(library.sources),
            "data sets": len(library.datasets),
            "rules": len(library.rules),
        },
        uncited=uncited(library),
        unverified_numbers=dict(unverified.most_common()),
        unverified_disagreements=sum(not conflict.verified for conflict in every),
        unverified_recipes={
            gan.id: count for gan in library.gans.values() if (count := remembered(gan))
        },
        aspects=dict(sorted(aspects.items(), key=lambda item: (item[1], item[0]))),
    )


def covered(gan: Gan, library: Library) -> Covered:
    claims, numbers = claims_about(library, gan.id), numbers_of(library, gan.id)
    return Covered(
        gan=gan.id,
        name=gan.name,
        claims=len(claims),
        by_aspect=dict(Counter(aspect for claim in claims for aspect in claim.aspects)),
        lineages=len({claim.lineage for claim in claims}),
        numbers=len(numbers),
        verified=sum(number.verified for number in numbers),
        disagreements=len(disagreements(library, gan.id)),
        gaps=tuple(gaps(gan, claims, numbers)),
    )


def remembered(gan: Gan) -> int:
    """Published settings, further forms and ways to fail that nobody looked up."""
    groups = (gan.settings, gan.variations.values(), gan.fails)
    return sum(not each.verified for group in groups for each in group)


def gaps(gan: Gan, claims: list[Claim], numbers: list[Result]) -> Iterator[str]:
    if not claims:
        yield "no claim"
    elif all(claim.own_method for claim in claims):
        yield "claims of authors only"
    elif len({claim.lineage for claim in claims}) == 1:
        yield "one voice"
    if not numbers:
        yield "no number"
    elif not any(number.verified for number in numbers):
        yield "no number verified"
    if gan.source is None:
        yield "no paper"
    for field in ("loss", "critic", "generator", "datasets", "issues_addressed", "tasks"):
        if not getattr(gan, field):
            yield f"no {field.replace('_', ' ')}"


def uncited(library: Library) -> dict[str, tuple[str, ...]]:
    archive = library.archive
    found = {
        "gan": tuple(g.id for g in library.gans.values() if not g.source),
        "dataset": tuple(d.id for d in library.datasets.values() if not d.source),
        "metric": tuple(name for name, m in archive.metrics.items() if not m.sources),
        "technique": tuple(name for name, t in archive.techniques.items() if not t.sources),
        "rule": tuple(r.id for r in library.rules if not (r.sources or r.claims)),
    }
    return {kind: ids for kind, ids in found.items() if ids}
