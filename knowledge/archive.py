"""What is known beyond what advice rests on: numbers, measures, devices and disagreements."""

from typing import Literal

from knowledge.numbers import Hyperparameters, Metric, Result, ResultTable
from knowledge.schema import Conflict, Record


class GlobalConflict(Conflict):
    """A disagreement that concerns several entries, with what to do about it."""

    id: str
    severity: Literal["high", "medium", "low"]
    advice: str
    gans: tuple[str, ...] = ()  # where it should be shown


class Technique(Record):
    """A device or a notion that several GANs use."""

    name: str
    kind: Literal[
        "penalty", "normalization", "constraint", "architecture", "training", "sampling",
        "divergence",
    ]  # fmt: skip
    does: str
    used_by: tuple[str, ...] = ()
    sources: tuple[str, ...]
    note: str | None = None


class SurveyRow(Record):
    """A row of Table 1 of Motwani & Parmar (2020), cell by cell; the loss in our words."""

    gan: str
    printed_as: str
    year: int
    loss: str
    critic: tuple[str, ...]
    generator: tuple[str, ...]
    encoder: tuple[str, ...] = ()
    optimizer: tuple[str, ...] = ()
    normalization: tuple[str, ...] = ()
    regularization: str | None
    datasets: tuple[str, ...]
    issues_addressed: tuple[str, ...] = ()
    metrics: tuple[str, ...]


class Archive(Record):
    """The part of the library that is read only when somebody asks for it."""

    results: dict[str, ResultTable]
    metrics: dict[str, Metric]
    techniques: dict[str, Technique]
    variants: dict[str, str]
    conflicts: dict[str, GlobalConflict]
    hyperparameters: Hyperparameters
    survey_table_1: tuple[SurveyRow, ...]

    @property
    def numbers(self) -> tuple[Result, ...]:
        """Every published number, of all tables."""
        return tuple(result for table in self.results.values() for result in table.results)
