"""The gallery's script: what it trains, how it reads the outcome, what it writes."""

from math import inf

import pytest
from PIL import Image

from knowledge.library import load
from runner.game import build
from runner.results import TrialResult
from runner.scene import ImageShape
from tests.benchmarks.gallery import a_core_each, known, options, share_anchors, train
from tests.benchmarks.gallery_page import (
    Outcome,
    anchors,
    figures_of,
    mishaps,
    outcome,
    report,
    toy_cells,
    troubles,
    write_page,
)
from tests.benchmarks.gallery_pictures import GAP, PANEL
from tests.benchmarks.gallery_predictions import (
    Prediction,
    predictions,
    rows_of,
    tally,
    verdict,
    warnings,
)
from tests.benchmarks.gallery_systems import GROUNDS, SYSTEMS, recipe_for
from tests.runner.runs import finished, plan, write

LIBRARY = load()
SHAPES = {"ring8": ImageShape(2, 1), "grid25": ImageShape(2, 1), "fashion-mnist": ImageShape(1, 32)}
NOTHING = {(system.id, ground.data): Outcome(()) for system in SYSTEMS for ground in GROUNDS}


# What is trained ---------------------------------------------------------------------------------


def test_rows_have_names_of_their_own():
    assert len({system.id for system in SYSTEMS}) == len({s.name for s in SYSTEMS}) == len(SYSTEMS)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id)
def test_every_system_can_be_built_for_all_that_it_is_trained_on(system):
    for ground in GROUNDS:
        recipe = recipe_for(system, ground, LIBRARY, as_trained=True)
        game = build(recipe, SHAPES[ground.data], 0)
        assert "generator" in game.networks
        assert recipe.backbone.name == ("mlp" if SHAPES[ground.data].size == 1 else "dcgan")


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda ground: ground.data)
def test_all_systems_get_the_same_networks_and_batches(ground):
    recipes = [recipe_for(system, ground, LIBRARY, as_trained=True) for system in SYSTEMS]
    assert len({(str(r.backbone), r.batch_size, r.latent_dim) for r in recipes}) == 1


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id)
def test_rules_speak_against_what_is_sick(system):
    recipe = recipe_for(system, GROUNDS[-1], LIBRARY, as_trained=True)
    against = {rule.id for rule in warnings(recipe, LIBRARY)}
    assert set(recipe.despite) <= against
    if system.healthy:
        assert against
        assert system.healthy in {other.id for other in SYSTEMS if other.id != system.id}
    else:
        assert against <= {"k07"}  # some systems were published with batch norm in the critic


def test_strangers_are_named():
    with pytest.raises(SystemExit, match="no wgna; there are mm-gan, ns-gan"):
        known(["wgna"], {system.id: system for system in SYSTEMS})
    assert known((), {"a": 1, "b": 2}) == [1, 2]
    assert known(["b"], {"a": 1, "b": 2}) == [2]


def test_processes_share_the_cores():
    assert len(list(a_core_each(64))) == 64


def test_anchors_are_measured_once(tmp_path):
    first, second = tmp_path / "wgan", tmp_path / "vae"
    first.mkdir()
    second.mkdir()
    (first / "anchors.json").write_text("{}")
    share_anchors(second)
    assert (second / "anchors.json").read_text() == "{}"
    share_anchors(first)


@pytest.mark.slow
def test_what_has_ended_is_not_trained_again(tmp_path):
    system, ground = SYSTEMS[0], GROUNDS[0]
    train(system, ground, 512, tmp_path)
    files = sorted((tmp_path / "ring8" / system.id).glob("trials/*/result.json"))
    assert len(files) == ground.seeds
    before = [file.stat().st_mtime_ns for file in files]
    train(system, ground, 512, tmp_path)
    assert [file.stat().st_mtime_ns for file in files] == before
    assert outcome(tmp_path, "ring8", system.id).pace > 0


# What was predicted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "own", "came"),
    [
        ("better", 50.0, "came true"),
        ("better", 95.0, "no difference"),
        ("better", 150.0, "did not"),
        ("worse", 150.0, "came true"),
        ("worse", inf, "came true"),
        ("better", inf, "did not"),
        ("equal", 95.0, "came true"),
        ("equal", 50.0, "did not"),
    ],
)
def test_a_prediction_is_held_against_the_figures(expected, own, came):
    told = Prediction("a", ("b",), "quality", expected, "k01", "…")
    assert verdict(told, {"quality": {"a": own, "b": 100.0}}) == came


def test_of_two_that_fail_none_is_the_better_one():
    told = Prediction("a", ("b",), "quality", "equal", "k01", "…")
    assert verdict(told, {"quality": {"a": inf, "b": inf}}) == "cannot be told"


def test_what_has_not_been_trained_tells_nothing():
    told = Prediction("a", ("b",), "quality", "better", "k01", "…")
    assert verdict(told, {"quality": {"a": 1.0}}) == "cannot be told"
    assert tally(["cannot be told"]) == "–"
    assert tally(["cannot be told", "came true", "did not", "no difference"]) == "1 of 3"


def test_a_group_is_represented_by_its_middle():
    told = Prediction("a", ("b", "c", "d"), "quality", "better", "k01", "…")
    of = {"a": 30.0, "b": 10.0, "c": 50.0, "d": 60.0}
    assert verdict(told, {"quality": of}) == "came true"


def test_systems_that_are_one_on_equal_networks_share_a_row():
    rows = rows_of(LIBRARY)
    assert rows["gan"] == rows["dcgan"] == rows["ns-gan"] == ("ns-gan",)
    assert rows["divergence:kl"] == ("fgan-kl",)


