"""Points of the plane go through what images go through."""

import numpy as np
import pytest
from PIL import Image

from runner.game import build
from runner.pictures import MAP, picture, shown
from runner.plan import Overrides
from runner.prepare import Request, RunError, prepare
from runner.scene import ImageShape
from runner.trial import sampler
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
