"""Everything that is known as one object, from a compiled form that is refused when stale."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import PrivateAttr

from knowledge import __version__
from knowledge.distances import Measured
from knowledge.files import write_whole
from knowledge.schema import (
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

if TYPE_CHECKING:  # advice does without them, and starts the sooner
    from knowledge.archive import Archive, GlobalConflict, SurveyRow, Technique
    from knowledge.numbers import Hyperparameters, Metric, ResultTable

HERE = Path(__file__).parent
FOLDERS = ("axes", "claims", "datasets", "gans", "results", "rules")
KEPT = 8  # compiled forms that stay: the base alone and with some overlays


class Entry(Record):
    """An entry that an overlay brought."""

    kind: str
    id: str
    file: str


class Shelf(NamedTuple):
    """Where the rest of a library is found when somebody asks for it."""

    root: Path = HERE
    overlays: tuple[Path, ...] = ()
    compiled: Path | None = None

    def archive(self) -> "Archive":
        from knowledge.archive import Archive

        if self.compiled:
            with suppress(OSError, ValueError):
                return Archive.model_validate_json(self.compiled.read_bytes())
        return build(self.root, self.overlays).archive


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
    distances: tuple[Measured, ...]  # of the archive's numbers, those that advice rests on
    added: tuple[Entry, ...] = ()  # by overlays
    overridden: tuple[Entry, ...] = ()
    _shelf: Shelf = PrivateAttr(default=Shelf())

    def option(self, slot: Slot, name: str) -> Option | None:
        """Of an axis; or a system that brings its own networks, as an option of the first one."""
        for option in self.axes[slot].options:
            if option.id == name:
                return option
        if slot == "architecture" and name in self.gans:
            return self.own_networks(self.gans[name])
        return None

    def own_networks(self, gan: Gan) -> Option | None:
        """A system as an architecture. Its costs are estimates: a known pair's, times the pairs."""
        own = gan.network
        if own is None:
            return None
        pair = self.option("architecture", own.like)
        time, memory = (pair.relative_cost, pair.relative_memory) if pair else (1.0, 1.0)
        return Option(
            id=gan.id,
            name=gan.name,
            tags=own.tags,
            gan=gan.id,
            change=own.change,
            tasks=gan.tasks,
            relative_cost=time * own.networks / 2,
            relative_memory=memory * own.networks / 2,
        )

    @cached_property
    def nodes(self) -> tuple[Gan, ...]:
        """Systems that stand beside the product of the axes, such as composites."""
        return tuple(gan for gan in self.gans.values() if gan.combination)

    @cached_property
    def names(self) -> dict[str, str]:
        """GANs as people write them, by id."""
        return {gan.id: gan.name for gan in self.gans.values()}

    def dataset_named(self, name: str) -> Dataset | None:
        """By id or alias, however it is written: CIFAR-10, cifar10, Cifar 10."""
        wanted = plain(name)
        for dataset in self.datasets.values():
            if wanted in map(plain, (dataset.id, dataset.name, *dataset.aliases)):
                return dataset
        return None

    @property
    def overlays(self) -> tuple[Path, ...]:
        """The folders that were laid over the base, in their order."""
        return self._shelf.overlays

    # What advice does not rest on is read when it is asked for -----------------------------

    @cached_property
    def archive(self) -> "Archive":
        return self._shelf.archive()

    @property
    def results(self) -> "Mapping[str, ResultTable]":
        return self.archive.results

    @property
    def metrics(self) -> "Mapping[str, Metric]":
        return self.archive.metrics

    @property
    def techniques(self) -> "Mapping[str, Technique]":
        return self.archive.techniques

    @property
    def variants(self) -> Mapping[str, str]:
        """Models that have numbers but no entry: name -> what it is."""
        return self.archive.variants

    @property
    def conflicts(self) -> "Mapping[str, GlobalConflict]":
        return self.archive.conflicts

    @property
    def hyperparameters(self) -> "Hyperparameters":
        return self.archive.hyperparameters

    @property
    def survey_table_1(self) -> "tuple[SurveyRow, ...]":
        return self.archive.survey_table_1


def plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def load(root: Path = HERE, overlays: Sequence[Path] = ()) -> Library:
    """The whole library, overlays laid over it in their order.

    Raises InvalidData that names every mistake, with file and line.
    """
    overlays = tuple(Path(folder) for folder in overlays)
    stem = fingerprint(root, overlays)
    core, rest = (cache_folder() / f"{part}-{stem}.json" for part in ("library", "archive"))
    try:
        library = Library.model_validate_json(core.read_bytes())
    except (OSError, ValueError):
        library = build(root, overlays)
        keep(rest, library.archive.model_dump_json(exclude_unset=True))
        keep(core, library.model_dump_json(exclude_unset=True))
    library._shelf = Shelf(root, overlays, rest)
    return library


def build(root: Path = HERE, overlays: Sequence[Path] = ()) -> Library:
    """The library from its YAML files, every reference resolved."""
    from knowledge.building import built  # YAML is not needed where a compiled form is at hand

    library = built(root, overlays).library
    library._shelf = Shelf(root, tuple(overlays))
    return library


def user_overlay() -> Path | None:
    """The folder of a person's own additions, if there is one."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    folder = Path(home) / "gan-advisor" / "knowledge"
    return folder if folder.is_dir() else None


def yaml_files(root: Path) -> list[Path]:
    return sorted([*root.glob("*.yaml"), *(f for d in FOLDERS for f in root.glob(f"{d}/*.yaml"))])


def fingerprint(root: Path, overlays: Sequence[Path]) -> str:
    """Changes with any file of the base or an overlay, and with the code that reads it."""
    digest = hashlib.sha256(__version__.encode())
    for layer in (root, *overlays):
        digest.update(f"{layer.absolute()}\n".encode())
        for file in yaml_files(layer):
            digest.update(state(file))
    for file in sorted([*HERE.glob("*.py"), *HERE.glob("schema/*.py")]):
        digest.update(state(file))
    return digest.hexdigest()[:20]


def state(file: Path) -> bytes:
    stat = file.stat()
    return f"{file}|{stat.st_mtime_ns}|{stat.st_size}\n".encode()


def cache_folder() -> Path:
    chosen = os.environ.get("GAN_ADVISOR_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gan-advisor"


def keep(path: Path, text: str) -> None:
    """Only a convenience: a read-only home costs time, not the answer."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        prefix = path.name.split("-")[0]
        compiled = sorted(path.parent.glob(f"{prefix}-*.json"), key=lambda f: f.stat().st_mtime_ns)
        for old in compiled[:-KEPT]:
            old.unlink(missing_ok=True)
