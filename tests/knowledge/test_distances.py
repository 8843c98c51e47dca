"""The published numbers that advice rests on."""

import pytest

from knowledge.distances import Measured, Run, measured, protocol
from knowledge.library import build, load


@pytest.fixture(scope="module")
def library():
    return build()


@pytest.fixture
def number(library):
    """An unconditional FID that can be trusted."""
    return next(
        each
        for each in library.archive.numbers
        if each.metric == "fid" and each.conditional is False and not each.superseded
        if each.confidence != "low" and not each.needs
    )


def test_one_protocol_is_of_one_source(library):
    by_protocol = {}
    for result in library.archive.numbers:
        by_protocol.setdefault(protocol(result), set()).add(result.source)
    assert all(len(sources) == 1 for sources in by_protocol.values())


def test_numbers_of_one_protocol_stand_together(library, number):
    others = [
        number.model_copy(update=unlike)
        for unlike in ({"model": "other"}, {"n_generated": 7}, {"conditional": True})
    ]
    same, fewer, labelled = measured([number, *others], library.metrics)
    assert [run.model for run in same.runs] == [number.model, "other"]
    assert [len(each.runs) for each in (fewer, labelled)] == [1, 1]
    assert (fewer.conditional, labelled.conditional) == (False, True)


@pytest.mark.parametrize(
    "unlike",
    [
        {"polarity": "higher"},
        {"conditional": None},
        {"superseded": True},
        {"confidence": "low"},
    ],
)
def test_what_cannot_be_trusted_or_compared_is_left_out(library, number, unlike):
    assert list(measured([number], library.metrics))
    assert not list(measured([number.model_copy(update=unlike)], library.metrics))


def test_a_number_speaks_to_the_needs_of_its_metric_unless_it_has_its_own(library, number):
    own = number.model_copy(update={"needs": ("stability",)})
    ((run, other),) = (each.runs for each in measured([number, own], library.metrics))
    assert run.needs == library.metrics["fid"].needs
    assert other.needs == ("stability",)


def test_a_run_that_failed_is_kept(library, number):
    (found,) = measured([number.model_copy(update={"value": None})], library.metrics)
    assert found.runs[0].value is None


def test_they_survive_the_compiled_form(tmp_path, monkeypatch, library):
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path))
    for _ in range(2):  # fresh, then compiled
        found = load().distances
        assert found == library.distances
        assert {type(each) for each in found} == {Measured}
        assert {type(run) for each in found for run in each.runs} == {Run}
