"""What was not looked up in the source that it names is marked, wherever it is shown, and no more."""

import pytest

from advisor.kb.compare import how
from advisor.kb.coverage import coverage
from advisor.kb.entry_page import entry_page
from advisor.kb.markdown import render
from advisor.kb.names import find
from advisor.kb.show import show
from advisor.recommendation import REMEMBERED, Failure, Setting
from advisor.wording import failing, setting
from knowledge import schema
from knowledge.library import build
from tests.advisor.test_tasks import LIBRARY, recommend

GANS = build().gans.values()
WHERE = {"source": "zhao2016", "locator": "section 2"}


def parts(gan):
    return [*gan.settings, *gan.variations.values(), *gan.fails]


@pytest.mark.parametrize("kind", [schema.PublishedSettings, schema.Variation, schema.Failure])
def test_who_says_nothing_has_looked_it_up(kind):
    assert kind.model_fields["verified"].default is True


def test_some_are_marked_and_most_were_looked_up():
    marked = [each.verified for gan in GANS for each in parts(gan)]
    assert 0 < marked.count(False) < len(marked) / 2


@pytest.mark.parametrize("gan", GANS, ids=lambda gan: gan.id)
def test_the_page_of_a_system_has_a_mark_for_each(gan, library):
    page = render(entry_page(show(find(library, gan.id, ("gan",)), library)))
    assert page.count(REMEMBERED) == sum(not each.verified for each in parts(gan))


def test_coverage_counts_them(library):
    found = coverage(library).unverified_recipes
    assert found["vaegan"] == 2
    assert "wgan" not in found
    assert sum(found.values()) == sum(not e.verified for gan in GANS for e in parts(gan))


@pytest.mark.parametrize("verified", [True, False])
def test_a_line_of_advice_has_the_mark(verified):
    known = Setting(what="rate 1", source="a", short="A", locator="b", verified=verified)
    assert (REMEMBERED in setting(known).says) is not verified
    failed = schema.Failure(says="It falls over.", verified=verified, **WHERE)
    assert (REMEMBERED in how(failed)) is not verified


def test_a_candidate_carries_it_to_whoever_reads_its_sources():
    found = recommend({"task": "super-resolution"}, LIBRARY, top=40, robust=False)
    fails = [failure for each in found.arms for failure in each.fails]
    marked = [failure for failure in fails if not failure.verified]
    assert marked
    for failure in fails:
        told = any(REMEMBERED in source for source in failure.sources)
        assert told is not failure.verified
        assert (REMEMBERED in failing(failure, set()).cite) is told
    assert Failure(says="It falls over.").verified
