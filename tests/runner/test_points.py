"""Points of the plane go through what images go through."""

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from runner.data import open_images
from runner.data.points import MIXTURES
from runner.game import build
from runner.leaderboard import rank
from runner.pictures import MAP, picture, shown
from runner.plan import Overrides
from runner.prepare import Request, RunError, prepare
from runner.run import run
from runner.samples import sampler
from runner.scene import ImageShape
from runner.trial import planned_images
from runner.truth import Model, truth_of
from runner.views import table
from tests.runner.runs import plan, results
from tests.runner.small import recipe


def request_for(**more):
    overrides = Overrides(backbone="mlp", width=8, only=("baseline",))
    settings = {"data": "ring8", "budget": 512, "seeds": 1, "overrides": overrides}
    return Request(**(settings | more))


def prepared(advice, **more):
    return prepare(advice, request_for(**more), lambda done, total: None)


def test_points_are_planned_with_their_own_distance_and_as_many_as_are_held_out(advice):
    plan = prepared(advice).plan
    assert (plan.data.size, plan.data.channels) == (1, 2)
    assert plan.measurement.features == "coordinates"
    assert plan.measurement.n == 2_500
    assert plan.precision == "float32"  # bfloat16 would round away the modes
    assert {trial.recipe.backbone.name for trial in plan.trials} == {"mlp"}


def test_points_have_no_features(advice):
    with pytest.raises(RunError, match="no features by 'inception'"):
        prepared(advice, features="inception")


def test_networks_for_images_are_refused_with_a_hint(advice):
    with pytest.raises(RunError, match="points take --backbone mlp"):
        prepared(advice, overrides=Overrides(only=("baseline",)))


def test_another_backbone_does_not_inherit_settings(advice):
    backbones = [trial.recipe.backbone for trial in prepared(advice).plan.trials]
    assert [backbone.settings for backbone in backbones] == [{"width": 8}]


def test_a_generator_of_points_is_sampled_as_floats_and_drawn_as_a_map():
    game = build(recipe("mlp"), ImageShape(2, 1), seed=0)
    points = sampler(game)(300, 0)
    assert points.shape == (300, 2, 1, 1)
    assert points.dtype == np.float32
    assert shown(1) > shown(32)
    assert picture(points).startswith(b"\x89PNG")


def test_a_point_of_the_map_lies_where_it_is():
    from io import BytesIO

    point = np.array([[0.5, 0.75]], np.float32).reshape(1, 2, 1, 1)
    drawn = np.asarray(Image.open(BytesIO(picture(point))))
    assert drawn.shape == (MAP, MAP)
    down, across = (float(where.mean()) / (MAP - 1) * 2 - 1 for where in np.nonzero(drawn < 255))
    assert across == pytest.approx(0.5, abs=0.01)
    assert -down == pytest.approx(0.75, abs=0.01)
    assert (drawn < 255).sum() == 9


def test_points_beyond_the_map_are_seen_at_its_edge():
    from io import BytesIO

    far = np.array([[50, -50]], np.float32).reshape(1, 2, 1, 1)
    drawn = np.asarray(Image.open(BytesIO(picture(far))))
    assert (drawn[-3:, -3:] < 255).all()


def test_a_generator_that_is_the_toy_has_the_toys_truth():
    toy = MIXTURES["grid25"]()
    images = open_images("grid25")

    def draw(count, seed):
        return toy.draw(count, seed)[0][:, :, None, None]

    held_against = truth_of("grid25", images)
    found = held_against(Model(draw, None, None))
    assert found["modes-covered"] == 25
    assert found["high-quality"] == pytest.approx(0.989, abs=0.006)
    assert found["reverse-kl"] < 0.01
    assert abs(found["energy-distance"]) < 0.001
    one = held_against(Model(lambda n, seed: np.repeat(draw(1, 0), n, 0), None, None))
    assert one["energy-distance"] > 0.1


def test_a_folder_that_bears_a_toys_name_is_no_toy():
    assert truth_of("./ring8", None) is None


def test_truth_is_kept_shown_and_ranks_nothing(advice, tmp_path):
    request = request_for(budget=256, looks=1, draws=1)
    board = run(advice, request, tmp_path / "run", workers=2)
    assert board.metric == "w1-2.5k"
    (standing,) = board.standings
    assert list(standing.truth) == [
        "modes-covered",
        "high-quality",
        "reverse-kl",
        "energy-distance",
    ]
    assert 0 <= standing.truth["high-quality"] <= 1
    console = Console(width=100, no_color=True)
    with console.capture() as capture:
        console.print(table(board))
    assert "held against the truth" in capture.get()
    page = (tmp_path / "run/report.html").read_text()
    assert "modes covered" in page
    assert "exact Wasserstein distance" in page
    assert "Fréchet distance" not in page


def test_means_of_truth_are_over_the_finished_seeds():
    planned = plan(["lsgan"])
    ended = [
        each.model_copy(update={"truth": {"recall": value}})
        for each, value in zip(
            results(planned, {"lsgan": [1.0, 2.0, None]}), [0.25, 0.75, 9.0], strict=True
        )
    ]
    board = rank(planned, ended, None, None)
    assert board.standings[0].truth == {"recall": 0.5}
    assert board.truths == ("recall",)


def test_trials_find_the_images_that_were_decoded_for_the_plan(advice, monkeypatch):
    plan = prepared(advice).plan
    monkeypatch.setattr("runner.data.open.build", None)  # not callable: nothing may be decoded
    assert planned_images(plan).fingerprint == plan.data.fingerprint


def test_so_do_trials_on_a_folder(advice, pictures, monkeypatch):
    overrides = Overrides(width=4, only=("baseline",))
    plan = prepared(advice, data=str(pictures), size=16, overrides=overrides).plan
    monkeypatch.setattr("runner.data.open.build", None)
    assert planned_images(plan).fingerprint == plan.data.fingerprint
