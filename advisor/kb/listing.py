"""Which entries there are, and which systems have what is asked for."""

from collections.abc import Iterator
from typing import Literal

from advisor.kb.names import KINDS, Unclear, entries, find, plain
from knowledge.library import Library
from knowledge.schema import Gan, Record

PLURALS = {"results": "results", "settings": "settings", "study": "studies", "search": "searches",
           "baseline": "baseline"}  # fmt: skip


class Listed(Record):
    id: str
    name: str
    says: str = ""
    kind: str | None = None  # of a system: loss-variant, …
    year: int | None = None


class Listing(Record):
    schema_version: Literal[1] = 1
    kind: str
    entries: tuple[Listed, ...]


def plural(kind: str) -> str:
    return PLURALS.get(kind, f"{kind}s")


def kind_named(word: str) -> str:
    """In the singular or the plural. Raises Unclear."""
    for kind in KINDS:
        if word in (kind, plural(kind)):
            return kind
    raise Unclear(f"no kind {word!r}; there are {', '.join(map(plural, KINDS))}")


def listing(kind: str, library: Library) -> Listing:
    """All entries of a kind."""
    found = tuple(
        Listed(id=e.id, name=e.name, says=e.record if isinstance(e.record, str) else "")
        for e in entries(library)
        if e.kind == kind
    )
    return Listing(kind=kind, entries=found)


def systems(
    library: Library,
    *,
    task: str | None = None,
    addresses: str | None = None,
    loss: str | None = None,
    kind: str | None = None,
    dataset: str | None = None,
) -> Listing:
    """Systems that have all that is asked for. Raises Unclear for a word that nothing has."""
    vocabulary = library.vocabulary
    kinds = dict.fromkeys(gan.kind for gan in library.gans.values())
    checked("task", task, vocabulary.tasks)
    checked("issue", addresses, vocabulary.issues)
    checked("kind of system", kind, kinds)
    data = find(library, dataset, ("dataset",)).id if dataset else None
    found = tuple(
        Listed(id=gan.id, name=gan.name, says=gan.summary, kind=gan.kind, year=gan.year)
        for gan in sorted(library.gans.values(), key=lambda gan: (gan.year, gan.id))
        if (task is None or task in gan.tasks)
        and (addresses is None or addresses in gan.issues_addressed)
        and (kind is None or kind == gan.kind)
        and (data is None or data in data_sets(gan, library))
        and (loss is None or any(plain(loss) in plain(word) for word in losses(gan, library)))
    )
    if (
        loss
        and not found
        and not any(
            plain(loss) in plain(word)
            for gan in library.gans.values()
            for word in losses(gan, library)
        )
    ):
        raise Unclear(f"no system has a loss {loss!r}; try {', '.join(loss_options(library))}")
    return Listing(kind="gan", entries=found)


def checked(what: str, word: str | None, known: dict[str, str] | dict[str, None]) -> None:
    if word is not None and word not in known:
        from knowledge.reading import nearest

        raise Unclear(f"no {what} {word!r}{nearest(word, known)}")


def data_sets(gan: Gan, library: Library) -> set[str]:
    """Those that its sources name, and those that claims or numbers report it on."""
    claims = (c for c in library.claims.values() if gan.id in (c.subject, c.object))
    numbers = (n.dataset for n in library.archive.numbers if n.model == gan.id)
    return {*gan.datasets, *(name for claim in claims for name in claim.datasets), *numbers}


def losses(gan: Gan, library: Library) -> Iterator[str]:
    """How its loss is described, which option of the axis it is, and the tags of that option."""
    yield gan.loss or ""
    yield from gan.tags
    if gan.combination:
        yield gan.combination["loss"]
    for option in library.axes["loss"].options:
        if option.gan == gan.id:
            yield from (option.id, option.name, *option.tags)


def loss_options(library: Library) -> list[str]:
    return [option.id for option in library.axes["loss"].options]
