"""Everything that the base holds on one entry, with both sides of every disagreement."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel

from advisor.kb.names import Entry, alike
from advisor.kb.related import (
    Disagreement,
    Quoted,
    all_disagreements,
    claims_about,
    disagreements,
    disagreements_on,
    numbers_of,
    opponents,
    quote,
    told,
)
from knowledge.library import Library
from knowledge.numbers import Result, ResultTable
from knowledge.schema import Claim, Dataset, Gan, Record, Rule, Source


class Shown(Record):
    schema_version: Literal[1] = 1
    kind: str
    id: str
    name: str
    entry: dict[str, Any]  # as it stands in the base, defaults left out
    claims: tuple[Quoted, ...] = ()
    opposed: tuple[Quoted, ...] = ()  # claims that say the opposite of the one shown
    numbers: tuple[Result, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    used_by: dict[str, tuple[str, ...]]  # kind -> ids of entries that refer to this one


def show(entry: Entry, library: Library) -> Shown:
    claims = list(claims_on(entry, library))
    return Shown(
        kind=entry.kind,
        id=entry.id,
        name=entry.name,
        entry=content(entry.record),
        claims=tuple(quote(claim, library) for claim in claims),
        opposed=tuple(quote(claim, library) for claim in against(entry, library)),
        numbers=tuple(numbers_on(entry, library)),
        disagreements=tuple(disagreements_about(entry, claims, library)),
        used_by={
            kind: ids
            for kind, found in users(entry, library).items()
            if (ids := tuple(dict.fromkeys(found)))
        },
    )


def content(record: Any) -> dict[str, Any]:  # noqa: ANN401 - a record of any kind
    if not isinstance(record, BaseModel):
        return {"says": str(record)}
    # Results stand among the numbers; a disagreement of a system, among the disagreements.
    left_out = {"id", "conflicts", "results", "shared", "claims", "sources"}
    if not isinstance(record, Gan):
        left_out -= {"claims", "sources"}
    entry = record.model_dump(mode="json", exclude_defaults=True, exclude=left_out)
    return in_order(entry)


def in_order(entry: dict[str, Any]) -> dict[str, Any]:
    """Tags are sets, and a page should not change from one run to the next."""
    nested = {key: in_order(value) for key, value in entry.items() if isinstance(value, dict)}
    return entry | nested | ({"tags": sorted(entry["tags"])} if "tags" in entry else {})


def claims_on(entry: Entry, library: Library) -> Iterator[Claim]:
    record = entry.record
    if isinstance(record, Claim):
        yield record
    elif isinstance(record, Rule):
        yield from (library.claims[name] for name in (*record.claims, *record.counter))
    elif isinstance(record, Source):
        lineage = (c for c in library.claims.values() if entry.id in (c.source, c.lineage))
        yield from lineage
    elif isinstance(record, Dataset):
        yield from (c for c in library.claims.values() if entry.id in c.datasets)
    elif entry.kind in ("aspect", "issue"):  # an issue is an aspect where claims speak of it
        yield from (c for c in library.claims.values() if entry.id in c.aspects)
    else:
        yield from claims_about(library, entry.address)


def against(entry: Entry, library: Library) -> Iterator[Claim]:
    if isinstance(entry.record, Claim):
        yield from opponents(entry.record, library)


def numbers_on(entry: Entry, library: Library) -> Iterator[Result]:
    if isinstance(entry.record, ResultTable):
        yield from entry.record.results
    elif entry.kind in ("gan", "variant"):
        yield from numbers_of(library, entry.address)
    elif entry.kind in ("dataset", "metric"):
        wanted = entry.kind
        yield from (n for n in library.archive.numbers if getattr(n, wanted) == entry.id)


def disagreements_about(
    entry: Entry, claims: list[Claim], library: Library
) -> Iterator[Disagreement]:
    if entry.kind == "gan":
        yield from disagreements(library, entry.id)
    elif entry.kind == "conflict":
        yield told(entry.record, entry.record.gans)
    elif entry.kind in ("claim", "rule"):
        seen: list[Disagreement] = []
        for claim in claims:
            seen += [d for d in disagreements_on(claim, library) if d not in seen]
        yield from seen
    elif isinstance(entry.record, Result) and entry.record.model in library.gans:
        yield from (
            d for d in disagreements(library, entry.record.model) if entry.record.source in d.where
        )
    else:
        yield from naming(entry, library)


def naming(entry: Entry, library: Library) -> Iterator[Disagreement]:
    """That speak of the entry by its id or its name."""
    names = {entry.id, entry.name} - {""}
    for conflict in all_disagreements(library):
        text = f"{conflict.about} {conflict.one_side} {conflict.other_side}"
        if any(f" {name} " in f" {text.replace(',', ' ').replace('.', ' ')} " for name in names):
            yield conflict


def users(entry: Entry, library: Library) -> dict[str, Iterator[str]]:
    """Who refers to this entry, by kind."""
    archive, name, kind = library.archive, entry.id, entry.kind
    gans = library.gans.values()
    settings = archive.hyperparameters
    rules = (r.id for r in library.rules if refers(r, entry))
    return {
        "gan": (g.id for g in gans if uses(g, entry)),
        "addressed by": (g.id for g in gans if kind == "issue" and name in g.issues_addressed),
        "left open by": (g.id for g in gans if kind == "issue" and name in g.issues_open),
        "technique": (
            t for t, e in archive.techniques.items()
            if (kind == "gan" and name in e.used_by) or (kind == "source" and name in e.sources)
        ),
        "settings": (
            s.id for s in settings.published
            if entry.address == s.model or (kind == "source" and name == s.source)
        ),
        "search": (s.id for s in settings.searches if kind == "source" and name == s.source),
        "study": (s.id for s in settings.studies if kind == "source" and name == s.source),
        "results": (
            t.id for t in archive.results.values()
            for n in t.results if kind == "source" and n.source == name
        ),
        "rule": rules,
        "also": (other.address for other in alike(library, entry)),
    }  # fmt: skip


def uses(gan: Gan, entry: Entry) -> bool:
    sides: dict[str, tuple[str, ...]] = {
        "source": (gan.source or "", *(fact.source for fact in gan.facts)),
        "dataset": gan.datasets,
        "metric": gan.metrics,
        "task": gan.tasks,
        "gan": gan.composed_of,
        "tag": tuple(gan.tags),
    }
    return entry.id in sides.get(entry.kind, ())


def refers(rule: Rule, entry: Entry) -> bool:
    if entry.kind == "claim":
        return entry.id in (*rule.claims, *rule.counter)
    if entry.kind == "source":
        return entry.id in rule.sources
    if entry.kind == "question":
        return entry.id in rule.when
    words = {
        (slot, word.removeprefix("!"))
        for selector in (*rule.excludes, *rule.notes)
        for slot, options in selector.items()
        for word in options
    }
    if entry.kind == "tag":
        return entry.id in {word for _, word in words}
    return (entry.kind, entry.id) in words
