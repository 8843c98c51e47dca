"""Whatever is killed, torn or mixed up: a run goes on to the end that it would have had, or says why.

What a leaderboard says of times is left out of every comparison: no two runs take equally long.
"""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runner.execute import Stopped, execute
from runner.plan import Overrides, RunPlan
from runner.prepare import Request, RunError
from runner.race import Race
from runner.run import run

ARMS = ("lsgan", "rsgan", "ralsgan", "sn-gan", "baseline")
TIMES = {"seconds", "images_per_second", "measuring_seconds"}


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def outcome(out):
    """All that must be the same: ranking, results and looks but for times, weights and grids."""
    files = {
        path.relative_to(out): without_times(json.loads(path.read_text()))
        for path in (out / "leaderboard.json", *out.glob("trials/*/*.json"))
    }
    weights = {
        path.relative_to(out): path.read_bytes()
        for path in (*out.glob("trials/*/generator.safetensors"), *out.glob("trials/*/grids/*"))
    }
    assert {path.suffix for path in weights} == {".safetensors", ".webp"}
    return files | weights


def leftovers(out):
    return [path.name for path in out.rglob("*") if ".part" in path.name]


# The whole program, killed at any moment ---------------------------------------------------------


def command(advice_file, out, *settings):
    arms = [word for arm in ARMS for word in ("--only", arm)]
    return [
        sys.executable, "-m", "runner.cli", "run", str(advice_file), *settings, *arms,
        "--looks", "4", "--workers", "2", "-o", str(out),
    ]  # fmt: skip


