"""A run's results become evidence, and evidence changes advice."""

import pytest
import yaml
from typer.testing import CliRunner

from advisor import Profile, recommend
from knowledge.library import load
from knowledge.schema import Part
from runner.cli import app
from runner.held import ANCHORS
from runner.learn import learn
from runner.plan import Skip
from runner.prepare import RunError
from runner.race import Race
from tests.runner.runs import advice, diverged, finished, plan, run_folder, score
from tests.runner.test_race import RUNGS, paused

CONDITIONAL = Part(name="conditional")
ARMS = ("sn-gan", "wgan-gp", "lsgan", "dragan")
VALUES = {"sn-gan": 90.0, "wgan-gp": 40.0, "lsgan": 60.0, "dragan": 55.0}


def run_of(tmp_path, values, *, rungs=None, name="run", **data):
    planned = plan(list(values))
    planned = planned.model_copy(update={"data": planned.data.model_copy(update=data)})
    if rungs:
        planned = planned.model_copy(update={"rungs": rungs})
    ended = [
        diverged(trial) if values[trial.arm] is None
        else finished(trial, values[trial.arm] * (1 + trial.seed / 50))
        for trial in planned.trials
    ]  # fmt: skip
    return run_folder(tmp_path / name, planned, ended, pictures=False)


def test_numbers_bear_their_protocol_and_their_seeds(tmp_path):
    lesson = learn(run_of(tmp_path, VALUES), tmp_path / "own")
    library = load(overlays=(tmp_path / "own",))
    own = [each for each in library.archive.numbers if each.source == lesson.source]
    assert {each.model: each.seeds for each in own} == dict.fromkeys(ARMS, 3)
    first = next(each for each in own if each.model == "sn-gan")
    assert first.value == pytest.approx((90 * 91.8 * 93.6) ** (1 / 3), rel=1e-4)
    assert (first.dataset, first.budget_images, first.n_generated) == (
        "fashion-mnist", 2_000_000, 10_000,
    )  # fmt: skip
    assert first.metric != "fid"  # other features: it must never stand beside an FID
    assert not first.own_method
    assert lesson.left_out == ()


def test_an_arm_that_another_one_stood_for_has_no_number_of_its_own(tmp_path):
    planned = plan(["sn-gan", "lsgan"])
    same = Skip(arm="ylg", why="they are the same recipe here", same_as="sn-gan")
    planned = planned.model_copy(update={"skipped": (*planned.skipped, same)})
    ended = [finished(trial, VALUES[trial.arm] + trial.seed) for trial in planned.trials]
    lesson = learn(run_folder(tmp_path / "run", planned, ended, pictures=False), tmp_path / "own")
    assert lesson.learnt == ("SN-GAN", "LSGAN")
    assert lesson.left_out == ("ylg was the same recipe as SN-GAN: no number of its own",)


def test_the_advisor_compares_them_with_one_another(tmp_path):
    lesson = learn(run_of(tmp_path, VALUES), tmp_path / "own")
    library = load(overlays=(tmp_path / "own",))
    table = next(each for each in library.distances if each.source == lesson.source)
    assert table.dataset == "fashion-mnist"
    assert {run.model: run.value for run in table.runs}["wgan-gp"] == pytest.approx(40.79, rel=1e-3)


def test_what_the_seeds_tell_apart_becomes_a_claim_and_the_rest_does_not(tmp_path):
    close = {"sn-gan": 90.0, "wgan-gp": 40.0, "lsgan": 60.0, "dragan": 60.6}
    lesson = learn(run_of(tmp_path, close), tmp_path / "own")
    library = load(overlays=(tmp_path / "own",))
    own = {(c.subject, c.object) for c in library.claims.values() if c.source == lesson.source}
    assert own == {
        ("wgan-gp", "lsgan"), ("wgan-gp", "dragan"), ("wgan-gp", "sn-gan"),
        ("lsgan", "sn-gan"), ("dragan", "sn-gan"),
    }  # fmt: skip
    assert lesson.claims == 5


