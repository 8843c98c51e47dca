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
    said = [line for _, lines in wording.candidates(found, full=True) for line in lines]
    said += wording.refused(found.refusal) if found.refusal else []
    sentences = [text for line in said for text in (line.says, line.cite, *line.notes)]
    assert sentences
    for sentence in sentences:
        assert words(sentence) in page
        assert words(sentence) in screen


def test_each_candidate_says_what_it_costs_how_robust_it_is_and_what_speaks_on_each_side(library):
    found = recommend(checked(PROFILES["shortlist"], library), library)
    for each, lines in wording.candidates(found):
        labels = {line.label for line in lines}
        assert {"costs", "settings", "fails"} <= labels
        if each.role == "candidate":
            assert {"for", "against", "robust"} <= labels


def test_nothing_is_said_twice_of_a_candidate_and_no_reason_is_given_twice_on_a_page(library):
    found = recommend(checked(PROFILES["shortlist"], library), library)
    reasons = []
    for _, lines in wording.candidates(found):
        assert len({(line.label, line.says) for line in lines}) == len(lines)
        named = ("must", "heed", "fails")
        reasons += [x.says for x in lines if x.label in named and "(as above)" not in x.says]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("answers", [{"dataset": "cifar10"}, {"needs": ["quality"]}])
def test_nobody_is_called_by_an_id_where_the_name_is_another_one(library, answers):
    """Ids are for commands; the first line on a candidate has its own."""
    found = recommend(checked(answers, library), library)
    unlike = [g.id for g in library.gans.values() if g.id.casefold() != g.name.casefold()]
    said = [wording.cut_line(step, found.names).says for step in found.funnel]
    said += wording.closing(found)
    said += [x.says for _, lines in wording.candidates(found) for x in lines if x.label != "costs"]
    for sentence in said:
        assert not [name for name in unlike if re.search(rf"(?<![\w-]){name}(?![\w-])", sentence)]


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
        lines = {c.id: lines for c, lines in wording.candidates(found)}[each.id]
        unknown = [line.says for line in lines if line.label == "unknown"]
        assert any(need in says for says in unknown)


def test_a_table_of_markdown_has_as_many_cells_in_every_row(library):
    found = recommend(checked(PROFILES["shortlist"], library), library)
    tables = re.findall(r"(?:^\|.*\n)+", markdown(found), flags=re.MULTILINE)
    assert len(tables) == 2
    for table in tables:
        cells = {len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1
