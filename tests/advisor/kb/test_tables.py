"""The survey's tables come out of the data as they were printed: no row, cell or statement is lost."""

from pathlib import Path

import pytest
import yaml

from advisor.kb.markdown import render
from advisor.kb.pages import survey_table as page
from advisor.kb.tables import TITLES, survey_table
from knowledge.library import load

PRINTED = yaml.safe_load((Path(__file__).parent / "survey_tables.yaml").read_text("utf-8"))
LIBRARY = load()


def table(number):
    return survey_table(number, LIBRARY)


def rows(numbers):
    return [(number, row) for number in numbers for row in PRINTED[number]]


def words(statement):
    """What it says, and what the claim behind it records of its circumstances."""
    claim = LIBRARY.claims.get(statement.claim or "")
    known = (claim.subject, claim.object, claim.condition or "", *claim.datasets) if claim else ()
    return f"{statement.says} {' '.join(known)}".casefold()


@pytest.mark.parametrize("number", TITLES)
def test_rows_stand_as_printed(number):
    assert [row.printed_as for row in table(number).rows] == list(PRINTED[number])


@pytest.mark.parametrize(("number", "name"), rows([1]))
def test_each_cell_of_table_1_says_what_is_printed(number, name):
    row = next(row for row in table(number).rows if row.printed_as == name)
    for column, printed in PRINTED[number][name].items():
        full = next(c for c in row.cells if c.startswith(column))
        said = " ".join(map(words, row.cells[full]))
        printed = [printed] if isinstance(printed, int) else printed
        assert bool(printed) == bool(row.cells[full]), column
        missing = [word for word in printed if str(word).casefold() not in said]
        assert not missing, column


@pytest.mark.parametrize(("number", "name"), rows([1]))
def test_lists_of_table_1_hold_no_more_than_is_printed(number, name):
    row = next(row for row in table(number).rows if row.printed_as == name)
    for column in ("data sets", "issues addressed", "metric"):
        printed = PRINTED[number][name][column.split(" addressed")[0]]
        assert len(row.cells[column]) == len(printed), column


@pytest.mark.parametrize(("number", "name"), rows(range(2, 8)))
def test_each_statement_of_a_cell_is_there(number, name):
    row = next(row for row in table(number).rows if row.printed_as == name)
    for column, printed in PRINTED[number][name].items():
        found = {statement.sentence for statement in row.cells[column]}
        if printed == "0":
            assert found == {0}, column
            continue
        assert found == set(range(1, len(printed) + 1)), column
        for sentence, keys in enumerate(printed, 1):
            said = " ".join(words(s) for s in row.cells[column] if s.sentence == sentence)
            missing = [key for key in keys if str(key).casefold() not in said]
            assert not missing, (column, sentence, said)


def test_every_claim_of_the_tables_stands_in_one_cell():
    shown = [
        statement.claim
        for number in range(2, 8)
        for row in table(number).rows
        for cell in row.cells.values()
        for statement in cell
    ]
    assert sorted(shown) == sorted(c for c in LIBRARY.claims if c.startswith("table-"))
    assert len(shown) == 48 + 45 + 23 + 2 + 6 + 13


@pytest.mark.parametrize("number", TITLES)
def test_markdown_has_every_statement_of_the_table(number):
    text = render(page(table(number))).replace("\\", "").replace("&gt;", ">").replace("&lt;", "<")
    for row in table(number).rows:
        for cell in row.cells.values():
            for statement in cell:
                assert statement.says in text


def test_a_statement_disputed_in_another_cell_quotes_the_other_side():
    (row,) = [row for row in table(2).rows if row.printed_as == "RSGAN"]
    quoted = {s.claim: set(s.opposed_by) for cell in row.cells.values() for s in cell}
    assert quoted["table-2-040"] == {"table-2-046"}
    assert quoted["table-2-046"] == {"table-2-040"}
    assert LIBRARY.claims["table-2-046"].says in render(page(table(2)))


def test_a_disputed_table_shows_both_sides():
    shown = {d.about: d for d in table(4).disagreements}
    assert "LSUN against WGAN-GP" in shown
    assert "similar FID" in shown["LSUN against WGAN-GP"].other_side
