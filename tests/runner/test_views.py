import pytest
from rich.console import Console

from runner.leaderboard import rank
from runner.views import table
from runner.wording import figures
from tests.runner.runs import plan, results, score

VALUES = {
    "sn-gan": [20.0, 22.4, 18.7],
    "baseline": [20.1, 21.5, 22.6],
    "lsgan": [145.03, 1141.1, None],
    "wgan": [None, None, None],
}


@pytest.fixture(scope="module")
def board():
    planned = plan(list(VALUES))
    return rank(planned, results(planned, VALUES), score(1.234), "baseline")


def printed(board, width=80):
    console = Console(width=width, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(table(board))
    return capture.get()


def test_the_table_fits_eighty_columns_and_loses_nothing(board) -> None:
    text = printed(board)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].endswith("┓")  # the last column is whole
    for each in board.standings:
        assert all(figures(score) in text for score in each.scores)
        assert f"{each.finished}/{each.tried}" in text
    assert "…" not in text


def test_ties_the_control_arm_the_floor_and_failures_are_told_in_words(board) -> None:
    text = printed(board, width=120)
    assert text.count("│ 1=") == sum(each.leader for each in board.standings) > 1
    assert "(control)" in text
    assert "floor 1.23" in text
    assert "LSGAN, seed 2: diverged" in text
    assert "fd-efficientnet-lite0@64-10k" in text


def test_the_probability_of_being_best_is_shown_and_said_to_be_no_test(board) -> None:
    text = printed(board, width=120)
    assert f"{100 * board.standings[0].best:.0f} %" in text
    assert "not a test" in text


def test_an_arm_that_has_not_begun_is_not_counted_as_failing() -> None:
    planned = plan(["a", "b"], 1)
    text = printed(rank(planned, results(planned, {"a": [20.0], "b": []}), None, None))
    assert "none" in text
    assert "0/0" not in text


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100])
def test_narrow_terminals_lose_columns_and_no_table_is_cut(width):
    planned = plan(["lsgan", "baseline"])
    board = rank(
        planned, results(planned, {"lsgan": (20.0, 21.0, 22.0), "baseline": (40.0, 41.5, 43.25)}),
        None, "baseline",
    )  # fmt: skip
    measured = {"kid": 0.00123, "precision": 0.0021, "recall": 0.9, "density": 0.00061,
                "coverage": 0.0031, "intra-class": 1234.0}  # fmt: skip
    standings = tuple(
        each.model_copy(update={"secondary": measured, "truth": {"modes-covered": 4.5}})
        for each in board.standings
    )
    board = board.model_copy(
        update={"standings": standings, "measures": tuple(measured), "truths": ("modes-covered",)}
    )
    text = printed(board, width)
    assert "…" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert all(line.rstrip().endswith("│") for line in lines if line.startswith("│"))
    assert sum("LSGAN" in line for line in lines if line.startswith("│")) == 3
    heads = " ".join(line for line in lines if line.startswith("┃"))
    assert "intra-" in heads or "intra-class" in " ".join(text.split())
    assert "intra-" in heads or width < 80
