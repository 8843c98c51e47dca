"""What is told of a trial's troubles, and what follows from it."""

import json

import pytest
from typer.testing import CliRunner

from advisor import Profile, recommend
from advisor.recommendation import Recommendation
from runner.cli import app
from runner.diagnosis import choices, diagnose, findings, locate
from runner.diagnosis.evidence import Evidence, Samples, curves
from runner.diagnosis.verdicts import growth, spikes, swung
from runner.plan import Overrides
from runner.prepare import Request, RunError, prepare
from runner.results import Look
from runner.trial import run_trial
from runner.troubles import TROUBLES
from tests.benchmarks.sick import CASES, plan_of, trained
from tests.runner.runs import advice as some_advice
from tests.runner.runs import diverged, finished, plan, run_folder, write

BUDGET = 1_000_000
TRIAL = plan(["a"]).trials[0].model_copy(update={"budget": BUDGET})
HEALTHY_SIGNS = {"real-score": 0.5, "fake-score": -0.5, "told-apart": 0.8, "slope": 1e-3}
HEALTHY_SAMPLES = Samples(
    count=1000, spread=0.9, coverage=0.5, precision=0.6, recall=0.3, neglected=0.1, cells=15,
    cells_of_real=18, closeness=0.9, period=2, ripple=1.2, levels=0.4, share_copied=0.01,
    share_expected=0.01, copies_p=0.5, copies_z=0.2, copies_found=False,
)  # fmt: skip


