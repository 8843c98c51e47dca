"""Words to entries, best first: names before ids before texts. No index: 1,400 entries take a moment."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel

from advisor.kb.names import Entry, entries, plain
from knowledge.library import Library
from knowledge.schema import Record

SKIPPED = {"id", "change", "results", "shared", "documented", "defaults", "combination"}


class Hit(Record):
    kind: str
    id: str
    name: str
    excerpt: str  # where the words stand, if not in the name
    score: float


class Hits(Record):
    schema_version: Literal[1] = 1
    wanted: str
    found: int
    hits: tuple[Hit, ...]


def search(wanted: str, library: Library, *, kinds: Iterable[str] = (), limit: int = 20) -> Hits:
    """Entries that have every word, or, where none has, some of them."""
    words = tokens(wanted)
    chosen = set(kinds)
    rated = [
        (score, entry, text)
        for entry in entries(library)
        if not chosen or entry.kind in chosen
        for text in [" ".join(texts(entry.record))]
        if (score := rate(wanted, words, entry, text))
    ]
    whole = [hit for hit in rated if hit[0] >= len(words)]
    rated = sorted(whole or rated, key=lambda hit: -hit[0])
    hits = tuple(
        Hit(
            kind=entry.kind,
            id=entry.id,
            name=entry.name,
            excerpt=excerpt(text, words, entry),
            score=round(score, 3),
        )
        for score, entry, text in rated[:limit]
    )
    return Hits(wanted=wanted, found=len(rated), hits=hits)


def rate(wanted: str, words: list[str], entry: Entry, text: str) -> float:
    """A point for each word that occurs at all; more where the name or id has it."""
    if not words:
        return 0.0
    called = {plain(name) for name in (entry.id, entry.name, *entry.names)}
    named = tokens(" ".join((entry.id, *entry.names)))
    said = tokens(text)
    points = 0.0
    for word in words:
        if word in named:
            points += 3
        elif any(name.startswith(word) for name in named):
            points += 2
        elif word in said:
            points += 1 + 1 / (1 + len(said))
        elif any(other.startswith(word) for other in said):
            points += 1
    if plain(wanted) in called:
        points += 10
    short = {"gan": 0.5, "technique": 0.4, "claim": 0.2}  # what people mostly look for
    return points + short.get(entry.kind, 0) if points else 0.0


def tokens(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", bare)


def texts(record: Any) -> Iterator[str]:  # noqa: ANN401 - a record of any kind, or a part of one
    if isinstance(record, str):
        yield record
    elif isinstance(record, BaseModel):
        for field, value in record:
            if field not in SKIPPED:
                yield from texts(value)
    elif isinstance(record, dict):
        for value in record.values():
            yield from texts(value)
    elif isinstance(record, list | tuple | set | frozenset):
        for value in record:
            yield from texts(value)


def excerpt(text: str, words: list[str], entry: Entry) -> str:
    """Some twenty words around the first of those that were looked for."""
    named = tokens(" ".join((entry.id, entry.name, *entry.names)))
    if all(any(name.startswith(word) for name in named) for word in words):
        return ""
    said = text.split()
    for place, word in enumerate(said):
        if any(token.startswith(wanted) for token in tokens(word) for wanted in words):
            start = max(0, place - 6)
            cut = " ".join(said[start : start + 18])
            return f"{'… ' if start else ''}{cut}{' …' if start + 18 < len(said) else ''}"
    return ""
