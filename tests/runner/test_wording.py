from math import inf, log

import pytest

from runner import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (21.34, "21.3"),
        (0.04123, "0.0412"),
        (1234.5, "1230"),
        (9.999, "10.0"),
        (0, "0"),
        (-3, "-3.00"),
    ],
)
def test_three_significant_figures_and_never_a_power_of_ten(value, text) -> None:
    assert wording.figures(value) == text


def test_gaps_are_percent_until_they_double() -> None:
    assert wording.gap(1.14) == "14 %"
    assert wording.gap(2.6) == "a factor of 2.6"
    assert wording.gap(inf) == "any size"
    assert wording.below(log(2)) == "50 % below"


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.834, "83 %"), (0.9971, "> 99 %"), (0.004, "< 1 %"), (1.0, "> 99 %"), (0.0, "< 1 %")],
)
def test_nothing_is_called_certain_or_impossible(probability, text) -> None:
    assert wording.chance(probability) == text


def test_an_interval_that_says_nothing_is_not_spelled_out() -> None:
    assert wording.span(18.5, 24.72) == "18.5–24.7"
    assert wording.span(1e-4, 1e6) == "too wide"


@pytest.mark.parametrize(
    ("count", "text"), [(2_000_000, "2M"), (1_500_000, "1.5M"), (400_000, "400k"), (950, "950")]
)
def test_images_are_counted_in_thousands_and_millions(count, text) -> None:
    assert wording.images(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.25, "4.2 s"), (59.7, "1 min"), (200, "3 min 20 s"), (3600, "1 h"), (3900, "1 h 5 min")],
)
def test_durations_are_told_in_the_units_of_a_clock(seconds, text) -> None:
    assert wording.duration(seconds) == text


def test_names_are_listed_as_in_a_sentence() -> None:
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.listed([]) == ""
    assert wording.counted(1, "seed") == "1 seed"
