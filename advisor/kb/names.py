"""Which entry a name means, however it is written; a name that two systems share means neither."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from knowledge.library import Library
from knowledge.schema import SLOTS, Gan

KINDS = (  # in the order in which an id is looked up
    "gan", "technique", "dataset", "metric", "source", "claim", "rule", "results", "number",
    "conflict", "settings", "search", "study", "question", "task", "issue", "aspect", "variant",
    *SLOTS, "tag", "baseline", "topic",
)  # fmt: skip


class Entry(NamedTuple):
    kind: str
    id: str
    name: str
    record: Any  # the entry as it is loaded; a text where the base has no more
    names: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """As claims write it: an id of a GAN, kind:id of all others."""
        return self.id if self.kind in ("gan", "topic") else f"{self.kind}:{self.id}"


class Unclear(LookupError):
    """A name that means nothing here, or more than one thing. Says so, with the choices."""

    def __init__(self, says: str, choices: Iterable[Entry] = ()) -> None:
        super().__init__(says)
        self.choices = tuple(choices)


def find(library: Library, name: str, kinds: Iterable[str] = KINDS) -> Entry:
    """The entry of this id, address or name. Raises Unclear."""
    kinds = tuple(kinds)
    known = [entry for entry in entries(library) if entry.kind in kinds]
    exact = [entry for entry in known if name in (entry.id, f"{entry.kind}:{entry.id}")]
    if exact:
        return exact[0]
    for kind in dict.fromkeys(entry.kind for entry in known):
        called = [e for e in known if e.kind == kind and plain(name) in map(plain, e.names)]
        if len(called) > 1:
            raise Unclear(f"{name!r} may mean several", called)
        if called:
            return called[0]
    if plain(name) and (warned := [e for e in known if warns_of(e, name)]):
        raise Unclear(f"{name!r} is no system of this base, but one is easily taken for it", warned)
    raise Unclear(f"nothing is called {name!r}{probably(name, known)}{look_at(kinds)}")


def alike(library: Library, entry: Entry) -> list[Entry]:
    """Other entries of the same id, such as the technique and the option spectral-norm."""
    return [e for e in entries(library) if e.id == entry.id and e.kind != entry.kind]


def entries(library: Library) -> list[Entry]:
    """Everything that has an id, in the order of KINDS."""
    found = [entry for kind in (systems, devices, evidence, words) for entry in kind(library)]
    found.extend(topics(library, {entry.address for entry in found}))
    return sorted(found, key=lambda entry: KINDS.index(entry.kind))


def systems(library: Library) -> Iterator[Entry]:
    for gan in library.gans.values():
        yield Entry("gan", gan.id, gan.name, gan, tuple(names_of(gan)))
    for dataset in library.datasets.values():
        names = (dataset.id, dataset.name, *dataset.aliases)
        yield Entry("dataset", dataset.id, dataset.name, dataset, names)


def names_of(gan: Gan) -> Iterator[str]:
    yield from (gan.id, gan.full_name)
    for name in (gan.name, *gan.aliases):
        yield name
        if remark := re.search(r" \((\S+)\)", name):  # "PatchGAN (pix2pix)": both are names
            yield remark[1]
        yield name.split(" (")[0]


def devices(library: Library) -> Iterator[Entry]:
    archive = library.archive
    for name, technique in archive.techniques.items():
        yield Entry("technique", name, technique.name, technique, (name, technique.name))
    for name, metric in archive.metrics.items():
        yield Entry("metric", name, metric.name, metric, (name, metric.name))
    for name, says in archive.variants.items():
        yield Entry("variant", name, name, says, (name, says))
    for axis in library.axes.values():
        for option in axis.options:
            yield Entry(axis.id, option.id, option.name, option, (option.id, option.name))
        for tag, says in axis.tags.items():
            yield Entry("tag", tag, tag, says, (tag,))


def evidence(library: Library) -> Iterator[Entry]:
    archive = library.archive
    for name, source in library.sources.items():
        yield Entry(
            "source",
            name,
            f"{source.short}: {source.title}",
            source,
            (name, source.title, source.short),
        )
    for claim in library.claims.values():
        yield Entry("claim", claim.id, claim.says, claim, (claim.id,))
    for table in archive.results.values():
        yield Entry("results", table.id, table.title, table, (table.id, table.title))
    for number in archive.numbers:
        yield Entry("number", number.id, f"{number.metric} of {number.model}", number, (number.id,))
    for conflict in archive.conflicts.values():
        yield Entry("conflict", conflict.id, conflict.about, conflict, (conflict.id,))
    settings = archive.hyperparameters
    for published in settings.published:
        name = f"settings of {published.model} ({published.locator})"
        yield Entry("settings", published.id, name, published, (published.id,))
    for search in settings.searches:
        yield Entry("search", search.id, f"ranges searched: {search.id}", search, (search.id,))
    for study in settings.studies:
        yield Entry("study", study.id, f"study: {study.id}", study, (study.id,))


def words(library: Library) -> Iterator[Entry]:
    for rule in library.rules:
        yield Entry("rule", rule.id, rule.says, rule, (rule.id,))
    for question in library.questions.values():
        yield Entry("question", question.id, question.asks, question, (question.id,))
    yield Entry("baseline", "baseline", library.baseline.name, library.baseline, ("baseline",))
    vocabulary = library.vocabulary
    for kind, meanings in (
        ("task", vocabulary.tasks),
        ("issue", vocabulary.issues),
        ("aspect", vocabulary.aspects),
    ):
        for word, says in meanings.items():
            yield Entry(kind, word, word, says, (word,))


def topics(library: Library, known: set[str]) -> Iterator[Entry]:
    """What claims speak of without its having an entry, such as class:earlier-gans."""
    ends = (end for claim in library.claims.values() for end in (claim.subject, claim.object))
    for end in dict.fromkeys(ends):
        if ":" in end and end not in known:
            kind, _, name = end.partition(":")
            says = f"{name.replace('-', ' ')} ({kind}), as claims speak of it"
            yield Entry("topic", end, name.replace("-", " "), says, (end,))


def plain(name: str) -> str:
    """Letters and digits only, without case and accents: wgangp."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def warns_of(entry: Entry, name: str) -> bool:
    warning = entry.record.name_warning if isinstance(entry.record, Gan) else None
    return plain(name) in {plain(word) for word in re.findall(r"[\w-]+", warning or "")} - {"gan"}


def probably(name: str, known: list[Entry]) -> str:
    usable = (entry for entry in known if entry.id != "none")  # nobody looks for it
    spelt = {plain(called): entry for entry in usable for called in entry.names}
    if nearest := get_close_matches(plain(name), list(spelt), 1, 0.6):
        entry = spelt[nearest[0]]
        return f"; did you mean {entry.id}? "
    return "; "


def look_at(kinds: tuple[str, ...]) -> str:
    """Where the names are."""
    if kinds == ("gan",):
        return "gan-advisor kb list names the systems"
    if set(kinds) == {"rule", "claim"}:
        return (
            "it takes a rule or a claim: gan-advisor kb list rules names the rules, "
            "gan-advisor kb search WORDS finds claims"
        )
    return "gan-advisor kb search WORDS looks into names and texts"