def started(words):
    return subprocess.Popen(
        words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def uninterrupted(words, out):
    """How long it took until trials began, and in all."""
    begun = time.monotonic()
    process = started(words)
    while not (out / "trials").exists() and process.poll() is None:
        time.sleep(0.01)
    until_trials = time.monotonic() - begun
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert len(json.loads((out / "plan.json").read_text())["rungs"]) > 1
    return until_trials, time.monotonic() - begun


def killed_after(words, seconds):
    """Whether it came to its end before."""
    process = started(words)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return False
    assert process.returncode == 0, said
    return True


def survives(kills, commanded, folder, *, seed):
    until_trials, in_all = uninterrupted(commanded(folder / "whole"), folder / "whole")
    expected = outcome(folder / "whole")
    moments = random.Random(seed)
    runs = 0
    while kills:
        out = folder / f"run{runs}"
        ended = False
        while kills and not ended:
            # Some while it starts, most while it trains, measures, promotes and ranks.
            moment = moments.uniform(until_trials / 3, until_trials + (in_all - until_trials) / 4)
            ended = killed_after(commanded(out), moment)
            kills -= not ended
        if not ended:
            uninterrupted(commanded(out), out)
        assert outcome(out) == expected
        assert not leftovers(out)
        runs += 1


def test_three_kills_at_random_moments_change_nothing(advice_file, tmp_path):
    points = ("--data", "ring8", "--backbone", "mlp", "--width", "8", "--batch-size", "32")
    budget = ("--budget", "1k", "--seeds", "1", "--samples", "500")
    survives(3, lambda out: command(advice_file, out, *points, *budget), tmp_path, seed=0)


@pytest.mark.slow
def test_twenty_kills_at_random_moments_change_nothing(advice_file, tmp_path):
    """Of images, in a race that some arms leave."""
    data = flat_pictures(tmp_path / "pictures")
    images = ("--data", str(data), "--size", "16", "--width", "4", "--batch-size", "16")
    budget = ("--budget", "4k", "--seeds", "2")
    survives(20, lambda out: command(advice_file, out, *images, *budget), tmp_path, seed=1)
    assert any(each["left"] for each in board_of(tmp_path / "whole")["standings"])


def flat_pictures(folder):
    """Of one colour each: what hardly begun generators make is nearer to them than noise is."""
    colours = np.random.default_rng(0).integers(60, 200, (240, 3), np.uint8)
    folder.mkdir()
    for number, colour in enumerate(colours):
        Image.new("RGB", (16, 16), tuple(colour.tolist())).save(folder / f"{number}.png")
    return folder


def board_of(out):
    return json.loads((out / "leaderboard.json").read_text())


# Parts of it -------------------------------------------------------------------------------------


def request(**more):
    overrides = Overrides(backbone="mlp", width=8, batch_size=32, only=ARMS)
    settings = {"budget": 1024, "seeds": 2, "looks": 4, "samples": 500, "look_samples": 200}
    return Request(data="ring8", overrides=overrides, **(settings | more))


@pytest.fixture(autouse=True, scope="module")
def racing():
    """Points that are hardly learnt are ranked all the same: so arms leave."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runner.race.LEARNT", 1e9)
        yield


@pytest.fixture(scope="module")
def whole(advice, racing, tmp_path_factory):
    """A run of points that nothing has disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    run(advice, request(), out, workers=2)
    return out


@pytest.fixture
def again(advice, whole, tmp_path):
    """A copy of it, and what starts it again."""
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    said = []
    return out, said, lambda: run(
        advice, request(), out, workers=2,
        on_event=lambda event: event.says and said.append(f"{event.trial}: {event.says}"),
    )  # fmt: skip


def trial_folders(out):
    """One that got to the end, and one that left the race on the way."""
    ends = {}
    for path in sorted(out.glob("trials/*/result.json")):
        ends.setdefault(json.loads(path.read_text())["status"], path.parent)
    return ends["finished"], ends["paused"]


def workers_of(trial):
    return [each for each in multiprocessing.active_children() if each.name == trial]


def test_a_killed_worker_changes_nothing(advice, whole, tmp_path):
    killed, said = [], []

    def kill(event):
        said.append(event.says)
        if event.trial not in killed and event.look is not None:
            for process in workers_of(event.trial):
                killed.append(event.trial)
                os.kill(process.pid, signal.SIGKILL)

    run(advice, request(), tmp_path / "run", workers=2, on_event=kill)
    assert len(killed) == len(list(whole.glob("trials/*")))
    assert "its process was killed by SIGKILL; it is tried once more, from its last checkpoint" in (
        said
    )
    assert outcome(tmp_path / "run") == outcome(whole)


def test_a_trial_that_hangs_is_tried_once_more_then_recorded_and_the_others_go_on(
    advice, whole, tmp_path
):
    out, stopped = tmp_path / "run", []

    def stop(event):
        """A stopped process says as little as one that hangs."""
        for process in workers_of("rsgan-seed0"):
            if event.trial == "rsgan-seed0" and process.pid not in stopped:
                stopped.append(process.pid)
                os.kill(process.pid, signal.SIGSTOP)

    engine = partial(execute, workers=2, threads=1, on_event=stop, patience=4.0)
    board = run(advice, request(), out, workers=2, engine=engine)
    assert len(stopped) == 2
    result = json.loads((out / "trials/rsgan-seed0/result.json").read_text())
    assert (result["status"], result["why"]) == ("crashed", "its process hung, twice")
    assert board.complete
    others = (path for path in outcome(whole) if path.parts[1:2] == ("lsgan-seed0",))
    assert all(outcome(out)[path] == outcome(whole)[path] for path in others)


def test_workers_end_when_their_supervisor_is_killed(advice_file, tmp_path):
    """Or whoever starts the run again would find them writing into its folder."""
    words = [sys.executable, "-m", "runner.cli", "run", str(advice_file), "--data", "ring8",
             "--backbone", "mlp", "--budget", "100M", "--seeds", "1", "--only", "baseline",
             "--workers", "1", "-o", str(tmp_path / "run")]  # fmt: skip
    process = started(words)
    while not (tmp_path / "run/trials").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(1)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while alive := session(process.pid):
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


def session(leader):
    """Processes of a session that still run."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,sid,stat,args"], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines()[1:])
    return [row for row in rows if row[1] == str(leader) and not row[2].startswith("Z")]


# Files -------------------------------------------------------------------------------------------


def tear(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("which", [0, 1], ids=["finished", "left the race"])
@pytest.mark.parametrize("damage", [tear, empty])
def test_a_damaged_result_is_worked_out_again(which, damage, again, whole):
    out, _, go_on = again
    results = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/result.json")}
    damaged = trial_folders(out)[which] / "result.json"
    damage(damaged)
    go_on()
    assert outcome(out) == outcome(whole)
    changed = [path for path, then in results.items() if path.stat().st_mtime_ns != then]
    assert changed == [damaged]


@pytest.mark.parametrize("damage", [tear, empty, Path.unlink])
def test_damaged_looks_of_a_trial_on_its_way_are_taken_again_from_the_start(damage, again, whole):
    """Of a checkpoint that has gone on, earlier looks would show later weights."""
    out, said, go_on = again
    folder = trial_folders(out)[0]
    (folder / "result.json").unlink()
    damage(folder / "looks.json")
    go_on()
    assert outcome(out) == outcome(whole)
    assert said == [f"{folder.name}: its looks were lost, so it is trained from the start again"]


@pytest.mark.parametrize("damage", [tear, flip, empty])
def test_a_damaged_checkpoint_is_told_and_the_trial_still_ends_the_same(damage, again, whole):
    out, said, go_on = again
    folder = trial_folders(out)[0]
    (folder / "result.json").unlink()
    damage(folder / "checkpoint.pt")
    go_on()
    assert outcome(out) == outcome(whole)
    assert len(said) == 1
    assert f"{folder / 'checkpoint.pt'} is damaged" in said[0]


@pytest.mark.parametrize("name", ["result.json", "looks.json", "checkpoint.pt"])
def test_a_file_of_another_trial_is_refused_by_name_and_left_alone(name, again):
    out, _, go_on = again
    mine, other = trial_folders(out)
    if name != "result.json":
        (mine / "result.json").unlink()
    shutil.copy(other / name, mine / name)
    before = (mine / name).read_bytes()
    with pytest.raises(Stopped, match=rf"{mine.name}/{name} is of another") as refused:
        go_on()
    assert "\n" not in str(refused.value)
    assert (mine / name).read_bytes() == before


def test_a_result_of_another_program_is_refused_by_name(again):
    out, _, go_on = again
    path = trial_folders(out)[0] / "result.json"
    path.write_text('{"accuracy": 0.9}')
    with pytest.raises(Stopped, match=r"result\.json is of another version, or of another program"):
        go_on()
    assert path.read_text() == '{"accuracy": 0.9}'


@pytest.mark.parametrize("name", ["plan.json", "calibration.json", "recommendation.json"])
@pytest.mark.parametrize("damage", [tear, empty])
def test_a_damaged_file_of_the_run_is_refused_by_name(name, damage, again):
    out, _, go_on = again
    damage(out / name)
    with pytest.raises(RunError, match=name) as refused:
        go_on()
    assert "\n" not in str(refused.value)


def test_what_a_killed_process_had_not_finished_writing_is_taken_away(again, whole):
    out, _, go_on = again
    folder = trial_folders(out)[0]
    (folder / "result.json").unlink()
    for litter in (out / ".plan.json.x1.part", folder / ".looks.json.x2.part",
                   folder / "checkpoint.pt.partial"):  # fmt: skip
        litter.write_bytes(b"half of it")
    go_on()
    assert not leftovers(out)
    assert outcome(out) == outcome(whole)


# A race that is taken up again -------------------------------------------------------------------


def test_a_trial_at_the_end_of_its_budget_without_a_score_has_not_passed_the_last_rung(whole):
    """Its result was lost, and the first rung made another one of the checkpoint at the end."""
    from tests.runner.runs import finished, plan

    race_plan = plan(["a", "b"], seeds=1)
    ended = [finished(trial, 5.0) for trial in race_plan.trials]
    paused = ended[0].model_copy(update={"status": "paused", "score": None})
    assert not Race(race_plan, [paused, ended[1]]).over
    assert [task.trial for task in Race(race_plan, [paused, ended[1]]).tasks(0)] == ["a-seed0"]
    assert RunPlan.model_validate_json((whole / "plan.json").read_bytes()).rungs[1:]
