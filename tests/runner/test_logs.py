"""TensorBoard's files and MLflow's runs, as those read them who show them."""

import json
import time
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from runner import logs as module
from runner.execute import folder_of
from runner.kept import Looks, grid_of
from runner.logs import Logs, chosen_logs, logging
from runner.pictures import small_picture
from runner.prepare import RunError
from runner.rounds import Look as Point
from runner.trial import Event
from tests.runner import runs

needs_writer = pytest.mark.skipif(not find_spec("tensorboardX"), reason="needs tensorboardX")
needs_mlflow = pytest.mark.skipif(not find_spec("mlflow"), reason="needs mlflow-skinny")
PLAN = runs.plan(["sn-gan", "baseline"], seeds=1)
FIRST, SECOND = PLAN.trials


def points(*at):
    return tuple(Point(n, {"critic": n / 7, "generator": 1.0}, {"told-apart": 0.5}) for n in at)


def looked(folder, trial, *at):
    """As a trial leaves its looks."""
    own = folder_of(folder, trial)
    grid_of(own, 0).parent.mkdir(parents=True, exist_ok=True)
    found = tuple(runs.Look(images_seen=n, seconds=1.0, value=1e6 / n, coverage=0.25) for n in at)
    for look in found:
        picture = np.full((64, 1, 32, 32), look.images_seen % 256, np.uint8)
        grid_of(own, look.images_seen).write_bytes(small_picture(picture))
    (own / "looks.json").write_text(Looks(trial=trial, looks=found).model_dump_json())
    return found


def result_of(folder, trial, *, status="finished", at=(100, 200, 300), looks=(150, 300)):
    found = looked(folder, trial, *looks)
    curve = points(*at)
    result = runs.finished(trial, 12.0, secondary={"coverage": 0.5}).model_copy(
        update={
            "status": status,
            "looks": found,
            "images_seen": at[-1],
            "losses": tuple((p.images_seen, p.losses) for p in curve),
            "signs": tuple((p.images_seen, p.signs) for p in curve),
            **({} if status == "finished" else {"score": None, "why": "no reason"}),
        }
    )
    runs.write(folder_of(folder, trial) / "result.json", result)
    return result


class Kept:
    """Whatever it is given."""

    name = "a list"

    def __init__(self, fails=False):
        self.did, self.fails = [], fails

    def begin(self, plan):
        self.did.append("begin")

    def write(self, entry):
        if self.fails:
            raise RuntimeError("the server is gone\nand more")
        self.did.append(entry)

    def conclude(self, board):
        self.did.append("conclude")

    def close(self):
        self.did.append("close")


# What is told to logs ----------------------------------------------------------------------------


def test_a_log_hears_of_curves_looks_and_ends_in_their_order(tmp_path):
    log = Kept()
    with logging(tmp_path, PLAN, [log], pytest.fail) as written:
        written.heard(Event(FIRST.id, "training", 100, 5.0, points=points(50, 100)))
        written.heard(Event(FIRST.id, "training", 110, 5.0))  # nothing to write
        looked(tmp_path, FIRST, 150)
        written.heard(Event(FIRST.id, "looking", 160, look=9.0))
        result_of(tmp_path, FIRST)
        written.ended(PLAN.trials)
        written.concluded(None)
    begin, curve, look, end, conclude, close = log.did
    assert (begin, conclude, close) == ("begin", "conclude", "close")
    assert [p.images_seen for p in curve.curve] == [50, 100]
    assert curve.curve[0].values == {
        "loss/critic": 50 / 7, "loss/generator": 1.0, "health/told-apart": 0.5
    }  # fmt: skip
    (at,) = look.looks
    assert at.values == {"look/distance": 1e6 / 150, "look/coverage": 0.25}
    assert at.grid == grid_of(folder_of(tmp_path, FIRST), 150)
    assert [p.images_seen for p in end.curve] == [100, 200, 300]
    assert end.score.values == {"score/distance": 12.0, "score/coverage": 0.5}


def test_a_log_that_fails_is_told_once_and_stops_neither_the_run_nor_other_logs(tmp_path):
    bad, good, told = Kept(fails=True), Kept(), []
    with logging(tmp_path, PLAN, [bad, good], told.append) as written:
        for at in (50, 100):
            written.heard(Event(FIRST.id, "training", at, points=points(at)))
    assert told == ["caution: nothing more goes to a list: the server is gone"]
    assert bad.did == ["begin"]
    assert len(good.did) == 4


def test_a_slow_log_holds_nobody_up(tmp_path, monkeypatch):
    class Slow(Kept):
        def begin(self, plan):
            time.sleep(30)

    monkeypatch.setattr(module, "PATIENCE", 0.1)
    told, begun = [], time.monotonic()
    with logging(tmp_path, PLAN, [Slow()], told.append) as written:
        written.heard(Event(FIRST.id, "training", 50, points=points(50)))
    assert time.monotonic() - begun < 10
    assert told == ["caution: a list did not take everything within 0 s"]


