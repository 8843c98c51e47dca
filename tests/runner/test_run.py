"""A whole run, as a user starts it, interrupts it and starts it again."""

import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from knowledge.schema import Optimizer
from runner.plan import Overrides
from runner.prepare import Request, RunError
from runner.run import run

SMALL = ("--size", "16", "--width", "4", "--batch-size", "16", "--looks", "2", "--workers", "2")
TWO = ("--only", "lsgan", "--only", "baseline")


def command(advice_file, pictures, out, *more, budget="512", seeds="1"):
    settings = ("--data", str(pictures), "--budget", budget, "--seeds", seeds, "-o", str(out))
    words = ["run", str(advice_file), *settings, *SMALL, *more]
    return [sys.executable, "-m", "runner.cli", *words]


def done(*words, **more):
    return subprocess.run(*words, capture_output=True, text=True, check=False, **more)


def request_for(pictures, **more):
    overrides = Overrides(width=4, batch_size=16, only=("lsgan", "baseline"))
    settings = {"size": 16, "budget": 512, "seeds": 1, "looks": 2, "overrides": overrides}
    return Request(data=str(pictures), **(settings | more))


def generators(out):
    return {
        path.parent.name: path.read_bytes() for path in out.glob("trials/*/generator.safetensors")
    }


@pytest.fixture(scope="module")
def finished(advice_file, pictures, tmp_path_factory):
    """An uninterrupted run of two arms and two seeds."""
    out = tmp_path_factory.mktemp("finished") / "run"
    ended = done(command(advice_file, pictures, out, *TWO, seeds="2"))
    assert ended.returncode == 0, ended.stderr
    return out, ended


def test_a_run_leaves_ranking_samples_and_report(finished):
    out, ended = finished
    board = json.loads((out / "leaderboard.json").read_text())
    assert {each["arm"] for each in board["standings"]} == {"lsgan", "baseline"}
    assert all(each["finished"] == 2 for each in board["standings"])
    assert board["metric"] == "fd-efficientnet-lite0@64-24"
    assert board["floor"]["value"] > 0
    assert board["verdict"]["kind"] == "preview"  # two seeds name no winner
    assert board["cautions"]  # 24 images are few for 1280 features
    for name in ("report.html", "samples.png", "real.png", "plan.json", "recommendation.json"):
        assert (out / name).stat().st_size > 0
    assert "LSGAN" in ended.stdout
    assert "report.html" in ended.stderr


def test_every_trial_saw_the_same_number_of_images_and_ended_with_two_looks(finished):
    out, _ = finished
    results = [json.loads(path.read_text()) for path in out.glob("trials/*/result.json")]
    assert [each["images_seen"] for each in results] == [512] * 4
    assert [len(each["looks"]) for each in results] == [2] * 4
    for folder in (out / "trials").iterdir():
        grids = sorted(path.name for path in (folder / "grids").iterdir())
        assert grids == ["000000000256.webp", "000000000512.webp"]


def test_a_run_leaves_what_its_samples_repeat_and_what_lies_between_them(finished):
    out, ended = finished
    about = json.loads((out / "nearest.json").read_text())
    assert about["trial"] == f"{about['arm']}-seed0"
    assert about["count"] == 24
    assert len(about["pairs"]) == 8
    for name in ("nearest.webp", "interpolation.webp"):
        assert (out / name).stat().st_size > 0
    assert "caution: no picture" not in ended.stderr


def steps_in(out):
    """Of every trial and tag, in the order that they were written in."""
    events = pytest.importorskip("runner.logs.tensorboard").events
    found = {}
    for path in sorted(out.glob("tensorboard/*/events*")):
        for event in events(path):
            for value in event.summary.value:
                found.setdefault((path.parent.name, value.tag), []).append(event.step)
    return found


