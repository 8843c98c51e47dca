"""Where the names of what scores are held against stand in the report's chart of intervals."""

import pytest

from runner.leaderboard import rank
from runner.report import content, read
from runner.report.interactive import anchors, near, ranking
from tests.runner.runs import plan, results, run_folder, score


@pytest.fixture
def report(tmp_path):
    planned = plan(["lsgan", "baseline"])
    ended = results(planned, {"lsgan": (20.0, 21.0, 22.0), "baseline": (40.0, 41.5, 43.25)})
    run_folder(tmp_path, planned, ended, control="baseline")
    held = {"noise": score(44.0), "mean": score(41.0), "blur": score(19.0)}
    board = rank(planned, ended, score(18.5), "baseline", held)
    return content(read(tmp_path, board))


def test_every_anchor_has_its_own_line_of_text_and_its_own_place(report):
    found = list(near(report))
    assert [each["distance"] for each in found] == [18.5, 19.0, 44.0, 41.0]
    assert [each["line"] for each in found] == [0, 1, 2, 3]
    assert [each["side"] for each in found] == ["left", "left", "right", "right"]
    chart = ranking(report, ["lsgan", "baseline"])
    names = [layer["mark"] for layer in chart["layer"] if layer["mark"].get("type") == "text"]
    assert len(names) == 4
    assert all("angle" not in mark for mark in names)


def test_of_the_curves_each_has_its_own_place_where_names_share_a_line(report):
    found = anchors(report)
    assert [each["distance"] for each in found] == [18.5, 19.0, 41.0, 44.0]
    assert found[0]["name"] == "real images 18.5, blurred real images 19.0"
    assert found[1]["name"] == ""
