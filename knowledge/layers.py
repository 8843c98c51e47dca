"""One folder of YAML in the layout of this one: the base, or an overlay of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from knowledge.archive import GlobalConflict, SurveyRow, Technique
from knowledge.library import FOLDERS
from knowledge.numbers import Hyperparameters, Metric, ResultTable
from knowledge.reading import Document, InvalidData, Loc, Problem, check, nearest, read
from knowledge.schema import (
    Axis,
    Baseline,
    Claim,
    Dataset,
    Gan,
    Question,
    Record,
    Rule,
    Source,
    Vocabulary,
)

R = TypeVar("R", bound=Record)
FILES = (
    "baseline", "conflicts", "hyperparameters", "metrics", "questions", "sources",
    "survey-table-1", "techniques", "variants", "vocabulary",
)  # fmt: skip


class Place(NamedTuple):
    """Where an entry stands; `path` is the file, `file` how messages name it."""

    path: Path
    file: str
    line: int | None


class Layer(NamedTuple):
    entries: dict[str, dict[str, Any]]  # kind -> id -> entry
    places: dict[tuple[str, str], Place]


class Reader:
    """Reads a folder, collects its problems, and remembers where each entry stands."""

    def __init__(self, root: Path, *, whole: bool = False) -> None:
        self.root, self.whole = root, whole  # an overlay need not have every file
        self.problems: list[Problem] = []
        self.places: dict[tuple[str, str], Place] = {}

    def layer(self) -> Layer:
        """Everything in the folder. Mistakes stand in `problems`, and leave their entry out."""
        self.problems += self.strangers()
        gans = self.one_per_file("gan", "gans", Gan)
        claims = self.lists("claim", "claims", Claim)
        sources = self.mapping("source", "sources", Source)
        for gan in gans.values():  # one file may bring all that it needs
            claims |= {claim.id: claim for claim in gan.claims}
            sources |= gan.sources
        bare = {n: g.model_copy(update={"claims": (), "sources": {}}) for n, g in gans.items()}
        words = self.one("vocabulary", Vocabulary)
        settings = self.one("hyperparameters", Hyperparameters)
        entries = {
            "gan": bare,
            "claim": claims,
            "source": sources,
            "axis": self.one_per_file("axis", "axes", Axis),
            "dataset": self.one_per_file("dataset", "datasets", Dataset),
            "results": self.one_per_file("results", "results", ResultTable),
            "rule": self.lists("rule", "rules", Rule),
            "question": self.listed("question", "questions", Question),
            "conflict": self.listed("conflict", "conflicts", GlobalConflict),
            "survey-row": self.listed("survey-row", "survey-table-1", SurveyRow),
            "metric": self.mapping("metric", "metrics", Metric),
            "technique": self.mapping("technique", "techniques", Technique),
            "variant": self.mapping("variant", "variants", str),
            **self.parts(words, "vocabulary",
                         {"aspect": "aspects", "issue": "issues", "task": "tasks"}),
            **self.parts(settings, "hyperparameters",
                         {"published": "published", "search": "searches", "study": "studies"}),
            "baseline": self.single("baseline", Baseline),
        }  # fmt: skip
        return Layer(entries, self.places)

    def strangers(self) -> Iterator[Problem]:
        """What would be passed over in silence: a folder that is none, files of no known name."""
        if not self.root.is_dir():
            yield Problem(str(self.root), None, "is no folder of knowledge")
        for path in sorted(self.root.rglob("*.y*ml")):
            name = path.relative_to(self.root)
            if name.suffix != ".yaml":
                yield Problem(self.name(path), None, "is passed over: call it .yaml")
            elif len(name.parts) == 1 and name.stem not in FILES:
                known = [f"{stem}.yaml" for stem in FILES]
                says = f"no file of this name belongs here{nearest(path.name, known)}"
                yield Problem(self.name(path), None, says)
            elif len(name.parts) > 1 and (len(name.parts) > 2 or name.parts[0] not in FOLDERS):
                says = f"no folder {name.parent}{nearest(str(name.parent), FOLDERS)}"
                yield Problem(self.name(path), None, says)

    # Files ---------------------------------------------------------------------------------

    def content(self, path: Path, shape: Any) -> tuple[Any, Document] | None:  # noqa: ANN401
        try:
            document = read(path, self.name(path))
            return check(document, shape), document
        except InvalidData as error:
            self.problems.extend(error.problems)
            return None

    def name(self, path: Path) -> str:
        return str(path.relative_to(self.root.parent)) if self.whole else str(path)

    def files(self, folder: str) -> list[Path]:
        return sorted((self.root / folder).glob("*.yaml"))

    def file(self, stem: str, shape: Any) -> tuple[Any, Document] | None:  # noqa: ANN401
        path = self.root / f"{stem}.yaml"
        return self.content(path, shape) if self.whole or path.exists() else None

    # Shapes of files -----------------------------------------------------------------------

    def one(self, stem: str, shape: type[R]) -> tuple[R, Document] | None:
        return self.file(stem, shape)

    def single(self, kind: str, shape: type[R]) -> dict[str, R]:
        found = self.file(kind, shape)
        if found:
            self.note(kind, kind, found[1], ())
        return {kind: found[0]} if found else {}

    def parts(
        self, found: tuple[Record, Document] | None, stem: str, fields: dict[str, str]
    ) -> dict[str, dict[str, Any]]:
        """The fields of a file as kinds of their own, by key or by id."""
        whole: dict[str, dict[str, Any]] = {kind: {} for kind in fields}
        for kind, field in fields.items() if found else ():
            record, document = found  # type: ignore[misc]
            content = getattr(record, field)
            if isinstance(content, dict):
                for name in content:
                    self.note(kind, name, document, (field, name))
                whole[kind] = dict(content)
            else:
                whole[kind] = self.noted(kind, content, document, (field,))
        return whole

    def lists(self, kind: str, folder: str, shape: type[R]) -> dict[str, R]:
        entries: dict[str, R] = {}
        for path in self.files(folder):
            found = self.content(path, list[shape])  # type: ignore[valid-type]
            entries |= self.noted(kind, found[0], found[1]) if found else {}
        return entries

    def listed(self, kind: str, stem: str, shape: type[R]) -> dict[str, R]:
        found = self.file(stem, list[shape])  # type: ignore[valid-type]
        return self.noted(kind, found[0], found[1]) if found else {}

    def noted(
        self, kind: str, entries: Iterable[Any], document: Document, loc: Loc = ()
    ) -> dict[str, Any]:
        by_id = {}
        for index, entry in enumerate(entries):
            name = getattr(entry, "id", None) or entry.gan
            self.note(kind, name, document, (*loc, index))
            by_id[name] = entry
        return by_id

    def mapping(self, kind: str, stem: str, shape: type[Any]) -> dict[str, Any]:
        found = self.file(stem, dict[str, shape])  # type: ignore[valid-type]
        for key in found[0] if found else ():
            self.note(kind, key, found[1], (key,))  # type: ignore[index]
        return found[0] if found else {}

    def one_per_file(self, kind: str, folder: str, shape: type[Any]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for path in self.files(folder):
            found = self.content(path, shape)
            if found is None:
                continue
            entry, document = found
            self.note(kind, entry.id, document, ())
            if entry.id != path.stem:
                says = f"its id is {entry.id!r}, but the file is called {path.stem!r}"
                self.problems.append(Problem(document.file, document.line(("id",)), says))
            entries[entry.id] = entry
            self.note_inner(entry, document)
        return entries

    def note_inner(self, entry: Record, document: Document) -> None:
        """What has an id of its own inside a file."""
        match entry:
            case Gan():
                self.noted("claim", entry.claims, document, ("claims",))
                for name in entry.sources:
                    self.note("source", name, document, ("sources", name))
            case ResultTable():
                self.noted("result", entry.results, document, ("results",))
            case Axis():
                for index, option in enumerate(entry.options):
                    loc = ("options", index)
                    self.note("option", f"{entry.id}:{option.id}", document, loc)
                for tag in entry.tags:
                    self.note("tag", f"{entry.id}:{tag}", document, ("tags", tag))

    def note(self, kind: str, name: str, document: Document, loc: Loc) -> None:
        place = Place(document.path, document.file, document.line(loc))
        if (kind, name) in self.places:
            first = self.places[kind, name]
            says = f"the id {name!r} is taken already, in {first.file}:{first.line}"
            self.problems.append(Problem(place.file, place.line, says))
        self.places[kind, name] = place