def test_evidence_changes_the_advice(tmp_path):
    """Each GAN's votes are those that it had before, and one more of the own measurement."""
    learn(run_of(tmp_path, VALUES), tmp_path / "own")
    answers = Profile(task="unconditional", dataset="fashion-mnist", needs=("quality",))
    before, after = (
        {
            arm.gan: {s.need: s.for_ for s in arm.support}
            for arm in recommend(answers, library=l).arms
        }
        for l in (load(), load(overlays=(tmp_path / "own",)))
    )
    assert after["wgan-gp"]["quality"] == before["wgan-gp"]["quality"] + 1


def test_a_failed_arm_is_a_result_and_learning_twice_counts_once(tmp_path):
    run = run_of(tmp_path, {**VALUES, "dragan": None})
    one = learn(run, tmp_path / "own")
    two = learn(run, tmp_path / "own")
    assert one == two
    library = load(overlays=(tmp_path / "own",))
    own = [each for each in library.archive.numbers if each.source == one.source]
    failed = next(each for each in own if each.model == "dragan")
    assert failed.value is None
    assert "not a number" in failed.note
    assert len(own) == 4


def test_two_runs_share_an_overlay(tmp_path):
    learn(run_of(tmp_path, VALUES), tmp_path / "own")
    learn(run_of(tmp_path, dict.fromkeys(ARMS[:2], 7.0), name="b"), tmp_path / "own")
    sources = yaml.safe_load((tmp_path / "own" / "sources.yaml").read_text())
    assert len(sources) == 2
    assert len(list((tmp_path / "own" / "results").glob("*.yaml"))) == 2


def test_own_images_become_a_data_set(tmp_path):
    run = run_of(tmp_path, VALUES)
    text = (run / "plan.json").read_text().replace('"Fashion-MNIST"', '"My Holiday, 2026"')
    (run / "plan.json").write_text(text)
    lesson = learn(run, tmp_path / "own")
    assert lesson.dataset == "my-holiday--2026-012345"
    assert load(overlays=(tmp_path / "own",)).datasets[lesson.dataset].images == 60_000


def test_who_left_the_race_has_no_number_of_its_end(tmp_path):
    planned = plan(["sn-gan", "wgan-gp", "lsgan", "dragan", "wgan"]).model_copy(
        update={"rungs": (RUNGS[0].model_copy(update={"keep": 2}), RUNGS[2])}
    )
    values = {**VALUES, "wgan": 99.0}
    early = [paused(trial, 200_000, values[trial.arm]) for trial in planned.trials]
    stay = Race(planned, early).entrants[1]
    ended = [finished(r.trial, values[r.trial.arm]) if r.trial.arm in stay else r for r in early]
    ended = [r.model_copy(update={"looks": old.looks}) for r, old in zip(ended, early, strict=True)]
    run = run_folder(tmp_path / "race", planned, ended, pictures=False)
    lesson = learn(run, tmp_path / "own")
    assert len(lesson.learnt) == 2
    assert len(lesson.left_out) == 3
    assert "left the race after 200k images" in lesson.left_out[0]


def test_a_run_that_goes_on_teaches_nothing(tmp_path):
    planned = plan(["sn-gan", "wgan-gp"])
    run = run_folder(tmp_path / "run", planned, [finished(planned.trials[0], 9.0)], pictures=False)
    with pytest.raises(RunError, match="has not ended"):
        learn(run, tmp_path / "own")
    assert not (tmp_path / "own").exists()
    told = CliRunner().invoke(app, ["learn", str(tmp_path), "-o", str(tmp_path / "own")])
    assert told.exit_code == 2
    assert "holds no run" in told.stderr


