"""Least squares on published numbers, and what they tell apart."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.numbers import (
    ENOUGH_SPARE,
    Numbers,
    Table,
    fit,
    of_models,
    solved,
    tables,
)
from knowledge.distances import Run

GANS = ("a", "b", "c", "d", "e")
TRUTH = dict(zip(GANS, (0.0, 0.3, 0.5, 0.9, 1.4), strict=True))  # log distances


def table(source="s", dataset="x", own=(), **distances):
    return Table(source, dataset, "p", tuple(distances.items()), frozenset(own))


def measured(level, gans, own=(), gain=0.0, source="s"):
    """A table without noise: its level, the GAN's own distance, and what its authors gain."""
    values = {gan: exp(level + TRUTH[gan] + gain * (gan in own)) for gan in gans}
    return table(source, own=own, **values)


def test_differences_are_recovered_across_tables_of_unlike_level():
    found = fit((measured(3.0, "abc"), measured(1.0, "cde"), measured(2.0, "be")))
    for one in GANS:
        for other in GANS:
            assert log(found.gap(one, other).ratio) == pytest.approx(
                TRUTH[one] - TRUTH[other], abs=1e-4
            )


def test_the_level_of_a_table_does_not_matter():
    rest = (table(a=20.0, b=30.0, d=33.0), table(b=12.0, c=15.0, a=9.0))
    one, other = (fit((*rest, table(a=10.0 * k, c=14.0 * k))) for k in (1, 7))
    assert one.gap("a", "c").ratio == pytest.approx(other.gap("a", "c").ratio)


def test_gans_that_no_chain_of_tables_joins_are_not_compared():
    found = fit((table(a=10, b=20), table(c=1, d=2)))
    assert found.gap("a", "b")
    assert found.gap("a", "c") is None
    assert found.gap("a", "unheard-of") is None


def test_without_spare_measurements_nothing_is_told_apart():
    numbers = Numbers((table(a=1, b=100),), "x", "ab")
    assert numbers.gap("a", "b").ratio == pytest.approx(0.01, rel=1e-3)
    assert not numbers.before("a", "b")


def test_praise_of_ones_own_method_is_taken_off():
    """b beats a in its own papers alone; neutral tables and others' praise show by how much."""
    neutral = tuple(measured(level, "abcde") for level in (1.0, 2.0, 3.0))
    praised = tuple(measured(2.0, "abcde", own=(gan,), gain=-0.4) for gan in "bcde" * 4)
    found = fit((*neutral, *praised))
    assert found.own == pytest.approx(-0.4, abs=0.1)
    assert log(found.gap("b", "a").ratio) == pytest.approx(0.3, abs=0.05)
    alone = dict(praised[0].distances)
    assert alone["b"] < alone["a"]


def test_one_collapsed_run_does_not_decide():
    good = tuple(measured(level, "abcde") for level in (1.0, 2.0, 3.0, 4.0))
    collapsed = table(a=900.0, b=exp(2.3), c=exp(2.5), d=exp(2.9), e=exp(3.4))
    found = fit((*good, collapsed))
    assert found.gap("a", "e").ratio < 1
    assert abs(log(found.gap("b", "c").ratio) + 0.2) < 0.1


def test_two_gans_are_not_told_apart_where_the_tables_with_both_are_split():
    rest = tuple(measured(level, "bcde") for level in (1.0, 2.0, 3.0, 4.0))
    numbers = Numbers((*rest, table(a=10, b=11), table(a=300, b=10)), "x", GANS)
    assert numbers.gap("a", "b").separated
    assert numbers.gap("a", "b").ratio > 1
    assert numbers.apart("a", "b") is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(GANS), st.floats(1, 500), min_size=2),
        min_size=1,
        max_size=8,
    )
)
def test_being_told_apart_never_runs_in_a_circle(found):
    numbers = Numbers(tuple(table(**distances) for distances in found), "x", GANS)
    for one in numbers.fit.at:
        for other in numbers.fit.at:
            if numbers.before(one, other):
                assert numbers.fit.gap(one, other).ratio < 1
                assert not numbers.before(other, one)


def test_the_solver_agrees_with_numpy():
    draw = np.random.default_rng(0)
    half = draw.normal(size=(12, 12))
    matrix, right = half @ half.T + np.eye(12), draw.normal(size=(12, 3))
    np.testing.assert_allclose(
        solved(matrix.tolist(), right.tolist()), np.linalg.solve(matrix, right), rtol=1e-9
    )


def test_least_squares_agrees_with_numpy_where_nothing_lies_far_off():
    """Small noise on every table alike: the weights differ little from one."""
    draw = np.random.default_rng(1)
    found = tuple(
        table(**{gan: exp(TRUTH[gan] + draw.uniform(-0.1, 0.1)) for gan in GANS}) for _ in range(40)
    )
    means = np.mean([[log(value) for _, value in each.distances] for each in found], axis=0)
    ours = fit(found)
    for i, gan in enumerate(GANS):
        assert log(ours.gap(gan, "a").ratio) == pytest.approx(means[i] - means[0], abs=0.01)
    # A uniform's standard deviation is its width over the square root of 12.
    assert ours.variance**0.5 == pytest.approx(0.2 / 12**0.5, rel=0.15)
    assert len(found) * 4 > ENOUGH_SPARE


def test_numbers_on_the_data_set_go_before_numbers_from_elsewhere():
    here, there = table(dataset="x", a=1, b=2), table(dataset="y", a=2, b=1)
    assert Numbers((here, there), "x", "ab").tables == (here,)
    assert Numbers((here, there), "x", "ac").tables == (here, there)
    assert Numbers((here, there), None, "ab").tables == (here, there)


# Of the base -----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["unconditional", "class-conditional"])
def test_tables_of_the_base_compare_distances_of_one_source(library, task):
    found = list(tables(library, task, ["quality"]))
    assert found
    for each in found:
        assert len(each.distances) > 1
        assert each.own <= each.gans
        assert all(value > 0 for _, value in each.distances)


def test_tables_of_deliberate_instability_speak_to_stability_alone(library):
    calm = set(tables(library, "unconditional", ["quality"]))
    harsh = set(tables(library, "unconditional", ["stability"]))
    assert harsh
    assert not calm & harsh


def test_a_task_without_comparable_numbers_has_no_tables(library):
    assert not list(tables(library, "super-resolution", ["quality"]))


def test_each_model_stands_with_its_best_variant_and_a_failure_with_the_worst():
    runs = [
        Run(model, value, own_method=False, needs=("quality",))
        for model, value in (("a", 9.0), ("a", 7.0), ("b", 30.0), ("c", None))
    ]
    assert of_models(runs) == {"a": 7.0, "b": 30.0, "c": 30.0}
