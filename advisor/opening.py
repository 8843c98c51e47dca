"""The library that a command works with: the base, a person's own overlay, and --knowledge."""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import typer

from knowledge.library import Entry, Library, load, user_overlay

NAMED = 4  # so many ids of a kind are named, more are counted


def open_library(context: typer.Context) -> Library:
    """Says on stderr what overlays add and override: never silently."""
    library = load(overlays=overlays(context))
    for line in notices(library):
        print(f"gan-advisor: {line}", file=sys.stderr)
    return library


def overlays(context: typer.Context) -> tuple[Path, ...]:
    """The later ones win: what is given on the command line over a person's own."""
    own = user_overlay()
    given: Sequence[Path] = context.obj or ()
    return (*([own] if own else []), *given)


def notices(library: Library) -> Iterator[str]:
    """One line for all that is new, one for all that is no longer what the base says."""
    for verb, entries in (("adds", library.added), ("overrides", library.overridden)):
        if entries:
            yield f"the overlay {verb} {', '.join(named(entries))}"


def named(entries: Sequence[Entry]) -> Iterator[str]:
    in_order = sorted(entries, key=lambda entry: entry.kind)
    for kind, group in groupby(in_order, lambda entry: entry.kind):
        ids = [entry.id for entry in group]
        if len(ids) <= NAMED:
            yield f"{kind} {' and '.join(ids)}"
        else:
            yield f"{kind} {', '.join(ids[: NAMED - 1])} and {len(ids) - NAMED + 1} more"
