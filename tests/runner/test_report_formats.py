"""The page, Markdown and JSON: three ways to write the same content down."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from advisor.recommendation import Cost, Failure, Trouble
from runner.cli import app
from runner.leaderboard import rank
from runner.report import Report, content, markdown, read, render
from runner.report.contents import DRAWN, Witness, witnesses
from runner.report.predicted import predicted
from runner.report.text import code, link, plain
from runner.results import Look
from tests.runner.runs import (
    advice,
    candidate,
    diagnosis,
    diverged,
    plan,
    results,
    run_folder,
    score,
    write,
)
from tests.runner.test_report import EVIL, VALUES, Page

DOCS = Path(__file__).parents[2] / "docs" / "api" / "report.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    planned = plan(list(VALUES))
    made = tmp_path_factory.mktemp("run")
    run_folder(made, planned, results(planned, VALUES), control="baseline")
    (made / "run.json").write_text(json.dumps({"command": "gan-runner run x.json -o y"}))
    write(made / "diagnosis.json", diagnosis(results(planned, VALUES)))
    return made


@pytest.fixture(scope="module")
def report(folder):
    return content(read(folder))


@pytest.fixture(scope="module")
def formats(folder, report):
    """The text of each, without what only marks it up."""
    return {
        "html": Page(render(read(folder))).text,
        "markdown": re.sub(r"\\(.)", r"\1", markdown(report)),
        "json": report.model_dump_json(),
    }


def parsed(text):
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


# The same ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html", "markdown", "json"])
def test_every_format_says_the_same(formats, report, kind) -> None:
    text = " ".join(formats[kind].replace("\N{NO-BREAK SPACE}", " ").split())
    shared = [
        report.verdict.says,
        *report.notes,
        *report.cautions,
        *report.predicted.says,
        *(row.standing.name for row in report.leaderboard),
        *(failure for row in report.leaderboard for failure in row.standing.failures),
        *(step.says for step in report.funnel.steps),
        *(w.citation.says for arm in report.shortlist for w in arm.evidence["for"]),
        *(foreseen.says for arm in report.predicted.arms for foreseen in arm.foreseen),
        *(skip.why for skip in report.skipped),
        *(value for arm in report.shortlist for value in arm.recipe.values()),
        *(f.says[1:] for trial in report.diagnosis.trials for f in trial.found),
        *(cure.says for cure in report.diagnosis.prescription.cures),
        *report.diagnosis.next.names,
        report.diagnosis.note[1:],
        *(each.command for each in report.next),
        report.reproduction.data.fingerprint,
        report.reproduction.measurement.digest,
        "gan-runner run x.json -o y",
    ]
    for says in shared:
        assert " ".join(says.split()) in text


def test_json_reads_back_as_what_was_written(report) -> None:
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert json.loads(report.model_dump_json())["schema_version"] == 1


def test_a_look_that_is_no_number_is_null_in_json(tmp_path) -> None:
    planned = plan(["a"], 1)
    broken = diverged(planned.trials[0]).model_copy(
        update={"looks": (Look(images_seen=1, seconds=1.0, value=float("nan")),)}
    )
    run_folder(tmp_path, planned, [broken], pictures=False)
    # As results are read back, nan does not survive JSON: what was never a number is put in here.
    run = read_with(tmp_path, {broken.trial.id: broken})
    told = json.loads(content(run).model_dump_json())
    assert told["trials"][0]["looks"][0]["value"] is None


def read_with(folder, found):
    """The run in the folder with other results than it holds."""
    (folder / "trials" / next(iter(found)) / "result.json").unlink()
    return read(folder)._replace(results=found)


def test_every_field_of_the_json_is_described() -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert rows == set(Report.model_fields)
    assert f"`schema_version` | {Report.model_fields['schema_version'].default}" in page


def test_of_very_many_trials_a_page_draws_the_first_and_json_has_all(tmp_path) -> None:
    count = DRAWN + 5
    planned = plan(["a", "b"], count)
    ended = results(planned, {"a": [20.0] * count, "b": [30.0] * count})
    report = content(read(run_folder(tmp_path, planned, ended, pictures=False)))
    assert len(report.trials) == 2 * count
    assert [t.id for t in report.drawn] == [f"{a}-seed{k}" for a in "ab" for k in range(DRAWN)]
    page, text = Page(render(read(tmp_path))), markdown(report)
    assert "There are 130 trials" in page.text
    assert "There are 130 trials" in text
    assert "B, seed 59" in page.text
    assert "B, seed 60" not in page.text


# Markdown ---------------------------------------------------------------------------------------


def test_every_table_has_as_many_cells_in_every_row(report) -> None:
    tables = re.findall(r"<table>.*?</table>", parsed(markdown(report)), re.DOTALL)
    assert len(tables) == 3  # leaderboard, predictions, funnel
    for table in tables:
        rows = table.split("<tr>")[1:]
        assert len({row.count("<td") + row.count("<th") for row in rows}) == 1
    bars = [line for line in markdown(report).splitlines() if line.startswith("|")]
    assert len(bars) == sum(table.count("<tr>") + 1 for table in tables)  # no table was cut short


def test_text_of_users_is_no_markup_in_markdown(tmp_path) -> None:
    evil = f"{EVIL} | [x](javascript:alert(1)) **b** `c`\n# d"
    planned = plan(["a"], 1)
    data = planned.data.model_copy(update={"name": evil, "where": evil, "held_out_is": evil})
    trials = tuple(trial.model_copy(update={"name": evil}) for trial in planned.trials)
    planned = planned.model_copy(update={"data": data, "trials": trials})
    ended = [diverged(planned.trials[0], evil)]
    recommended = advice(planned).model_copy(update={"answers": {evil: evil}})
    run_folder(tmp_path, planned, ended, recommended=recommended)
    html = parsed(markdown(content(read(tmp_path))))
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "<strong>b</strong>" not in html
    assert 'href="javascript' not in html
    assert html.count("<h1>") == 1
    assert html.count("&lt;script&gt;") >= 6


def test_what_is_put_into_markdown_reads_as_it_stands() -> None:
    assert plain("a_b *c* [d] <e> | f#\n g") == r"a\_b \*c\* \[d\] \<e\> \| f\# g"
    assert link("a", "javascript:alert(1)") == "a"
    assert link("[a]", "https://x.org/(b)") == r"[\[a\]](https://x.org/%28b%29)"
    assert code("a`b") == "`` a`b ``"
    assert parsed(code("a ``b`` c")) == "<p><code>a ``b`` c</code></p>\n"


# The command ------------------------------------------------------------------------------------


def test_printing_writes_nothing(folder) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    told = CliRunner().invoke(app, ["report", str(folder), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["verdict"]["kind"] == "winner"
    text = CliRunner().invoke(app, ["report", str(folder), "--markdown"])
    assert text.stdout.startswith("# Which GAN for Fashion-MNIST?")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("option", ["--markdown", "--json"])
def test_a_reader_who_has_seen_enough_is_no_error(folder, option) -> None:
    """As head is."""
    words = [sys.executable, "-m", "runner.cli", "report", str(folder), option]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("options", [["--json", "--markdown"], ["--json"]])
def test_two_formats_at_once_and_folders_without_a_run_are_refused(tmp_path, options) -> None:
    told = CliRunner().invoke(app, ["report", str(tmp_path), *options])
    assert told.exit_code == 2
    assert told.stdout == ""


def test_every_command_that_goes_on_from_here_can_be_typed(report) -> None:
    known = typer.main.get_command(app).commands
    for each in report.next:
        program, name, *words = shlex.split(each.command)
        assert program == "gan-runner"
        with known[name].make_context(name, words) as context:
            assert "." in map(str, context.params.values())


def test_where_nothing_finished_there_is_nothing_to_take_along(tmp_path) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [None]}), pictures=False)
    names = [each.command.split()[1] for each in content(read(tmp_path)).next]
    assert names == ["diagnose", "learn", "report"]


# Predicted and happened -------------------------------------------------------------------------


def board_of(values, **others):
    planned = plan(list(values), 1)
    return rank(planned, results(planned, values), None, others.get("control"))


def recommended(ranks, control=None):
    planned = plan([*ranks, *([control] if control else [])], 1)
    found = advice(planned, control=control)
    ranked = tuple(
        each.model_copy(update={"rank": ranks[each.id]})
        for each in found.candidates
        if each.id in ranks
    )
    return found.model_copy(update={"candidates": ranked})


def test_pairs_that_came_out_in_the_order_expected_are_counted() -> None:
    board = board_of({"a": [3.0], "b": [1.0], "c": [2.0], "d": [4.0]})
    told = predicted(recommended({"a": 1, "b": 2, "c": 3, "d": 3}), board.standings)
    # Ordered: ab ac ad bc bd; c and d were equals. As expected: ad, bc and bd.
    assert told.says[0].startswith(
        "Of 5 pairs of candidates that the advice had put in an order, 3"
    )
    places = {each.arm: (each.expected_place, each.place) for each in told.arms}
    assert places == {"a": ("1", "3"), "b": ("2", "1"), "c": ("3=", "2"), "d": ("3=", "4")}


def test_nothing_is_counted_of_arms_that_did_not_finish() -> None:
    board = board_of({"a": [1.0], "b": [None]})
    told = predicted(recommended({"a": 1, "b": 2}), board.standings)
    assert told.says == ("1 arm failed on a seed or more; the knowledge base had not told of it.",)
    assert told.arms[-1].place == "–"


def test_costs_stand_beside_the_control_arms() -> None:
    found = recommended({"a": 1}, control="baseline")
    twice = found.candidates[0].model_copy(update={"cost": Cost(time=3.0)})
    base = found.control.model_copy(update={"cost": Cost(time=1.5)})
    found = found.model_copy(update={"candidates": (twice,), "control": base})
    planned = plan(["a", "baseline"], 1)
    ended = results(planned, {"a": [1.0], "baseline": [2.0]})
    slower = ended[0].model_copy(update={"seconds": 4 * ended[1].seconds})
    board = rank(planned, [slower, ended[1]], None, "baseline")
    arms = {each.arm: each for each in predicted(found, board.standings).arms}
    assert arms["a"].expected_cost == pytest.approx(2.0)
    assert arms["a"].cost == pytest.approx(4.0)
    assert arms["baseline"].cost == pytest.approx(1.0)
    assert arms["baseline"].expected_place is None


def test_what_was_foreseen_is_marked_where_it_could_be_what_happened() -> None:
    arm = (
        recommended({"a": 1})
        .candidates[0]
        .model_copy(
            update={
                "fails": (Failure(says="It falls over.", then="a cushion"),),
                "troubles": (Trouble(issue="mode-collapse", says="It forgets modes.", then=()),),
            }
        )
    )
    found = recommended({"a": 1}).model_copy(update={"candidates": (arm,)})
    (standing,) = board_of({"a": [None]}).standings
    standing = standing.model_copy(update={"foreseen": ("It falls over.; try a cushion",)})
    (told,) = predicted(found, [standing]).arms
    assert [(each.says, each.could_be) for each in told.foreseen] == [
        ("It falls over.", True),
        ("It forgets modes.", False),
    ]
    assert told.told


@pytest.mark.parametrize("verified", [True, False])
def test_what_nobody_looked_up_is_marked(tmp_path, verified) -> None:
    planned = plan(["a"], 1)
    arm = candidate(planned.trials[0])
    marked = {
        "settings": tuple(s.model_copy(update={"verified": verified}) for s in arm.settings),
        "fails": (Failure(says="It falls over.", then="a cushion", verified=verified),),
    }
    found = recommended({"a": 1}).model_copy(
        update={"candidates": (arm.model_copy(update=marked),)}
    )
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}), recommended=found)
    run = read(tmp_path)
    for says in (Page(render(run)).text, markdown(content(run))):
        assert ("rate 0.0002 (as remembered, not looked up)" in says) is not verified
        assert ("Then try a cushion. (as remembered, not looked up)" in says) is not verified


def test_a_claim_is_quoted_once_with_all_its_needs() -> None:
    arm = candidate(plan(["a"], 1).trials[0])
    (witness,) = witnesses(arm, 1)
    assert witness == Witness(
        needs=("quality", "diversity"), direct=True, citation=arm.testimony[0].citation
    )
    assert witnesses(arm, 0) == ()


def expected(tmp_path, statuses, answer="not found") -> Report:
    """Of a run of one arm whose trials ended so, and what a diagnosis answers."""
    planned = plan(["lsgan"])
    ended = [
        result.model_copy(update={"status": status, "why": "of this"})
        if status != "finished"
        else result
        for result, status in zip(
            results(planned, {"lsgan": (20.0, 21.0, 22.0)}), statuses, strict=True
        )
    ]
    run_folder(tmp_path, planned, ended, control=None)
    made = diagnosis(ended)
    answered = tuple(
        each.model_copy(
            update={
                "findings": tuple(f.model_copy(update={"answer": answer}) for f in each.findings)
            }
        )
        for each in made.trials
    )
    write(tmp_path / "diagnosis.json", made.model_copy(update={"trials": answered}))
    return content(read(tmp_path))


DONE = ("finished",) * 3


def test_trials_that_ended_with_trouble_are_no_success(tmp_path) -> None:
    found = expected(tmp_path, DONE, "found").predicted
    assert found.arms[0].outcome == "ended, with trouble"
    assert "None was given up, but 3 of 3 trials had trouble: see what went wrong." in found.says
    assert "No trial failed." not in found.says


def test_who_could_look_at_nothing_has_found_nothing_out(tmp_path) -> None:
    report = expected(tmp_path, DONE, "cannot be told")
    assert "could not be told whether there was any of the troubles" in markdown(report)
    assert "could not tell whether 3 trials had any" in Page(render(read(tmp_path))).text
    assert report.predicted.arms[0].outcome == "no failure"


def test_a_crash_is_no_failure_that_could_have_been_foreseen(tmp_path) -> None:
    report = expected(tmp_path, ("finished", "crashed", "crashed"))
    assert report.predicted.arms[0].crashed
    assert any("crashed: that is a fault of a program" in each for each in report.predicted.says)
    assert "(not foreseen)" not in markdown(report)


def test_a_report_on_points_speaks_of_points(tmp_path) -> None:
    planned = plan(["lsgan"])
    data = planned.data.model_copy(update={"where": "ring8", "name": "ring8", "size": 1})
    planned = planned.model_copy(update={"data": data})
    ended = results(planned, {"lsgan": (0.5, 0.6, 0.7)})
    run_folder(tmp_path, planned, ended, control=None)
    board = rank(planned, ended, score(0.03), None, {"mean": score(0.8)})
    text = Page(render(read(tmp_path, board))).text
    assert "real points shown to each critic" in text
    assert "the mean point" in text
    assert "KID" not in text
    assert not {"real images", "mean image", "images of ring8", "1 px"} & set(
        re.findall(r"real images|mean image|images of ring8|1 px", text.partition("Why these")[0])
    )
