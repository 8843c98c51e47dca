"""The seven tables of Motwani & Parmar (2020), put together again from the data."""

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from advisor.kb.related import Disagreement, disagreements, opponents, tables_named
from knowledge.archive import SurveyRow
from knowledge.library import Library
from knowledge.schema import Claim, Record

SOURCE = "motwani2020"
TITLES = {
    1: "Summary of loss variants in GANs",
    2: "Comparison of GANs with FCGAN",
    3: "Comparison of GANs with WGAN",
    4: "Comparison of GANs with WGAN-GP",
    5: "Comparison of F-divergence GAN with Geometric GAN",
    6: "Comparison of RSGAN with Least Squares GAN",
    7: "Comparison of Loss Sensitive GAN with DCGAN",
}
ASPECTS = ("application", "behaviour", "implementation")
CELL = re.compile(
    r"Table (?P<table>\d), row (?P<row>.+), (?P<column>\w+), sentence (?P<sentence>\d)"
)


class Statement(Record):
    """A line of a cell: one claim, or an entry of Table 1 that is no claim."""

    says: str
    claim: str | None = None
    sentence: int | None = None  # of the cell; 0: the cell says that there is no study
    opposed_by: dict[str, str] = Field(
        default_factory=dict
    )  # claim of another cell -> what it says
    checks: tuple[str, ...] = ()  # how other evidence relates to it
    refers: tuple[str, ...] = ()  # addresses of what it names


class Row(Record):
    printed_as: str
    gans: tuple[str, ...]
    cells: dict[str, tuple[Statement, ...]]  # column -> lines; an empty cell is printed empty


class SurveyTable(Record):
    schema_version: Literal[1] = 1
    number: int
    title: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    disagreements: tuple[Disagreement, ...]


def survey_table(number: int, library: Library) -> SurveyTable:
    """Table 1 to 7. Raises KeyError for any other."""
    title = TITLES[number]
    rows = tuple(rows_of_table_1(library) if number == 1 else rows_of_claims(number, library))
    gans = sorted({gan for row in rows for gan in row.gans})
    return SurveyTable(
        number=number,
        title=title,
        source=library.sources[SOURCE].short,
        columns=tuple(rows[0].cells),
        rows=rows,
        disagreements=tuple(d for d in disagreements(library, *gans) if mentions(d, number)),
    )


def mentions(conflict: Disagreement, number: int) -> bool:
    words = f"{conflict.about} {conflict.one_side} {conflict.other_side} {conflict.where}"
    return SOURCE in words and number in tables_named(words)


# Table 1 -------------------------------------------------------------------------------------


def rows_of_table_1(library: Library) -> Iterator[Row]:
    for row in library.archive.survey_table_1:
        cells = {
            "year": (Statement(says=str(row.year)),),
            "loss": (Statement(says=row.loss),),
            "architecture": tuple(architecture(row)),
            "regularization": (Statement(says=row.regularization or "no"),),
            "data sets": named(row.datasets, "dataset", {d: library.datasets[d].name
                               for d in row.datasets}),
            "issues addressed": named(row.issues_addressed, "issue"),
            "metric": named(row.metrics, "metric", {m: library.archive.metrics[m].name
                            for m in row.metrics}),
        }  # fmt: skip
        yield Row(printed_as=row.printed_as, gans=(row.gan,), cells=cells)


def architecture(row: SurveyRow) -> Iterator[Statement]:
    parts = {
        "critic": row.critic,
        "generator": row.generator,
        "encoder": row.encoder,
        "optimizer": row.optimizer,
        "normalization": row.normalization,
    }
    for part, options in parts.items():
        if options:
            yield Statement(says=f"{part}: {', '.join(options)}")


def named(
    ids: tuple[str, ...], kind: str, names: dict[str, str] | None = None
) -> tuple[Statement, ...]:
    return tuple(
        Statement(says=(names or {}).get(name, name.replace("-", " ")), refers=(f"{kind}:{name}",))
        for name in ids
    )


# Tables 2 to 7 -------------------------------------------------------------------------------


def rows_of_claims(number: int, library: Library) -> Iterator[Row]:
    cells: dict[str, dict[str, list[Statement]]] = {}
    gans: dict[str, dict[str, None]] = {}
    for claim in library.claims.values():
        cell = CELL.fullmatch(claim.locator) if claim.source == SOURCE else None
        if cell is None or int(cell["table"]) != number:
            continue
        row = cells.setdefault(cell["row"], {aspect: [] for aspect in ASPECTS})
        row[cell["column"]].append(statement(claim, int(cell["sentence"]), library))
        ends = (end for end in (claim.subject, claim.object) if end in library.gans)
        gans.setdefault(cell["row"], {}).update(dict.fromkeys(ends))
    for printed_as, row in cells.items():
        yield Row(
            printed_as=printed_as,
            gans=tuple(gans[printed_as]),
            cells={
                aspect: tuple(sorted(lines, key=lambda line: line.sentence or 0))
                for aspect, lines in row.items()
            },
        )


def statement(claim: Claim, sentence: int, library: Library) -> Statement:
    here = claim.locator.split(", sentence")[0]
    elsewhere = (c for c in opponents(claim, library) if not c.locator.startswith(here))
    return Statement(
        says=claim.says,
        claim=claim.id,
        sentence=sentence,
        opposed_by={other.id: other.says for other in elsewhere},
        checks=tuple(f"{check.status}: {check.note} ({check.where})" for check in claim.checks),
        refers=(claim.subject, claim.object),
    )