def curve(**lines):
    """A hundred points; a line is a number, or what it is at each share of the curve."""
    return tuple(
        (k * BUDGET // 100, {n: at(k / 100) if callable(at) else at for n, at in lines.items()})
        for k in range(1, 101)
    )


def trial(
    values=(300, 200, 150, 130, 120, 110), *, signs=None, losses=None, samples=None, **others
):
    looks = tuple(
        Look(images_seen=BUDGET * (k + 1) // len(values), seconds=1.0, value=value, spread=0.9)
        for k, value in enumerate(values)
    )
    plain = {
        "trial": TRIAL, "status": "finished", "why": None, "images_seen": BUDGET, "looks": looks,
        "losses": curve(critic=1.0, generator=0.8) if losses is None else losses,
        "signs": curve(**HEALTHY_SIGNS) if signs is None else signs,
        "chance": 320.0, "samples": HEALTHY_SAMPLES.model_copy(update=samples or {}),
        "no_samples": None,
    }  # fmt: skip
    return Evidence(**(plain | others))


def told(known):
    return {each.trouble: each.answer for each in findings(known)}


def found(known):
    return {trouble for trouble, answer in told(known).items() if answer == "found"}


def signs(**changes):
    return curve(**(HEALTHY_SIGNS | changes))


POOR = (300, 290, 295, 300, 292, 296)


def test_a_healthy_trial_has_none():
    assert set(told(trial()).values()) == {"not found"}


@pytest.mark.parametrize(
    ("trouble", "changes"),
    [
        ("mode-collapse", {"samples": {"neglected": 0.7}}),
        ("mode-collapse", {"samples": {"closeness": 0.3}}),
        ("vanishing-gradient", {"signs": signs(slope=3e-10)}),
        (
            "vanishing-gradient",
            {"signs": signs(slope=lambda t: 1e-2 if t < 0.2 else 1e-6, **{"told-apart": 1.0}),
             "values": (120, 118, 119, 120, 121, 120)},
        ),
        ("unstable-training", {"losses": curve(critic=lambda t: 80.0 if round(100 * t) % 9 == 0
                                               else 1.0)}),
        ("unstable-training", {"losses": curve(critic=lambda t: 2000 * t**2)}),
        ("unstable-training", {"values": (100, 60, 90, 55, 85, 50)}),
        ("non-convergence", {"values": (300, 100, 80, 90, 110, 140)}),
        ("non-convergence", {"values": POOR}),
        ("non-convergence", {"values": (500, 450, 420, 400, 380, 360)}),  # as far as noise is
        ("imbalance", {"values": POOR, "signs": signs(**{"told-apart": 1.0})}),
        ("imbalance", {"values": POOR, "signs": signs(**{"told-apart": 0.5})}),
        ("memorisation", {"samples": {"share_copied": 0.4, "copies_found": True}}),
        ("checkerboard", {"samples": {"levels": 6.0, "ripple": 30.0}}),
    ],
)  # fmt: skip
def test_each_trouble_is_found_by_its_signs(trouble, changes):
    assert trouble in found(trial(**changes))


@pytest.mark.parametrize(
    ("trouble", "changes"),
    [
        ("vanishing-gradient", {"signs": signs(slope=1e-6)}),  # Adam divides by its size
        ("vanishing-gradient", {"signs": signs(slope=lambda t: 1e-2 if t < 0.2 else 1e-6,
                                               **{"told-apart": 1.0})}),  # and yet it learns
        ("unstable-training", {"losses": curve(critic=lambda t: 80.0 if t == 0.5 else 1.0)}),
        ("unstable-training", {"losses": curve(critic=lambda t: 50.0 if t < 0.05 else 1.0)}),
        ("unstable-training", {"losses": curve(critic=lambda t: 1e-6 if t < 0.5 else 0.1)}),
        ("unstable-training", {"values": (300, 100, 80, 90, 110, 140)}),  # never came back
        ("non-convergence", {"values": (300, 250, 200, 150, 100, 60)}),  # has not ended
        ("imbalance", {"signs": signs(**{"told-apart": 1.0})}),  # learns all the same
        ("checkerboard", {"samples": {"levels": 6.0, "ripple": 2.0}}),  # real images have it
        ("checkerboard", {"samples": {"levels": 1.0, "ripple": 500.0}}),  # nobody can see it
    ],
)  # fmt: skip
def test_less_than_that_is_none(trouble, changes):
    assert trouble not in found(trial(**changes))


def varied(spreads, values):
    known = trial(values, samples={"neglected": 0.9})
    looks = (
        look.model_copy(update={"spread": spread})
        for look, spread in zip(known.looks, spreads, strict=True)
    )
    return known.model_copy(update={"looks": tuple(looks)})


def test_what_gets_ever_more_varied_has_not_collapsed():
    (finding, *_) = findings(varied((0.1, 0.2, 0.3, 0.4), (300, 280, 260, 230)))
    assert (finding.trouble, finding.answer) == ("mode-collapse", "not found")
    assert "not been trained for long enough" in finding.says


@pytest.mark.parametrize(
    ("spreads", "values"),
    [
        ((0.5, 0.2, 0.3, 0.4), (300, 280, 260, 230)),  # was more varied once
        ((0.1, 0.2, 0.3, 0.4), (300, 280, 260, 259)),  # no nearer
        ((0.1, 0.2, 0.4, 0.4), (300, 280, 260, 230)),
    ],
)
def test_what_was_more_varied_or_gets_no_nearer_has(spreads, values):
    assert "mode-collapse" in found(varied(spreads, values))


def test_divergence_is_instability_and_no_convergence():
    known = trial(status="diverged", why="not finite after 4 images: critic")
    assert found(known) == {"unstable-training", "non-convergence"}


def test_a_verdict_bears_its_figures_and_their_limits():
    (finding,) = (each for each in findings(trial(samples={"closeness": 0.31}))
                  if each.trouble == "mode-collapse")  # fmt: skip
    speaking = [each for each in finding.figures if each.speaks]
    assert [(each.value, each.limit, each.beyond) for each in speaking] == [(0.31, 0.5, "below")]
    assert "31 % as far from one another" in finding.says


def test_where_a_log_is_missing_it_cannot_be_told():
    assert told(trial(signs=()))["vanishing-gradient"] == "cannot be told"
    assert told(trial(signs=()))["imbalance"] == "cannot be told"
    assert told(trial(losses=()))["unstable-training"] == "cannot be told"
    blind = told(trial(samples=None, no_samples="the images are gone").model_copy(
        update={"samples": None, "chance": None}
    ))  # fmt: skip
    assert {t for t, answer in blind.items() if answer == "cannot be told"} == {
        "mode-collapse", "imbalance", "memorisation", "checkerboard",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "ripple", "answer"),
    [
        (9.0, 30.0, "cannot be told"),
        (9.0, 400.0, "found"),
        (9.0, 2.0, "not found"),
        (1.0, 400.0, "not found"),
    ],
)
def test_images_that_are_all_alike_hide_all_but_the_plainest_grid(levels, ripple, answer):
    alike = trial(samples={"cells": 1.0, "levels": levels, "ripple": ripple})
    assert told(alike)["checkerboard"] == answer


def test_a_critic_that_is_too_strong_is_a_trouble_that_the_advisor_knows_and_a_weak_one_is_none():
    strong, weak = (
        next(f for f in findings(trial(POOR, signs=signs(**{"told-apart": told}))) if
             f.trouble == "imbalance")
        for told in (1.0, 0.4)
    )  # fmt: skip
    assert (strong.answer, strong.asks) == ("found", "critic-too-strong")
    assert (weak.answer, weak.asks) == ("found", None)


def test_spikes_and_growth_are_beside_what_is_usual():
    assert spikes([1.0] * 100) == 0
    assert spikes([1.0] * 50 + [11.0] + [1.0] * 49) == pytest.approx(1 / 90)
    assert spikes([100.0] * 100) == growth([1.0] * 5) == 0
    assert growth([2.0] * 20 + [600.0] * 80) == pytest.approx(300)


def test_a_swing_goes_up_and_comes_back():
    assert swung([100, 50, 40]) == 0
    assert swung([50, 100]) == 0
    assert swung([50, 100, 60]) == 1
    assert swung([50, 100, 60, 90, 50]) == 2


# Runs and trials ---------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """Two arms of two seeds, whose images are gone; one of them diverges twice."""
    planned = plan(["lsgan", "sn-gan"], seeds=2)
    gone = planned.data.model_copy(update={"where": str(tmp_path / "gone")})
    planned = planned.model_copy(update={"data": gone})
    ended = [
        diverged(t)
        if t.arm == "lsgan"
        else finished(t, 40.0).model_copy(update={"losses": curve(critic=1.0), "signs": signs()})
        for t in planned.trials
    ]
    answers = Profile(task="unconditional", dataset="fashion-mnist", needs=("quality",))
    folder = tmp_path / "run"
    run_folder(folder, planned, ended, recommended=recommend(answers), pictures=False)
    return folder


def call(*words):
    return CliRunner().invoke(app, ["diagnose", *map(str, words)])


def test_a_run_tells_of_all_its_trials_and_what_to_try_next(run):
    ended = call(run)
    assert ended.exit_code == 0, ended.stderr
    assert "it diverged: the critic's loss is not a number" in ended.stdout
    assert "cannot be told" in ended.stdout
    assert "What is reported to help" in ended.stdout
    advised = Recommendation.model_validate_json((run / "next-recommendation.json").read_bytes())
    assert advised.answers["trouble"] == ("unstable-training", "non-convergence")
    assert advised.answers["needs"] == ("quality",)
    assert advised.candidates
    assert "next-recommendation.json --data" in ended.stderr


def test_cures_are_cited_with_their_place(run):
    content = json.loads(call(run, "--json").stdout)
    assert content["schema_version"] == 1
    cures = [c for c in content["prescription"]["cures"] if c["of"] == "candidate"]
    assert cures
    assert all(each["citations"][0]["locator"] for each in cures)
    assert {each["try_"] for each in cures} <= set(names(run))
    assert content["next"]["file"] == str(run / "next-recommendation.json")


def names(run):
    advised = json.loads((run / "next-recommendation.json").read_text())
    return [each["name"] for each in advised["candidates"]]


def test_a_recipe_that_was_sick_is_not_tried_again_as_it_is(run):
    before = Recommendation.model_validate_json((run / "recommendation.json").read_bytes())
    lsgan = [arm.recipe for arm in before.arms if arm.id == "lsgan"]
    call(run)
    advised = Recommendation.model_validate_json((run / "next-recommendation.json").read_bytes())
    assert [each.recipe for each in advised.candidates if each.id == "lsgan"] not in [lsgan]
    assert advised.control == before.control


def test_one_seed_of_two_is_bad_luck(run):
    """The arm is not told to the advisor, though its trial is shown."""
    place = run / "trials" / "lsgan-seed1" / "result.json"
    trial = next(t for t in plan(["lsgan"], 2).trials if t.seed == 1)
    write(place, finished(trial, 40.0).model_copy(update={"losses": curve(critic=1.0)}))
    assert choices(diagnose(locate(run))) == ()
    ended = call(run)
    assert ended.exit_code == 0
    assert not (run / "next-recommendation.json").exists()


def test_one_trial_is_told_of_alone(run, tmp_path):
    ended = call(run / "trials" / "lsgan-seed0", "-o", tmp_path / "mine.json")
    assert ended.exit_code == 0, ended.stderr
    assert "sn-gan" not in ended.stdout.partition("What is reported")[0]
    assert (tmp_path / "mine.json").exists()


def test_a_trial_apart_from_its_run_is_told_of_without_advice(run, tmp_path):
    (run / "trials" / "lsgan-seed0").rename(tmp_path / "apart")
    ended = call(tmp_path / "apart")
    assert ended.exit_code == 0, ended.stderr
    assert "no advice" in ended.stderr
    assert "lies apart from its run" in ended.stdout


def test_an_early_end_may_be_a_beginning(run):
    ended = call(run)
    assert "it may just not have begun" not in ended.stdout  # 600k images are enough
    shown = diagnose(locate(run)).trials[0]
    assert shown.model_copy(update={"rounds": 50}).caution is None  # what diverged has begun
    young = shown.model_copy(update={"rounds": 50, "status": "finished"})
    assert young.caution.startswith("after 50 steps")


def test_who_may_just_not_have_begun_is_no_reason_to_try_something_else(run):
    """Train longer, it says, and advises nothing."""
    for trial in plan(["lsgan"], 2).trials:
        still = finished(trial, 40.0)
        looks = tuple(look.model_copy(update={"value": 3000.0 + k}) for k, look in
                      enumerate(still.looks))  # fmt: skip
        young = {"images_seen": 640, "looks": looks, "losses": curve(critic=lambda t: 3000.0**t)}
        write(run / "trials" / trial.id / "result.json", still.model_copy(update=young))
    found = diagnose(locate(run))
    assert found.arms["lsgan"][0].found
    assert choices(found) == found.troubled == ()
    ended = call(run)
    assert ended.exit_code == 0, ended.stderr
    assert "2 trials had too few steps" in ended.stderr
    assert "with --budget 128k every generator takes 2,000 steps" in ended.stderr
    assert not (run / "next-recommendation.json").exists()
    assert "too few steps" in (run / "report.html").read_text(encoding="utf-8")
    assert json.loads((run / "diagnosis.json").read_text())["next"] is None


@pytest.mark.parametrize(
    ("where", "says"),
    [("nowhere", "does not exist"), ("run/trials/lsgan-seed7", "has no trial"), (".", "neither")],
)
def test_what_is_no_run_is_told(run, where, says):
    ended = call(run.parent / where)
    assert ended.exit_code == 2
    assert says in ended.stderr
    with pytest.raises(RunError):
        locate(run.parent / where)


def test_signs_of_older_runs_come_from_their_checkpoints():
    history = [[100, {"critic": 1.0}, {"slope": 0.1}], [200, {"critic": 2.0}, {}]]
    state = {"run": {"history": history}}
    assert curves(None, state) == (
        ((100, {"critic": 1.0}), (200, {"critic": 2.0})), ((100, {"slope": 0.1}),),
    )  # fmt: skip
    old = finished(TRIAL, 3.0).model_copy(update={"losses": ((50, {"critic": 9.0}),)})
    assert curves(old, state) == (((50, {"critic": 9.0}),), ((100, {"slope": 0.1}),))


# Real trials -------------------------------------------------------------------------------------


def test_a_real_trial_of_points_is_measured(advice, tmp_path):
    overrides = Overrides(backbone="mlp", width=8, batch_size=4, only=("baseline",))
    request = Request(data="ring8", overrides=overrides, budget=400, seeds=1, looks=2, samples=200,
                      look_samples=200)  # fmt: skip
    planned = prepare(advice, request, print).plan
    one = planned.trials[0]
    run_trial(one, planned, tmp_path / "trials" / one.id, lambda _: None)
    write(tmp_path / "plan.json", planned)
    (known,) = diagnose(locate(tmp_path)).trials
    answers = {each.trouble: each.answer for each in known.findings}
    assert list(answers) == list(TROUBLES)
    assert answers["mode-collapse"] != "cannot be told"
    assert answers["vanishing-gradient"] != "cannot be told"
    assert answers["memorisation"] == answers["checkerboard"] == "cannot be told"
    # Without its generator the last checkpoint's is taken: the same one, so the same is told.
    (tmp_path / "trials" / one.id / "generator.safetensors").unlink()
    assert diagnose(locate(tmp_path)).trials == (known,)


def test_a_real_trial_of_images_is_measured(advice, pictures, tmp_path):
    overrides = Overrides(backbone="dcgan", width=4, batch_size=8, only=("baseline",))
    request = Request(data=str(pictures), size=16, overrides=overrides, budget=160, seeds=1,
                      looks=2, samples=24, look_samples=24)  # fmt: skip
    planned = prepare(advice, request, print).plan
    one = planned.trials[0]
    run_trial(one, planned, tmp_path / "trials" / one.id, lambda _: None)
    write(tmp_path / "plan.json", planned)
    write(tmp_path / "recommendation.json", some_advice(planned))
    (known,) = diagnose(locate(tmp_path / "trials" / one.id)).trials
    answers = {each.trouble: each.answer for each in known.findings}
    assert answers["memorisation"] != "cannot be told"
    assert answers["mode-collapse"] != "cannot be told"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("weights clipped to a millionth", "points"),
        ("decay that pins the critic to zero", "images"),
        ("one latent", "images"),
    ],
)
def test_what_was_provoked_is_found(name, kind, tmp_path):
    """Some of the cases; all of them, and the figures: tests/benchmarks/diagnosis.py."""
    case, planned = CASES[name], plan_of(kind)
    trained(case, kind, planned, tmp_path)
    (known,) = diagnose(locate(tmp_path)).trials
    assert case.provokes in {each.trouble for each in known.found}


@pytest.mark.slow
def test_a_healthy_game_of_points_has_not_collapsed(tmp_path):
    trained(CASES["hinge, spectral norm"], "points", plan_of("points"), tmp_path)
    (known,) = diagnose(locate(tmp_path)).trials
    assert "mode-collapse" not in {each.trouble for each in known.found}