def test_a_damaged_overlay_is_told(tmp_path):
    run = run_of(tmp_path, VALUES)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sources.yaml").write_text("own: {title: [}")
    with pytest.raises(RunError, match="is damaged"):
        learn(run, tmp_path / "own")


def test_the_command_says_what_to_do_next(tmp_path):
    told = CliRunner().invoke(
        app, ["learn", str(run_of(tmp_path, VALUES)), "-o", str(tmp_path / "own")]
    )
    assert told.exit_code == 0, told.stderr
    assert told.stdout.strip() == str(tmp_path / "own")
    assert "gan-advisor recommend --knowledge" in told.stderr


# What may not be claimed ------------------------------------------------------------------------


def own_claims(overlay, lesson):
    every = load(overlays=(overlay,)).claims.values()
    return {(claim.subject, claim.object) for claim in every if claim.source == lesson.source}


def compared(overlay, lesson):
    """Whether the advice may rest on the numbers of a run."""
    return any(each.source == lesson.source for each in load(overlays=(overlay,)).distances)


def test_two_seeds_claim_nothing_and_the_command_says_so(tmp_path):
    planned = plan(list(VALUES), seeds=2)
    ended = [finished(t, VALUES[t.arm] * (1 + t.seed / 1000)) for t in planned.trials]
    run = run_folder(tmp_path / "run", planned, ended, pictures=False)
    lesson = learn(run, tmp_path / "own")
    assert own_claims(tmp_path / "own", lesson) == set()
    assert not compared(tmp_path / "own", lesson)
    assert "cannot tell luck from merit" in lesson.no_claim
    told = CliRunner().invoke(app, ["learn", str(run), "-o", str(tmp_path / "own")])
    assert "no claim, and no number that advice rests on: A preview without a winner" in told.stderr
    assert "pairs that the seeds tell apart" not in told.stderr


@pytest.mark.parametrize(
    "anchors", [{"noise": 35.0}, {"noise": 70.0}, {"noise": 1000.0, "mean": 39.0}]
)
def test_nobody_is_better_where_nobody_learnt(tmp_path, anchors):
    """Noise at 70 sets the bar at 35: its half."""
    run = run_of(tmp_path, VALUES)
    held = {name: score(value) for name, value in anchors.items()}
    (run / "anchors.json").write_bytes(ANCHORS.dump_json(held))
    lesson = learn(run, tmp_path / "own")
    assert "takes no learning" in lesson.no_claim
    assert own_claims(tmp_path / "own", lesson) == set()
    assert not compared(tmp_path / "own", lesson)


def test_of_a_pair_one_has_to_have_learnt_something(tmp_path):
    run = run_of(tmp_path, VALUES)
    (run / "anchors.json").write_bytes(ANCHORS.dump_json({"noise": score(100.0)}))
    lesson = learn(run, tmp_path / "own")
    assert lesson.no_claim is None
    assert own_claims(tmp_path / "own", lesson) == {
        ("wgan-gp", "sn-gan"), ("wgan-gp", "lsgan"), ("wgan-gp", "dragan"),
    }  # fmt: skip


def crashed(trial):
    return diverged(trial, "KeyError: 'w'").model_copy(update={"status": "crashed"})


def test_a_crash_says_nothing_of_a_gan(tmp_path):
    planned = plan(list(VALUES))
    ended = [
        crashed(t) if t.arm == "dragan" or (t.arm, t.seed) == ("lsgan", 2)
        else finished(t, VALUES[t.arm] * (1 + t.seed / 1000))
        for t in planned.trials
    ]  # fmt: skip
    run = run_folder(tmp_path / "run", planned, ended, pictures=False)
    lesson = learn(run, tmp_path / "own")
    assert "DRAGAN" not in lesson.learnt
    assert any("DRAGAN: crashed" in each for each in lesson.left_out)
    assert own_claims(tmp_path / "own", lesson) == {("wgan-gp", "sn-gan")}
    numbers = load(overlays=(tmp_path / "own",)).archive.numbers
    verified = {each.model: each.verified for each in numbers if each.source == lesson.source}
    assert verified == {"sn-gan": True, "wgan-gp": True, "lsgan": False}


def test_where_everything_crashed_nothing_is_learnt(tmp_path):
    planned = plan(["sn-gan", "lsgan"])
    run = run_folder(
        tmp_path / "run", planned, [crashed(t) for t in planned.trials], pictures=False
    )
    with pytest.raises(RunError, match="SN-GAN: crashed"):
        learn(run, tmp_path / "own")
    assert not (tmp_path / "own").exists()


def with_recipe(trials, **changed):
    return tuple(
        t.model_copy(update={"recipe": t.recipe.model_copy(update=changed)}) for t in trials
    )


def test_points_are_a_toy_measured_by_how_far_they_move(tmp_path):
    planned = plan(["sn-gan", "wgan-gp"])
    points = {"name": "ring8", "where": "ring8", "size": 1, "channels": 2, "classes": 0}
    by = {"network": "coordinates", "features": "coordinates", "engine": "none"}
    planned = planned.model_copy(
        update={
            "data": planned.data.model_copy(update=points),
            "measurement": planned.measurement.model_copy(update=by),
            "trials": with_recipe(planned.trials, backbone=Part(name="mlp")),
        }
    )
    how = {"metric": "w1-10k", "features": "coordinates", "dimension": 2}
    ended = [finished(t, VALUES[t.arm] * (1 + t.seed / 1000), **how) for t in planned.trials]
    run = run_folder(tmp_path / "run", planned, ended, real=None, pictures=False)
    lesson = learn(run, tmp_path / "own")
    library = load(overlays=(tmp_path / "own",))
    assert "Wasserstein" in library.archive.metrics["w1"].name
    assert library.datasets[lesson.dataset].kind == "toy"
    (claim,) = (each for each in library.claims.values() if each.source == lesson.source)
    assert "features" not in claim.condition
    assert "WGAN-GP reached a distance of" in claim.says

    def votes(**answers):
        found = recommend(Profile(needs=("quality",), **answers), library=library)
        return [w for arm in found.arms for w in arm.testimony if w.lineage == lesson.source]

    assert not votes(dataset="fashion-mnist")  # a toy is no witness on images
    assert votes(dataset=lesson.dataset)


def test_the_control_arm_does_not_speak_for_the_plain_system(tmp_path):
    planned = plan(["baseline", "sn-gan", "wgan-gp"])
    told = advice(planned, control="baseline")
    point = load().baseline.combination
    told = told.model_copy(
        update={"control": told.control.model_copy(update={"gan": "gan", "combination": point})}
    )
    values = {"baseline": 30.0, "sn-gan": 60.0, "wgan-gp": 90.0}
    ended = [finished(t, values[t.arm] * (1 + t.seed / 1000)) for t in planned.trials]
    run = run_folder(tmp_path / "run", planned, ended, recommended=told, pictures=False)
    lesson = learn(run, tmp_path / "own")
    assert own_claims(tmp_path / "own", lesson) == {("sn-gan", "wgan-gp")}
    numbers = load(overlays=(tmp_path / "own",)).archive.numbers
    assert {each.model for each in numbers if each.source == lesson.source} == {
        "variant:control-gan", "sn-gan", "wgan-gp",
    }  # fmt: skip


def test_who_is_told_a_class_is_compared_with_those_who_are(tmp_path):
    planned = plan(["sn-gan", "cgan"])
    trials = tuple(
        t.model_copy(update={"recipe": t.recipe.model_copy(update={"structure": CONDITIONAL})})
        if t.arm == "cgan" else t
        for t in planned.trials
    )  # fmt: skip
    planned = planned.model_copy(update={"trials": trials})
    run = run_folder(tmp_path / "run", planned, [finished(t, 50.0) for t in trials], pictures=False)
    lesson = learn(run, tmp_path / "own")
    numbers = load(overlays=(tmp_path / "own",)).archive.numbers
    told = {each.model: each.conditional for each in numbers if each.source == lesson.source}
    assert told == {"sn-gan": False, "cgan": True}


def test_networks_that_the_run_had_set_are_recorded(tmp_path):
    planned = plan(list(VALUES))
    told = advice(planned)
    changed = {"backbone": Part(name="mlp", settings={"width": 64}), "batch_size": 16}
    planned = planned.model_copy(update={"trials": with_recipe(planned.trials, **changed)})
    ended = [finished(t, VALUES[t.arm] * (1 + t.seed / 1000)) for t in planned.trials]
    run = run_folder(tmp_path / "run", planned, ended, recommended=told, pictures=False)
    lesson = learn(run, tmp_path / "own")
    library = load(overlays=(tmp_path / "own",))
    says = "networks mlp (width 64) for all arms, batches of 16"
    assert {n.setting for n in library.archive.numbers if n.source == lesson.source} == {says}
    own = [each for each in library.claims.values() if each.source == lesson.source]
    assert own
    assert all(each.condition.endswith(says) for each in own)
