"""Training an arm further is what a larger budget from the start would have been, and says so."""

import json
from functools import partial

import pytest
from typer.testing import CliRunner

from advisor.recommendation import Recommendation
from runner import checkpoint
from runner.calibrate import Calibration
from runner.cli import app
from runner.plan import Overrides
from runner.prepare import Request, RunError
from runner.results import TrialResult
from runner.run import run
from runner.take import TakeError, further, go_on
from runner.trial import run_trial
from tests.runner import runs
from tests.runner.small import recipe


def here(folder, tasks):
    """In this process, without any start-up."""
    plan = json.loads((folder / "plan.json").read_text())
    plan = runs.RunPlan.model_validate(plan)
    trials = {trial.id: trial for trial in plan.trials}
    for task in tasks:
        where = folder / "trials" / task.trial
        run_trial(trials[task.trial], plan, where, lambda event: None, budget=task.budget)


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path_factory):
    """Nothing is tried out, and what is measured once a machine is not kept."""
    room = Calibration(workers=1, threads=1)
    monkeypatch.setattr("runner.settle.calibrate", lambda *args, **more: room)
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def trained(folder, budget, advice, *, seeds=1, arms=("lsgan", "baseline"), **others):
    request = Request(
        data="ring8",
        budget=budget,
        seeds=seeds,
        samples=100,
        looks=2,
        overrides=Overrides(backbone="mlp", width=8, batch_size=16, only=arms),
        **others,
    )
    run(advice, request, folder, workers=1, engine=here)
    return folder


def result_of(run, trial):
    return TrialResult.model_validate_json((run / "trials" / trial / "result.json").read_bytes())


