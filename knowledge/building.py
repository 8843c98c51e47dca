"""From YAML files to a library: layer by layer, every mistake collected."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.archive import Archive
from knowledge.distances import measured
from knowledge.layers import Layer, Place, Reader
from knowledge.library import Entry, Library, Shelf
from knowledge.numbers import Hyperparameters
from knowledge.reading import InvalidData, Problem
from knowledge.references import dangling
from knowledge.schema import STAGES, Axis, Rule, Vocabulary

Places = Mapping[tuple[str, str], Place]


class Built(NamedTuple):
    """A library, and the file and line of each of its entries, by kind and id."""

    library: Library
    places: Places


def built(root: Path, overlays: Sequence[Path] = ()) -> Built:
    """Raises InvalidData that names every mistake of all layers at once."""
    found, problems = attempt(root, overlays)
    if problems or not found:
        raise InvalidData(problems)
    return found


def attempt(root: Path, overlays: Sequence[Path] = ()) -> tuple[Built | None, list[Problem]]:
    """As far as it can be built, with all mistakes; nothing where a file cannot be read."""
    readers = [Reader(root, whole=True), *(Reader(Path(folder)) for folder in overlays)]
    layers = [reader.layer() for reader in readers]
    problems = [problem for reader in readers for problem in reader.problems]
    if problems:
        return None, sorted(problems, key=in_order_of_files)
    entries, added, overridden = stacked(layers)
    places = {key: place for layer in layers for key, place in layer.places.items()}
    library = assembled(entries, added, overridden)
    library._shelf = Shelf(root, tuple(overlays))
    lost = sorted(dangling(library, places), key=in_order_of_files)
    return Built(library, places), lost


def in_order_of_files(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line or 0, problem.says


Kinds = dict[str, dict[Any, Any]]  # kind -> id -> entry


def stacked(layers: Sequence[Layer]) -> tuple[Kinds, list[Entry], list[Entry]]:
    """Later layers over earlier ones. What stays in its place keeps its place in the order."""
    base, *overlays = layers
    entries: Kinds = {kind: dict(own) for kind, own in base.entries.items()}
    added, overridden = [], []
    for layer in overlays:
        for kind, own in layer.entries.items():
            for name, entry in own.items():
                file = layer.places[kind, name].file
                below = entries[kind].get(name)
                if isinstance(entry, Axis) and isinstance(below, Axis):
                    new, changed, entry = joined(below, entry, file)
                    added += new
                    overridden += changed
                elif name in entries[kind]:
                    overridden.append(Entry(kind=kind, id=name, file=file))
                else:
                    added.append(Entry(kind=kind, id=name, file=file))
                entries[kind][name] = entry
    return entries, added, overridden


def joined(below: Axis, over: Axis, file: str) -> tuple[list[Entry], list[Entry], Axis]:
    """An overlay's axis adds or overrides options and tags; the other options stay."""
    new: list[Entry] = []
    changed: list[Entry] = []
    options = {option.id: option for option in below.options}
    for kind, names, known in (
        ("option", [option.id for option in over.options], options.keys()),
        ("tag", list(over.tags), below.tags.keys()),
    ):
        for name in names:
            entry = Entry(kind=kind, id=f"{over.id}:{name}", file=file)
            (changed if name in known else new).append(entry)
    options |= {option.id: option for option in over.options}
    axis = below.model_copy(
        update={
            "name": over.name,
            "assumption": over.assumption or below.assumption,
            "options": tuple(options.values()),
            "tags": below.tags | over.tags,
            "waivers": below.waivers | over.waivers,
        }
    )
    return new, changed, axis


def assembled(entries: Kinds, added: list[Entry], overridden: list[Entry]) -> Library:
    """Every kind at its place; rules by stage, inside a stage as the files have them."""
    rules: Iterable[Rule] = entries["rule"].values()
    archive = Archive.model_construct(
        results=entries["results"],
        metrics=entries["metric"],
        techniques=entries["technique"],
        variants=entries["variant"],
        conflicts=entries["conflict"],
        hyperparameters=Hyperparameters(
            published=tuple(entries["published"].values()),
            searches=tuple(entries["search"].values()),
            studies=tuple(entries["study"].values()),
        ),
        survey_table_1=tuple(entries["survey-row"].values()),
    )
    library = Library.model_construct(
        vocabulary=Vocabulary(
            aspects=entries["aspect"], issues=entries["issue"], tasks=entries["task"]
        ),
        sources=entries["source"],
        axes=entries["axis"],
        gans=entries["gan"],
        datasets=entries["dataset"],
        claims=entries["claim"],
        rules=tuple(sorted(rules, key=lambda rule: list(STAGES).index(rule.stage))),
        questions=entries["question"],
        baseline=entries["baseline"]["baseline"],
        distances=tuple(measured(archive.numbers, archive.metrics)),
        added=tuple(added),
        overridden=tuple(overridden),
    )
    library.__dict__["archive"] = archive  # at hand already: nothing to open later
    return library
