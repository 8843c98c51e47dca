"""Read the YAML, check it, and hand it over as one object."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from knowledge import __version__
from knowledge.reading import Document, InvalidData, Problem, check, nearest, read
from knowledge.schema import (
    SLOTS,
    Axis,
    Baseline,
    Claim,
    Dataset,
    Gan,
    Option,
    Question,
    Record,
    Rule,
    Slot,
    Source,
    Vocabulary,
)

HERE = Path(__file__).parent
R = TypeVar("R", bound=Record)
FOLDERS = ("axes", "claims", "datasets", "gans", "rules")


class Library(Record):
    """Everything that is known, its references resolved."""

    vocabulary: Vocabulary
    sources: dict[str, Source]
    axes: dict[Slot, Axis]
    gans: dict[str, Gan]
    datasets: dict[str, Dataset]
    claims: dict[str, Claim]
    rules: tuple[Rule, ...]  # in the order in which they are applied
    questions: dict[str, Question]
    baseline: Baseline

    def option(self, slot: Slot, name: str) -> Option | None:
        return next((option for option in self.axes[slot].options if option.id == name), None)

    @cached_property
    def nodes(self) -> tuple[Gan, ...]:
        """Systems that stand beside the product of the axes, such as composites."""
        return tuple(gan for gan in self.gans.values() if gan.combination)

    def dataset_named(self, name: str) -> Dataset | None:
        """By id or alias, however it is written: CIFAR-10, cifar10, Cifar 10."""
        wanted = plain(name)
        for dataset in self.datasets.values():
            if wanted in map(plain, (dataset.id, dataset.name, *dataset.aliases)):
                return dataset
        return None


def plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def load(root: Path = HERE) -> Library:
    """The whole library. Raises InvalidData that names every mistake, with file and line."""
    files = yaml_files(root)
    compiled = cache_folder() / f"library-{fingerprint(files)}.json"
    try:
        return Library.model_validate_json(compiled.read_bytes())
    except (OSError, ValueError):
        library = build(root)
    write_whole(compiled, library.model_dump_json(exclude_defaults=True))
    return library


def yaml_files(root: Path) -> list[Path]:
    return sorted([*root.glob("*.yaml"), *(f for d in FOLDERS for f in root.glob(f"{d}/*.yaml"))])


def fingerprint(files: list[Path]) -> str:
    """Changes with any file of the base, and with the code that reads it."""
    digest = hashlib.sha256(__version__.encode())
    for file in [*files, HERE / "schema.py", HERE / "library.py"]:
        stat = file.stat()
        digest.update(f"{file}|{stat.st_mtime_ns}|{stat.st_size}\n".encode())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    chosen = os.environ.get("GAN_ADVISOR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gan-advisor"


def write_whole(path: Path, text: str) -> None:
    """Only a convenience: a read-only home costs time, not the answer."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)
        for old in path.parent.glob("library-*.json"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return


def build(root: Path = HERE) -> Library:
    """The library from its YAML files, every reference resolved."""
    reader = Reader(root)
    rules = [rule for file in reader.files("rules") for rule in reader.list_of(file, Rule)]
    library_parts: dict[str, Any] = {
        "vocabulary": reader.one("vocabulary.yaml", Vocabulary),
        "sources": reader.mapping("sources.yaml", Source),
        "axes": reader.one_per_file("axes", Axis),
        "gans": reader.one_per_file("gans", Gan),
        "datasets": reader.one_per_file("datasets", Dataset),
        "claims": reader.by_id(
            claim for file in reader.files("claims") for claim in reader.list_of(file, Claim)
        ),
        "rules": in_order(rules),
        "questions": reader.by_id(reader.list_of(root / "questions.yaml", Question)),
        "baseline": reader.one("baseline.yaml", Baseline),
    }
    if not reader.problems:
        library = Library.model_construct(**library_parts)
        reader.problems.extend(dangling(library, reader))
    if reader.problems:
        raise InvalidData(sorted(reader.problems))
    return library


def in_order(rules: list[Rule]) -> tuple[Rule, ...]:
    """By stage; inside a stage as the files have them."""
    from knowledge.schema import STAGES

    return tuple(sorted(rules, key=lambda rule: STAGES.index(rule.stage)))


class Reader:
    """Reads files, collects problems, and remembers where each entry stands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.places: dict[tuple[str, str], tuple[str, int | None]] = {}

    def files(self, folder: str) -> list[Path]:
        return sorted((self.root / folder).glob("*.yaml"))

    def content(self, path: Path, shape: Any) -> tuple[Any, Document] | None:  # noqa: ANN401
        try:
            document = read(path, str(path.relative_to(self.root.parent)))
            return check(document, shape), document
        except InvalidData as error:
            self.problems.extend(error.problems)
            return None

    def one(self, name: str, shape: type[R]) -> R | None:
        found = self.content(self.root / name, shape)
        if found is None:
            return None
        self.note(shape, name.removesuffix(".yaml"), found[1], ())
        return found[0]  # type: ignore[no-any-return]

    def list_of(self, path: Path, shape: type[R]) -> Iterator[R]:
        found = self.content(path, list[shape])  # type: ignore[valid-type]
        for index, entry in enumerate(found[0] if found else ()):
            self.note(shape, entry.id, found[1], (index,))  # type: ignore[index]
            yield entry

    def mapping(self, name: str, shape: type[R]) -> dict[str, R]:
        found = self.content(self.root / name, dict[str, shape])  # type: ignore[valid-type]
        for key in found[0] if found else ():
            self.note(shape, key, found[1], (key,))  # type: ignore[index]
        return found[0] if found else {}

    def one_per_file(self, folder: str, shape: type[R]) -> dict[str, R]:
        entries: dict[str, R] = {}
        for path in self.files(folder):
            found = self.content(path, shape)
            if found is None:
                continue
            entry, document = found
            self.note(shape, entry.id, document, ())
            if entry.id != path.stem:
                says = f"its id is {entry.id!r}, but the file is called {path.stem!r}"
                self.problems.append(Problem(document.file, document.line(("id",)), says))
            entries[entry.id] = entry
        return entries

    def by_id(self, entries: Iterator[Any]) -> dict[str, Any]:
        return {entry.id: entry for entry in entries}

    def note(
        self, shape: type[Record], name: str, document: Document, loc: tuple[Any, ...]
    ) -> None:
        key, place = (shape.__name__, name), (document.file, document.line(loc))
        if key in self.places:
            first = self.places[key]
            says = f"the id {name!r} is taken already, in {first[0]}:{first[1]}"
            self.problems.append(Problem(*place, says))
        self.places[key] = place


def dangling(library: Library, reader: Reader) -> Iterator[Problem]:
    """Every reference in the library that leads nowhere, with what was probably meant."""
    for kind, entry, word, known, what in references(library):
        if word not in known:
            file, line = reader.places.get((kind, entry), ("?", None))
            yield Problem(file, line, f"{entry}: no {what} {word!r}{nearest(word, known)}")


Reference = tuple[str, str, str, Any, str]  # kind of entry, entry, word, known words, what it is


def references(library: Library) -> Iterator[Reference]:
    for axis in library.axes.values():
        for option in axis.options:
            for tag in option.tags:
                yield "Axis", axis.id, tag, axis.tags, "tag"
            for task in option.tasks:
                yield "Axis", axis.id, task, library.vocabulary.tasks, "task"
            if option.gan:
                yield "Axis", axis.id, option.gan, library.gans, "GAN"
    for gan in library.gans.values():
        yield from references_of_gan(library, gan)
    for claim in library.claims.values():
        for end in (claim.subject, claim.object):
            if ":" not in end and end != "self":
                yield "Claim", claim.id, end, library.gans, "GAN"
        for source in (claim.source, claim.lineage):
            yield "Claim", claim.id, source, library.sources, "source"
        for aspect in claim.aspects:
            yield "Claim", claim.id, aspect, library.vocabulary.aspects, "aspect"
        for dataset in claim.datasets:
            yield "Claim", claim.id, dataset, library.datasets, "data set"
    for rule in library.rules:
        yield from references_of_rule(library, rule)
    for question in library.questions.values():
        for aspects in question.aspects.values():
            for aspect in aspects:
                yield "Question", question.id, aspect, library.vocabulary.aspects, "aspect"
    for slot, name in library.baseline.combination.items():
        known = [option.id for option in library.axes[slot].options]
        yield "Baseline", "baseline", name, known, f"{slot} option"
    for source in library.baseline.sources:
        yield "Baseline", "baseline", source, library.sources, "source"


def references_of_gan(library: Library, gan: Gan) -> Iterator[Reference]:
    sources = [gan.source] if gan.source else []
    sources += [s.source for s in gan.settings] + [fact.source for fact in gan.facts]
    for source in sources:
        yield "Gan", gan.id, source, library.sources, "source"
    for dataset in gan.datasets:
        yield "Gan", gan.id, dataset, library.datasets, "data set"
    for issue in (*gan.issues_addressed, *gan.issues_open):
        yield "Gan", gan.id, issue, library.vocabulary.issues, "issue"
    for task in gan.tasks:
        yield "Gan", gan.id, task, library.vocabulary.tasks, "task"
    for part in gan.composed_of:
        yield "Gan", gan.id, part, library.gans, "GAN"
    for tag in gan.tags:
        yield "Gan", gan.id, tag, library.axes["loss"].tags, "tag"
    for slot in SLOTS:
        options = [option.id for option in library.axes[slot].options]
        default = gan.defaults.get(slot)
        for name in (*gan.documented.get(slot, ()), *([default.option] if default else [])):
            yield "Gan", gan.id, name, options, f"{slot} option"
        for claim in default.claims if default else ():
            yield "Gan", gan.id, claim, library.claims, "claim"


def references_of_rule(library: Library, rule: Rule) -> Iterator[Reference]:
    for claim in (*rule.claims, *rule.counter):
        yield "Rule", rule.id, claim, library.claims, "claim"
    for source in rule.sources:
        yield "Rule", rule.id, source, library.sources, "source"
    for selector in (*rule.excludes, *rule.notes):
        for slot, words in selector.items():
            axis = library.axes[slot]
            known = {*axis.tags, *(option.id for option in axis.options)}
            for word in words:
                yield "Rule", rule.id, word.removeprefix("!"), known, f"{slot} tag"