def test_event_files_are_written_while_it_trains(finished):
    out, _ = finished
    found = steps_in(out)
    results = {
        path.parent.name: json.loads(path.read_text()) for path in out.glob("trials/*/result.json")
    }
    assert {trial for trial, _ in found} == set(results)
    for trial, result in results.items():
        assert found[trial, "look/distance"] == found[trial, "samples"] == [256, 512]
        assert found[trial, "loss/critic"] == [at for at, _ in result["losses"]]
        assert found[trial, "score/distance"] == [512]


def test_the_same_command_again_trains_nothing_and_ranks_the_same(finished, advice_file, pictures):
    out, _ = finished
    before = (out / "leaderboard.json").read_bytes()
    times = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/result.json")}
    again = done(command(advice_file, pictures, out, *TWO, seeds="2"))
    assert again.returncode == 0, again.stderr
    assert (out / "leaderboard.json").read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in out.glob("trials/*/result.json")} == times


def test_changed_settings_are_refused_with_the_difference(finished, advice_file, pictures):
    out, _ = finished
    changed = done(command(advice_file, pictures, out, *TWO, budget="1k", seeds="2"))
    assert changed.returncode == 2
    says = " ".join(changed.stderr.split())
    assert "holds another run: the budget was 512 images, now 1,000 images. Give these" in says
    assert "gan-runner continue trains its first arm further" in says
    assert not set("{}[]=") & set(says)


def test_the_report_can_be_written_again(finished):
    out, _ = finished
    (out / "report.html").unlink()
    again = done([sys.executable, "-m", "runner.cli", "report", str(out)])
    assert again.returncode == 0, again.stderr
    assert (out / "report.html").exists()


def test_a_run_of_another_version_is_told(finished, tmp_path):
    out, _ = finished
    other = tmp_path / "run"
    shutil.copytree(out, other)
    advice = json.loads((other / "recommendation.json").read_text())
    (other / "recommendation.json").write_text(json.dumps({**advice, "mood": "good"}))
    ended = done([sys.executable, "-m", "runner.cli", "report", str(other)])
    assert ended.returncode == 2
    assert "is not of this version (mood" in ended.stderr


def start_and_wait(words, for_file):
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not for_file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_killed_and_resumed_equals_uninterrupted(finished, advice_file, pictures, tmp_path):
    reference, _ = finished
    words = command(advice_file, pictures, tmp_path / "run", *TWO, seeds="2")
    process = start_and_wait(words, tmp_path / "run/trials/lsgan-seed0/looks.json")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "run/leaderboard.json").exists()
    resumed = done(words)
    assert resumed.returncode == 0, resumed.stderr
    assert generators(tmp_path / "run") == generators(reference)
    assert steps_in(tmp_path / "run") == steps_in(reference)
    boards = [
        json.loads((out / "leaderboard.json").read_text()) for out in (reference, tmp_path / "run")
    ]
    old, new = ([s["scores"] for s in board["standings"]] for board in boards)
    assert old == new


def test_ctrl_c_says_how_to_go_on_and_leaves_no_process(advice_file, pictures, tmp_path):
    words = command(advice_file, pictures, tmp_path / "run", *TWO, budget="500k")
    process = start_and_wait(words, tmp_path / "run/run.json")
    time.sleep(8)  # into the training
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command to go on" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 20
    while alive := group(process.pid):
        assert time.monotonic() < deadline, alive
        time.sleep(0.2)


def group(leader):
    """The processes of a session that still run."""
    listed = done(["ps", "-eo", "pid,sid,stat,args"]).stdout.splitlines()[1:]
    rows = (line.split(None, 3) for line in listed)
    return [row for row in rows if row[1] == str(leader) and not row[2].startswith("Z")]


def test_a_full_disk_is_told_in_one_sentence(advice_file, pictures, tmp_path):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    probe = [sys.executable, "-m", "runner.cli", "probe", str(pictures), "--size", "16"]
    assert done(probe).returncode == 0  # so that the decoded images are kept already
    words = command(advice_file, pictures, tmp_path / "run", *TWO)
    ended = done(words, preexec_fn=little_room)
    assert ended.returncode == 1
    assert "run the same command to go on" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("run/trials/*/result.json"))
    assert not list(tmp_path.rglob("*.part*"))
    assert done(words).returncode == 0


