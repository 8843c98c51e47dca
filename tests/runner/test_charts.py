from itertools import pairwise

import pytest

from runner.leaderboard import rank
from runner.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    SPAN,
    TOP,
    WIDTH,
    axis,
    curves,
    intervals,
    over_images,
    over_time,
    spread,
)
from runner.report.contents import course
from runner.results import Look
from tests.runner.runs import BUDGET, diverged, finished, plan, results


@pytest.mark.parametrize(
    ("low", "high"), [(0.01, 900), (20, 24), (9.8, 10.1), (100, 100), (3, 30), (1e-6, 1e6)]
)
def test_an_axis_has_several_round_marks_within_itself(low, high) -> None:
    found = axis([low, high], 0, 100)
    assert found is not None
    assert found.low < low <= high < found.high
    assert 2 <= len(found.marks) <= 14
    assert all(found.low <= mark <= found.high for mark in found.marks)


def test_equal_ratios_are_equal_distances_on_an_axis() -> None:
    found = axis([1, 1000], 0, 1000)
    assert found is not None
    places = [found.place(value) for value in (1, 10, 100, 1000)]
    steps = [after - before for before, after in pairwise(places)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)
    assert found.place(1e9) == 1000


def test_there_is_no_axis_without_a_positive_number() -> None:
    assert axis([0.0, float("nan"), float("inf")], 0, 1) is None


def test_labels_move_apart_and_keep_their_order_within_the_panel() -> None:
    wanted = [100.0, 101.0, 99.0, HEIGHT - BOTTOM, HEIGHT - BOTTOM]
    moved = spread(wanted)
    order = sorted(range(5), key=lambda i: wanted[i])
    assert sorted(moved) == [moved[i] for i in order]
    assert min(b - a for a, b in pairwise(sorted(moved))) >= 11.9
    assert max(moved) <= HEIGHT - BOTTOM
    assert min(spread([150.0] * 40)) >= TOP - 0.1
    assert spread([]) == []


def test_a_curve_falls_as_the_distance_does_and_ends_where_the_budget_does() -> None:
    trial = plan(["a"], 1).trials[0]
    drawn = curves([[course(finished(trial, 20.0))]], over_images(BUDGET))
    assert drawn is not None
    (line,) = drawn.panels[0].curves
    across, down = zip(*line.dots, strict=True)
    assert list(across) == sorted(across)
    assert list(down) == sorted(down)  # the origin of a drawing is its upper left corner
    assert line.end[0] == WIDTH - RIGHT
    assert line.failure is None
    assert drawn.across[0] == (LEFT, "0")
    assert drawn.panels[0].says == "seed 0 from 60.0 to 30.0 after 2M images"


def test_over_time_the_slowest_trial_goes_to_the_end_of_the_axis() -> None:
    trial, other = plan(["a", "b"], 1).trials
    slow = finished(trial, 20.0)
    looks = tuple(look.model_copy(update={"seconds": look.seconds / 2}) for look in slow.looks)
    fast = finished(other, 20.0).model_copy(update={"looks": looks, "seconds": slow.seconds / 2})
    trials = [course(slow), course(fast)]
    drawn = curves([[each] for each in trials], over_time(trials))
    assert drawn is not None
    (last, half) = (panel.curves[0].end[0] for panel in drawn.panels)
    share = slow.looks[-1].seconds / slow.seconds  # it looked before it was measured
    assert last == pytest.approx(LEFT + share * (WIDTH - LEFT - RIGHT), abs=0.1)
    assert half - LEFT == pytest.approx((last - LEFT) / 2, abs=0.1)
    assert [says for _, says in drawn.across] == ["0", "2 min 5 s", "4 min 10 s"]


def test_a_failure_is_marked_where_it_happened_and_told_in_words() -> None:
    trial = plan(["a"], 1).trials[0]
    drawn = curves([[course(diverged(trial))]], over_images(BUDGET))
    assert drawn is not None
    (line,) = drawn.panels[0].curves
    assert line.failure == "diverged"
    assert line.cross[0] > line.end[0]
    assert drawn.panels[0].says == "seed 0 at 300 after 500k images, diverged at 600k"


def test_a_look_that_is_no_number_leaves_a_gap_and_no_looks_no_curves() -> None:
    trial = plan(["a"], 1).trials[0]
    looks = tuple(
        Look(images_seen=k * 100, seconds=1, value=v) for k, v in ((1, 5), (2, float("inf")))
    )
    one = course(finished(trial, 20.0).model_copy(update={"looks": looks}))
    drawn = curves([[one]], over_images(BUDGET))
    assert drawn is not None
    assert len(drawn.panels[0].curves[0].dots) == 1
    assert curves([[one.model_copy(update={"looks": ()})]], over_images(BUDGET)) is None


def test_intervals_hold_their_mean_and_stay_within_the_drawing() -> None:
    planned = plan(["a", "b", "c"])
    values = {"a": [20, 21, 22], "b": [30, 31, 29], "c": [None] * 3}
    found = intervals(rank(planned, results(planned, values), None, None).standings, 19.0)
    assert set(found) == {"a", "b"}
    for each in found.values():
        assert each.low is not None
        assert each.high is not None
        assert 0 <= each.low < each.mean < each.high <= SPAN
        assert each.floor is not None
        assert each.floor < min(each.seeds)
    assert (
        intervals(rank(planned, results(planned, values), None, None).standings, 0.1)["a"].floor
        is None
    )
