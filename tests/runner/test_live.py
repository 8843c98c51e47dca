"""A run that is watched and served while it goes on."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from rich.console import Console
from typer.testing import CliRunner

from runner.cli import app
from runner.live import Journal, state_of
from runner.plan import Rung
from runner.prepare import RunError
from runner.serve import server
from runner.trial import Event
from runner.views import standing_now
from tests.runner.runs import finished, plan, run_folder, score
from tests.runner.test_race import paused

RUNGS = (Rung(budget=200_000, seeds=1, keep=1), Rung(budget=2_000_000, seeds=1, keep=None))


@pytest.fixture
def folder(tmp_path):
    """A race of three arms in its second rung, one trial at work."""
    planned = plan(["a", "b", "baseline"], seeds=1)
    planned = planned.model_copy(update={"rungs": RUNGS, "control": "baseline"})
    a, b, control = planned.trials
    ended = [
        paused(a, 200_000, 20.0),
        paused(b, 200_000, 30.0),
        finished(control, 40.0).model_copy(update={"looks": paused(control, 200_000, 50.0).looks}),
    ]
    run = run_folder(tmp_path / "run", planned, ended, control="baseline", pictures=False)
    (run / "leaderboard.json").unlink()  # it is written at the end
    journal = Journal(run, lambda event: None)
    journal(Event(a.id, "training", 1_100_000, 450.0))
    return run


def printed(state):
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(standing_now(state))
    return console.export_text()


def test_the_state_says_who_trains_who_left_and_who_ended(folder):
    state = state_of(folder)
    rows = {row.trial.id: row for row in state.rows}
    assert rows["a-seed0"].state == "training"
    assert (rows["a-seed0"].images_seen, rows["a-seed0"].goal) == (1_100_000, 2_000_000)
    assert rows["b-seed0"].state == "left the race"
    assert rows["baseline-seed0"].state == "finished"
    assert state.at_work
    assert state.seconds_left == pytest.approx(900_000 / 450)


def test_it_is_told_in_words(folder):
    text = printed(state_of(folder))
    assert "rung 2 of 2, 1 trial to go, about 33 min 20 s left of this rung" in text
    assert "1.1M (55 %)" in text
    assert "last sign of life" in text


def test_a_run_that_fell_silent_is_not_said_to_go_on(folder):
    signs = json.loads((folder / "live.json").read_text())
    (folder / "live.json").write_text(json.dumps({**signs, "at": signs["at"] - 3600}))
    state = state_of(folder)
    assert not state.at_work
    assert "nobody may be at work any more" in printed(state)


@pytest.mark.parametrize("content", ["", "{", '{"at": "long ago"}'])
def test_torn_signs_of_life_are_none(folder, content):
    (folder / "live.json").write_text(content)
    state = state_of(folder)
    assert state.silence is None
    assert {row.state for row in state.rows} == {"waiting", "left the race", "finished"}


def test_no_run_is_told(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        state_of(tmp_path)
    told = CliRunner().invoke(app, ["watch", str(tmp_path)])
    assert told.exit_code == 2
    assert "holds no run" in told.stderr


def test_the_journal_passes_every_event_on_and_a_full_disk_does_not_stop_it(tmp_path, monkeypatch):
    heard = []
    journal = Journal(tmp_path, heard.append)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.live.write_whole", full)
    event = Event("a-seed0", "training", 5)
    journal(event)
    assert heard == [event]


def test_watching_where_there_is_no_terminal_prints_once(folder):
    told = CliRunner().invoke(app, ["watch", str(folder)])
    assert told.exit_code == 0
    assert "a-seed0" in told.stdout


# In a browser ------------------------------------------------------------------------------------


@contextmanager
def served(folder):
    made = server(folder)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}/"
    finally:
        made.shutdown()
        made.server_close()


def fetched(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return answer.read().decode(), answer.headers


def status(address, **headers):
    try:
        fetched(address, **headers)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_the_report_of_a_run_that_goes_on_is_served_and_nothing_is_written(folder):
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    with served(folder) as address:
        page, headers = fetched(address)
        state = json.loads(fetched(address + "state.json")[0])
    assert "Nothing to rank" in page or "preview" in page.lower()
    assert "location.reload" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert {each["state"] for each in state["trials"]} == {"training", "left the race", "finished"}
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before


def test_the_version_changes_with_the_page_and_only_then(folder):
    with served(folder) as address:
        one = json.loads(fetched(address + "state.json")[0])["version"]
        journal = Journal(folder, lambda event: None)
        journal(Event("a-seed0", "training", 1_200_000, 450.0))
        assert json.loads(fetched(address + "state.json")[0])["version"] == one
        plan_ = state_of(folder).plan
        where = folder / "trials" / "a-seed0" / "result.json"
        where.write_text(finished(plan_.trials[0], 9.0).model_dump_json())
        assert json.loads(fetched(address + "state.json")[0])["version"] != one


@pytest.mark.parametrize(
    "path",
    ["../secret.json", "%2e%2e/secret.json", "trials/../../secret.json", "plan.txt", "link.json"],
)
def test_paths_cannot_leave_the_folder(folder, path):
    (folder.parent / "secret.json").write_text("{}")
    (folder / "link.json").symlink_to(folder.parent / "secret.json")
    with served(folder) as address:
        assert status(address + path) == 404
        assert status(address + "plan.json") == 200


def test_another_sites_name_for_this_machine_is_refused(folder):
    with served(folder) as address:
        assert status(address, Host="evil.example") == 403
        assert status(address, Host="localhost:80") == 200


def test_a_damaged_run_is_told_and_the_server_lives_on(folder):
    with served(folder) as address:
        (folder / "recommendation.json").write_text("{")
        assert status(address) == 409
        (folder / "plan.json").write_text("{")
        assert status(address + "state.json") == 409
        assert status(address + "nothing.png") == 404


def test_scores_of_unlike_protocol_in_one_folder_are_told(folder):
    planned = state_of(folder).plan
    for trial, reference in zip(planned.trials[:2], ("cafe", "other"), strict=True):
        result = finished(trial, 9.0).model_copy(update={"score": score(9.0, reference=reference)})
        (folder / "trials" / trial.id / "result.json").write_text(result.model_dump_json())
    with served(folder) as address:
        assert status(address) == 409
