"""The terminal and the Markdown page say the same."""

import re

import pytest
from rich.console import Console

from advisor import wording
from advisor.advise import recommend
from advisor.document import markdown
from advisor.profile import checked
from advisor.views import show

PROFILES = {
    "shortlist": {"dataset": "cifar10", "needs": ["quality", "diversity"]},
    "refusal": {"modality": "text"},
}


def terminal(found):
    console = Console(width=4000, no_color=True)
    with console.capture() as capture:
        console.print(show(found, full=True))
    return capture.get()


def words(text):
    return re.sub(r"&(amp|lt|gt);|[^a-z0-9]", "", text.lower())


@pytest.mark.parametrize("name", PROFILES)
def test_every_sentence_stands_in_both(library, name):
    found = recommend(checked(PROFILES[name], library), library)
    page, screen = words(markdown(found, full=True)), words(terminal(found))
    said = [line for each in found.arms for line in wording.lines(each, full=True)]
    said += wording.refused(found.refusal) if found.refusal else []
    sentences = [text for line in said for text in (line.says, line.cite, *line.notes)]
    assert sentences
    for sentence in sentences:
        assert words(sentence) in page
        assert words(sentence) in screen


def test_each_candidate_says_what_it_costs_how_robust_it_is_and_what_speaks_on_each_side(library):
    found = recommend(checked(PROFILES["shortlist"], library), library)
    for each in found.candidates:
        labels = {line.label for line in wording.lines(each)}
        assert {"for", "against", "costs", "robust"} <= labels


def test_a_need_on_which_nobody_speaks_is_said_to_be_unknown(library):
    found = recommend(checked({"needs": ["quality", "speed"]}, library), library)
    silent = [
        (each, support.need)
        for each in found.candidates
        for support in each.support
        if not (support.for_ or support.against or support.equal)
    ]
    assert silent
    for each, need in silent:
        unknown = [line.says for line in wording.lines(each) if line.label == "unknown"]
        assert any(need in says for says in unknown)


def test_a_table_of_markdown_has_as_many_cells_in_every_row(library):
    found = recommend(checked(PROFILES["shortlist"], library), library)
    tables = re.findall(r"(?:^\|.*\n)+", markdown(found), flags=re.MULTILINE)
    assert len(tables) == 2
    for table in tables:
        cells = {len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1