def weights(run, trial):
    return (run / "trials" / trial / "generator.safetensors").read_bytes()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def short(advice, tmp_path_factory):
    folder = tmp_path_factory.mktemp("further") / "short"
    with pytest.MonkeyPatch.context() as patched:
        room = Calibration(workers=1, threads=1)
        patched.setattr("runner.settle.calibrate", lambda *args, **more: room)
        patched.setenv("GAN_ADVISOR_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return trained(folder, 160, advice, seeds=2)


def test_going_on_gives_the_networks_of_the_whole_budget_at_once(short, advice, tmp_path):
    at_once = trained(tmp_path / "long", 400, advice, arms=("lsgan",), seeds=2)
    before = contents(short)
    wanted = further(short, 400, "lsgan")
    board = go_on(wanted, tmp_path / "new", engine=here)
    for trial in ("lsgan-seed0", "lsgan-seed1"):
        assert weights(tmp_path / "new", trial) == weights(at_once, trial)
        assert result_of(tmp_path / "new", trial).score == result_of(at_once, trial).score
    assert contents(short) == before  # the run stays as it is
    assert board.cautions[0].startswith("No fair comparison: the run short")
    assert "from 160 to 400 images" in board.cautions[0]
    assert "over the same seeds was" in board.cautions[0]
    assert board.verdict.kind == "preview"
    assert "No fair comparison" in (tmp_path / "new" / "report.html").read_text()


def test_the_looks_of_before_stay_in_the_curve(short, tmp_path):
    go_on(further(short, 400, "lsgan"), tmp_path / "new", engine=here)
    looks = result_of(tmp_path / "new", "lsgan-seed0").looks
    assert [look.images_seen for look in looks] == [80, 160, 200, 400]
    assert looks[:2] == result_of(short, "lsgan-seed0").looks


def test_the_first_arm_goes_on_unless_another_is_named(short):
    first = json.loads((short / "leaderboard.json").read_text())["standings"][0]["arm"]
    wanted = further(short, 400)
    assert wanted.plan.arms == (first,)
    assert wanted.folder == short.with_name(f"short-{first}-400")
    with pytest.raises(TakeError, match="did you mean 'lsgan'"):
        further(short, 400, "lsgam")


def test_the_same_call_again_trains_nothing(short, tmp_path):
    wanted = further(short, 400, "lsgan")
    go_on(wanted, tmp_path / "new", engine=here)
    before = result_of(tmp_path / "new", "lsgan-seed0")

    def nobody(folder, tasks):
        raise AssertionError(tasks)

    go_on(wanted, tmp_path / "new", engine=nobody)
    assert result_of(tmp_path / "new", "lsgan-seed0") == before


def test_an_interrupted_call_goes_on(short, tmp_path):
    wanted = further(short, 400, "lsgan")

    def one(folder, tasks):
        here(folder, tasks[:1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_on(wanted, tmp_path / "new", engine=one)
    go_on(wanted, tmp_path / "new", engine=here)
    go_on(wanted, tmp_path / "other", engine=here)
    for trial in ("lsgan-seed0", "lsgan-seed1"):
        assert weights(tmp_path / "new", trial) == weights(tmp_path / "other", trial)


def test_another_budget_in_the_same_folder_is_refused(short, tmp_path):
    go_on(further(short, 200, "lsgan"), tmp_path / "new", engine=here)
    with pytest.raises(RunError, match="the budget was 200 images, now 400 images"):
        go_on(further(short, 400, "lsgan"), tmp_path / "new", engine=here)


def test_what_went_on_can_go_on_again(short, tmp_path):
    go_on(further(short, 200, "lsgan"), tmp_path / "new", engine=here)
    board = go_on(further(tmp_path / "new", 400), tmp_path / "newer", engine=here)
    assert "the run new compared" in board.cautions[0]
    assert result_of(tmp_path / "newer", "lsgan-seed0").images_seen == 400


def test_an_arm_that_waits_or_left_the_race_can_go_on(short, tmp_path):
    path = short / "trials" / "baseline-seed1" / "result.json"
    kept = path.read_bytes()
    result = result_of(short, "baseline-seed1")
    waits = result.model_copy(update={"status": "paused", "score": None})
    try:
        runs.write(path, waits)
        wanted = further(short, 200, "baseline")
        assert wanted.plan.seeds == (0, 1)
        assert wanted.plan.continued.score is None
        board = go_on(wanted, tmp_path / "new", engine=here)
    finally:
        path.write_bytes(kept)
    assert board.standings[0].finished == 2
    assert "over the same seeds" not in board.cautions[0]


def test_rates_that_decay_rise_again_and_that_is_said(short, advice, tmp_path):
    falling = advice.model_dump(mode="json")
    for arm in falling["candidates"]:
        arm["recipe"]["optimizer"]["decay_from"] = 0.5
    advice = Recommendation.model_validate(falling)
    old = trained(tmp_path / "old", 160, advice, arms=("lsgan",))
    state = checkpoint.load(old / "trials" / "lsgan-seed0" / "checkpoint.pt")
    assert state["identity"]["rates end"] == 160
    board = go_on(further(old, 320), tmp_path / "new", engine=here)
    assert result_of(tmp_path / "new", "lsgan-seed0").images_seen == 320
    assert board.cautions[1].startswith("Its rates fall towards the end")


def test_what_cannot_go_on_is_told(short, leave, tmp_path):
    with pytest.raises(TakeError, match="160 images already, and --budget counts from the start"):
        further(short, 160, "lsgan")
    with pytest.raises(TakeError, match="holds no run"):
        further(tmp_path, 400)
    run = leave(recipe())
    with pytest.raises(TakeError, match=r"left no checkpoint .*sn-gan-seed0 diverged"):
        further(run, 10_000_000)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(TakeError, match="exists and is not empty"):
        go_on(further(short, 400, "lsgan"), tmp_path / "full", engine=here)


def test_a_damaged_checkpoint_is_told(short, tmp_path):
    path = short / "trials" / "lsgan-seed1" / "checkpoint.pt"
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[:-9])
        with pytest.raises(TakeError, match=r"lsgan-seed1 cannot go on: .*is damaged"):
            go_on(further(short, 400, "lsgan"), tmp_path / "new", engine=here)
        assert not (tmp_path / "new").exists()
    finally:
        path.write_bytes(kept)


def test_the_command_says_what_goes_on_and_that_it_is_no_fair_comparison(
    short, tmp_path, monkeypatch
):
    monkeypatch.setattr("runner.take.go_on", partial(go_on, engine=here))
    words = ["continue", str(short), "--budget", "320", "--arm", "lsgan"]
    ended = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "new")])
    assert ended.exit_code == 0, ended.stderr
    assert "lsgan-seed0, lsgan-seed1: from 160 to 320 images" in ended.stderr
    assert "No fair comparison" in ended.stdout.replace("\n", " ")
    again = CliRunner().invoke(app, ["continue", str(tmp_path), "--budget", "320"])
    assert again.exit_code == 2
    assert "holds no run" in again.stderr
