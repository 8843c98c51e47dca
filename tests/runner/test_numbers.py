"""What is typed for numbers of images and for times."""

import pytest
import typer

from runner.commands.common import budget_of, number


@pytest.mark.parametrize(
    ("text", "images"),
    [("2M", 2_000_000), ("500k", 500_000), ("64000", 64_000), ("64,000", 64_000), ("64_000", 64_000),
     ("2.5M", 2_500_000), (" 1.1 M", 1_100_000), ("10K", 10_000), ("1B", 10**9)],
)  # fmt: skip
def test_numbers_of_images(text, images):
    assert number(text) == budget_of(text).images == images


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90min", 5400), ("1h30min", 5400), ("1.5 h", 5400)]
)
def test_times(text, seconds):
    assert budget_of(text) == (None, seconds)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("1m", "write 1M for millions of images, or 1min for minutes"),
        ("2,5M", "write 2.5M, or 25M, without a comma"),
        ("2,500k", "write 2.500k, or 2500k, without a comma"),
        ("64,00", "write 64.00, or 6400, without a comma"),
        ("64.000", "write 64000 or 64M"),
        ("1h30m", "write 1h30min"),
        ("1,5h", "write 1.5h, with a point"),
        ("two", "is no number of images such as 2M"),
        ("0", "is no number of images"),
        ("2d nonsense", "is neither"),
    ],
)
def test_what_could_mean_two_things_is_asked_back(text, instead):
    with pytest.raises(typer.BadParameter) as raised:
        budget_of(text)
    assert instead in str(raised.value)