def test_a_diverged_trial_is_a_result_and_the_others_go_on(advice, pictures, tmp_path):
    wild = [
        arm.model_copy(
            update={"recipe": arm.recipe.model_copy(update={"optimizer": Optimizer(rate=1e30)})}
        )
        if arm.id == "lsgan"
        else arm
        for arm in advice.candidates
    ]
    wild_advice = advice.model_copy(update={"candidates": tuple(wild)})
    board = run(wild_advice, request_for(pictures), tmp_path / "run", workers=2)
    by_arm = {each.arm: each for each in board.standings}
    assert by_arm["baseline"].finished == 1
    assert by_arm["lsgan"].finished == 0
    assert "not finite" in by_arm["lsgan"].failures[0]


@pytest.mark.parametrize(("kills", "status"), [(1, "finished"), (2, "crashed")])
def test_a_killed_worker_is_tried_once_more_then_recorded(
    advice, pictures, tmp_path, kills, status
):
    killed = []

    def kill(event):
        if event.trial != "lsgan-seed0":
            return
        for process in multiprocessing.active_children():
            if process.name == event.trial and process.pid not in killed and len(killed) < kills:
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

    run(advice, request_for(pictures), tmp_path / "run", workers=2, on_event=kill)
    result = json.loads((tmp_path / "run/trials/lsgan-seed0/result.json").read_text())
    assert result["status"] == status
    assert len(killed) == kills
    other = json.loads((tmp_path / "run/trials/baseline-seed0/result.json").read_text())
    assert other["status"] == "finished"


def test_two_runs_in_one_folder_are_refused(advice, pictures, tmp_path):
    from runner.run import alone_in

    (tmp_path / "run").mkdir()
    with alone_in(tmp_path / "run"), pytest.raises(RunError, match="another run is at work"):
        run(advice, request_for(pictures), tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--data": "fashion-mist"}, "did you mean fashion-mnist"),
        ({"--only": "lsgam"}, "did you mean 'lsgan'"),
        ({"--budget": "many"}, "no number of images"),
        ({"--budget": "2"}, "2 images are less than one batch of 16; did you mean 2M or 2h?"),
        ({"--channels": "5"}, "less than or equal to 4"),
        ({"--features": "inceptoin"}, "did you mean inception"),
        ({"--device": "cude"}, "did you mean 'cuda'"),
        ({"--precision": "float8"}, "choose auto, float32, bfloat16 or float16"),
        ({"--size": "20", "--only": "lsgan"}, "none of the candidates can be trained"),
    ],
)
def test_bad_input_is_told_before_anything_is_written(
    advice_file, pictures, tmp_path, change, says
):
    words = command(advice_file, pictures, tmp_path / "run")
    for option, value in change.items():
        words += [option, value]
    ended = done(words)
    assert ended.returncode == 2, ended.stderr
    assert says in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("{}", "is no recommendation"), ("not json", "is no recommendation")],
)
def test_a_file_that_is_no_recommendation_is_told(pictures, tmp_path, content, says):
    path = tmp_path / "advice.json"
    if content is not None:
        path.write_text(content)
    ended = done(command(path, pictures, tmp_path / "run"))
    assert ended.returncode == 2
    assert says in ended.stderr


WITHOUT_TORCH = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "numpy"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from runner.cli import main
main()
"""


def test_without_the_extra_the_runner_says_what_to_install(pictures):
    ended = done([sys.executable, "-c", WITHOUT_TORCH, "probe", str(pictures)])
    assert ended.returncode == 2
    assert "pip install 'gan-advisor[runner]'" in ended.stderr
    assert "Traceback" not in ended.stderr