def test_an_interrupted_run_closes_its_logs(tmp_path):
    log = Kept()
    with pytest.raises(KeyboardInterrupt), logging(tmp_path, PLAN, [log], pytest.fail):
        raise KeyboardInterrupt
    assert log.did == ["begin", "close"]


def test_without_logs_no_file_is_read(tmp_path):
    quiet = Logs(tmp_path, PLAN, [])
    quiet.heard(Event("nobody", "looking", 1, look=2.0))
    quiet.ended(PLAN.trials)


@pytest.mark.parametrize(
    ("asked", "extra"), [({"tensorboard": True}, "tensorboard"), ({"mlflow": "x"}, "mlflow")]
)
def test_what_is_asked_for_and_not_installed_is_told_with_its_extra(
    asked, extra, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert chosen_logs(tmp_path, tensorboard=None, mlflow=None) == []
    with pytest.raises(RunError, match=rf"pip install 'gan-advisor\[{extra}\]'"):
        chosen_logs(tmp_path, **({"tensorboard": False, "mlflow": None} | asked))


# TensorBoard -------------------------------------------------------------------------------------


def session(folder, *, trial=FIRST, at=(), looks=(), ends=None):
    """What somebody who goes on with a run tells."""
    told = []  # by a thread, so that it cannot fail there
    logs = chosen_logs(folder, tensorboard=True, mlflow=None)
    with logging(folder, PLAN, logs, told.append) as to:
        to.ended(PLAN.trials)
        to.heard(Event(trial.id, "training", 0, points=points(*at)))
        if looks:
            looked(folder, trial, *looks)
            to.heard(Event(trial.id, "looking", looks[-1], look=1.0))
        if ends is not None:
            result_of(folder, trial, **ends)
            to.ended([trial])
    assert told == []


def scalars(folder, trial=FIRST):
    """tag -> steps, in the order of the files."""
    from runner.logs.tensorboard import events

    found = {}
    for path in sorted((folder / "tensorboard" / trial.id).iterdir()):
        for event in events(path):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


@needs_writer
def test_event_files_hold_every_point_once(tmp_path):
    session(tmp_path, at=(100, 200), looks=(150,), ends={})
    found = scalars(tmp_path)
    for tag in ("loss/critic", "loss/generator", "health/told-apart"):
        assert found[tag] == [100, 200, 300]
    assert found["look/distance"] == found["samples"] == [150, 300]
    assert found["score/distance"] == [300]


@needs_writer
def test_going_on_writes_nothing_twice(tmp_path):
    """Whoever goes on tells everything since the checkpoint, and perhaps since the beginning."""
    session(tmp_path, at=(100, 200), looks=(150,))
    session(tmp_path, at=(100, 200, 300), looks=(150, 300))
    session(tmp_path, ends={"at": (100, 200, 300, 400), "looks": (150, 300, 400)})
    session(tmp_path)
    found = scalars(tmp_path)
    assert found["loss/critic"] == [100, 200, 300, 400]
    assert found["look/distance"] == found["samples"] == [150, 300, 400]


@needs_writer
def test_an_event_that_was_not_written_to_its_end_is_written_again(tmp_path):
    session(tmp_path, at=(100, 200))
    (path,) = (tmp_path / "tensorboard" / FIRST.id).iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    session(tmp_path, at=(100, 200, 300))
    assert scalars(tmp_path)["loss/critic"] == [100, 200, 300]


@needs_writer
def test_trials_of_nodes_whose_words_were_lost_are_caught_up_from_their_results(tmp_path):
    session(tmp_path, trial=SECOND, ends={"status": "diverged", "looks": ()})
    assert scalars(tmp_path, SECOND) == {
        tag: [100, 200, 300] for tag in ("loss/critic", "loss/generator", "health/told-apart")
    }


@needs_writer
def test_the_samples_are_pictures_that_tensorboard_shows(tmp_path):
    from io import BytesIO

    from runner.logs.tensorboard import events

    session(tmp_path, looks=(150,))
    (path,) = (tmp_path / "tensorboard" / FIRST.id).iterdir()
    shown = [v for e in events(path) for v in e.summary.value if v.HasField("image")]
    (image,) = shown
    with Image.open(BytesIO(image.image.encoded_image_string)) as opened:
        assert opened.format == "JPEG"
        assert opened.size == (image.image.width, image.image.height) == (270, 270)
        assert abs(np.asarray(opened)[10, 10].mean() - 150) < 3


@needs_writer
@pytest.mark.skipif(not find_spec("tensorboard"), reason="needs tensorboard")
def test_tensorboard_reads_them(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    session(tmp_path, at=(100, 200), looks=(150,), ends={})
    read = EventAccumulator(str(tmp_path / "tensorboard" / FIRST.id)).Reload()
    assert [e.step for e in read.Scalars("loss/critic")] == [100, 200, 300]
    assert read.Scalars("look/distance")[0].value == pytest.approx(1e6 / 150)
    assert [e.step for e in read.Images("samples")] == [150, 300]


# MLflow ------------------------------------------------------------------------------------------


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """A store of files, which MLflow has to be allowed."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    uri = f"file://{tmp_path}/store"
    client = MlflowClient(tracking_uri=uri)
    client.uri = uri

    def all_runs():
        known = client.get_experiment_by_name("gan-advisor")
        return {run.info.run_name: run for run in client.search_runs([known.experiment_id])}

    client.all_runs = all_runs
    return client


def told_mlflow(folder, client, *, ends=(), at=(), concluded=False):
    told = []
    logs = chosen_logs(folder, tensorboard=False, mlflow=client.uri)
    with logging(folder, PLAN, logs, told.append) as to:
        to.ended(PLAN.trials)
        if at:
            looked(folder, FIRST, 150)
            to.heard(Event(FIRST.id, "training", 0, points=points(*at)))
            to.heard(Event(FIRST.id, "looking", 160, look=1.0))
        for trial, how in ends:
            result_of(folder, trial, **how)
            to.ended([trial])
        if concluded:
            ended = [runs.finished(trial, 12.0) for trial in PLAN.trials]
            runs.run_folder(folder, PLAN, [])
            to.concluded(runs.rank(PLAN, ended, None, None))
    assert told == []


@needs_mlflow
@pytest.mark.slow
def test_mlflow_has_a_run_with_a_nested_one_for_every_trial(tmp_path, mlflow):
    folder = tmp_path / "mine"
    folder.mkdir()
    ends = [(FIRST, {}), (SECOND, {"status": "diverged", "looks": ()})]
    told_mlflow(folder, mlflow, ends=ends, at=(100, 200), concluded=True)
    found = mlflow.all_runs()
    assert set(found) == {"mine", FIRST.id, SECOND.id}
    whole, first, second = (found[name] for name in ("mine", FIRST.id, SECOND.id))
    assert [run.info.status for run in (whole, first, second)] == ["FINISHED", "FINISHED", "FAILED"]
    assert first.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert first.data.params["backbone.name"] == "dcgan"
    assert first.data.params["loss.name"] == "non-saturating"
    assert (first.data.params["arm"], whole.data.params["seeds"]) == (FIRST.arm, "0")
    assert "diverged" in second.data.tags["why"]
    steps = [m.step for m in mlflow.get_metric_history(first.info.run_id, "look/distance")]
    assert steps == [150, 300]
    assert first.data.metrics["score/distance"] == 12.0
    grids = [file.path for file in mlflow.list_artifacts(first.info.run_id, "grids")]
    assert grids == ["grids/000000000150.webp", "grids/000000000300.webp"]
    artifacts = {file.path for file in mlflow.list_artifacts(whole.info.run_id)}
    assert {"leaderboard.json", "plan.json", "recommendation.json"} <= artifacts
    assert whole.data.tags["mlflow.note.content"]


@needs_mlflow
@pytest.mark.slow
def test_going_on_goes_on_with_the_same_runs_of_mlflow(tmp_path, mlflow):
    told_mlflow(tmp_path, mlflow, at=(100, 200))
    before = mlflow.all_runs()
    assert {run.info.status for run in before.values()} == {"KILLED"}
    told_mlflow(tmp_path, mlflow, at=(100, 200), ends=[(FIRST, {})])
    told_mlflow(tmp_path, mlflow, concluded=True)
    after = mlflow.all_runs()
    ids = {name: run.info.run_id for name, run in after.items()}
    assert ids == {name: run.info.run_id for name, run in before.items()}
    assert after[FIRST.id].info.status == "FINISHED"
    for name, steps in (("loss/critic", [100, 200, 300]), ("look/distance", [150, 300])):
        assert [m.step for m in mlflow.get_metric_history(ids[FIRST.id], name)] == steps
    assert json.loads((tmp_path / "mlflow.json").read_text())["trials"] == {FIRST.id: ids[FIRST.id]}


@needs_mlflow
@pytest.mark.slow
def test_a_server_that_cannot_be_reached_is_told_and_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    told = []
    logs = chosen_logs(tmp_path, tensorboard=False, mlflow="http://127.0.0.1:9")
    with logging(tmp_path, PLAN, logs, told.append) as to:
        to.heard(Event(FIRST.id, "training", 100, points=points(100)))
    (says,) = told
    assert says.startswith("caution: nothing more goes to MLflow: ")