def test_predictions_are_of_rows_and_come_from_the_knowledge_base():
    ids = {system.id for system in SYSTEMS}
    told = predictions(LIBRARY)
    rules = {rule.id for rule in LIBRARY.rules}
    for each in told:
        assert {each.system, *each.against} <= ids
        assert each.system not in each.against
        assert each.by in LIBRARY.claims or each.by in rules
    assert {"k03", "k05", "k12"} <= {each.by for each in told}


# What is written ---------------------------------------------------------------------------------


def toy_result(seed=0, modes=8.0, quality=0.9, energy=0.01, status="finished") -> TrialResult:
    truth = {
        "modes-covered": modes,
        "high-quality": quality,
        "reverse-kl": 0.1,
        "energy-distance": energy,
    }
    trial = plan(["wgan"], seeds=3).trials[seed]
    if status != "finished":
        return TrialResult(trial=trial, status=status, why="not finite after 512 images: critic")
    return finished(trial, 0.1).model_copy(update={"truth": truth})


def test_a_toy_shows_every_seed_and_means():
    toy = Outcome((toy_result(0, modes=6, quality=0.5), toy_result(1, modes=8, quality=1.0)))
    assert toy_cells(toy) == ("8 6", "75.0", "0.10", "0.010")


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (toy_result(), []),
        (toy_result(modes=1, quality=0.9), ["collapsed to few modes"]),
        (toy_result(modes=8, quality=0.001), ["next to no sample near a mode"]),
        (toy_result(modes=2, quality=0.2), ["few modes, and few samples near them"]),
        (toy_result(status="diverged"), ["seed 0 diverged: not finite after 512 images: critic"]),
    ],
)
def test_what_went_wrong_is_said(result, says):
    assert list(troubles(Outcome((result,)), "ring8")) == says


def test_a_failure_counts_as_the_worst_and_nothing_as_nothing():
    good = Outcome((finished(plan(["wgan"]).trials[0], 40.0),))
    bad = Outcome((toy_result(status="diverged"),))
    found = {**NOTHING, ("wgan", "fashion-mnist"): good, ("vae", "fashion-mnist"): bad}
    found |= {(name, "fashion-mnist"): Outcome((), "too small") for name in ("began",)}
    figures = figures_of(found)
    assert figures["quality"] == {"wgan": pytest.approx(40.0), "vae": inf, "began": inf}
    assert figures["diversity"] == {}


@pytest.mark.parametrize(
    ("coverage", "figure", "says"),
    [(0.3, 40.0, []), (0.001, inf, ["hardly a sample like any real image"])],
)
def test_what_looks_like_no_real_image_has_learnt_nothing(coverage, figure, says):
    trial = plan(["wgan"]).trials[0]
    images = Outcome((finished(trial, 40.0, secondary={"coverage": coverage}),))
    figures = figures_of({**NOTHING, ("wgan", "fashion-mnist"): images})
    assert figures["quality"]["wgan"] == pytest.approx(figure)
    assert list(mishaps(images, {"noise": 50.0})) == says


def test_fewer_modes_are_worse():
    found = dict(NOTHING)
    for name, modes in (("wgan", 2.0), ("vae", 8.0)):
        for toy in ("ring8", "grid25"):
            found[name, toy] = Outcome((toy_result(modes=modes),))
    diversity = figures_of(found)["diversity"]
    assert diversity["wgan"] > diversity["vae"] > 1


def test_every_row_is_there_before_anything_has_been_trained():
    text = "\n".join(report(NOTHING, {}, LIBRARY))
    for system in SYSTEMS:
        assert text.count(f"[{system.name}](#{system.id})") == 2
        assert f"{system.id}.webp" in text


def test_the_page_is_made_anew_and_what_a_person_wrote_stays(tmp_path):
    runs, out = tmp_path / "runs", tmp_path / "gallery"
    first = plan(["wgan"]).trials[0]
    folder = runs / "fashion-mnist" / "wgan"
    write(folder / "trials" / "wgan-seed0" / "result.json", finished(first, 40.0))
    Image.new("L", (526, 526), 9).save(folder / "trials" / "wgan-seed0" / "samples.png")
    (folder / "anchors.json").write_text('{"floor": {"value": 1.5}, "noise": {"value": 39}}')
    write_page(runs, out, LIBRARY)
    page = out / "README.md"
    page.write_text(page.read_text().replace("# Gallery", "# Gallery\n\nRead by a person."))
    before = page.read_text()
    write_page(runs, out, LIBRARY)
    assert page.read_text() == before
    assert "Read by a person." in before
    assert "*real images against real ones* | | | 2 |" in before
    assert "farther away than noise" in before
    with Image.open(out / "wgan.webp") as strip:
        assert strip.size == (3 * PANEL + 2 * GAP, PANEL)
        assert strip.getpixel((strip.width - 9, 9))[0] < 30  # the images' panel, the last one
        assert strip.getpixel((9, 9))[0] > 240  # nothing of the toys yet
    assert not (out / "vae.webp").exists()
    assert anchors(runs) == {"floor": 1.5, "noise": 39}


def test_options_have_the_budgets_of_both_columns():
    wanted = options(["--only", "wgan", "vae", "--toys-budget", "1000"])
    assert (wanted.toys_budget, wanted.jobs, wanted.only) == (1000, 1, ["wgan", "vae"])
    assert all(getattr(wanted, ground.budget) > 0 for ground in GROUNDS)
