import inspect
from typing import Literal

import pytest

from knowledge.schema import Part
from runner import parts
from runner.parts.registry import Count, PartError, Registry, settings_of
from runner.structures import structure

REGISTRIES = [
    parts.augmentation, parts.backbone, parts.constraint, parts.divergence,
    parts.generator_penalty, parts.loss, parts.normalizer, parts.penalty, structure,
]  # fmt: skip
EVERY_PART = [pytest.param(r, name, id=f"{r.kind}:{name}") for r in REGISTRIES for name in r.known]

shape = Registry[tuple]("shape")


@shape
def round_box(
    place: str,
    *,
    width: Count = 3,
    weight: float = 1.0,
    hollow: bool = False,
    edge: Literal["soft", "hard"] = "soft",
) -> tuple:
    return place, width, weight, hollow, edge


def get(**settings):
    return shape.get(Part(name="round-box", settings=settings))


def test_settings_are_filled_in():
    assert get(width=5, weight=2, hollow=True, edge="hard")("here") == ("here", 5, 2, True, "hard")
    assert get()("here") == ("here", 3, 1.0, False, "soft")


def test_unknown_name_shows_the_nearest_and_all():
    with pytest.raises(
        PartError, match=r"no shape is called 'round-bix': did you mean 'round-box'"
    ):
        shape.get(Part(name="round-bix"))
    with pytest.raises(
        LookupError, match="known: consistency, dragan, gradient-penalty, orthonormal, r1, r2"
    ):
        parts.penalty.get(Part(name="zzz"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widht": 3}, "has no setting 'widht': did you mean 'width'"),
        ({"place": "there"}, "has no setting 'place'"),
        ({"width": 0}, "'width' should be greater than or equal to 1, not 0"),
        ({"width": 2.5}, "'width' should be a valid integer, not 2.5"),
        ({"width": True}, "'width' should be a valid integer, not True"),
        ({"weight": "ten"}, "'weight' should be a valid number, not 'ten'"),
        ({"weight": True}, "'weight' should be a valid number, not True"),
        ({"hollow": 1}, "'hollow' should be a valid boolean, not 1"),
        ({"edge": "blurred"}, "'edge' should be 'soft' or 'hard', not 'blurred'"),
    ],
)
def test_wrong_setting_names_part_setting_and_known_ones(settings, message):
    with pytest.raises(PartError, match=message) as caught:
        get(**settings)
    assert "shape 'round-box'" in str(caught.value)
    assert "known: edge, hollow, weight, width" in str(caught.value)


def test_common_settings_join_a_parts_own():
    with pytest.raises(PartError, match="known: gamma, interval"):
        parts.penalty.get(Part(name="r1", settings={"gama": 1}))
    assert parts.penalty.get(Part(name="r1", settings={"interval": 4, "gamma": 2})).interval == 4


@pytest.mark.parametrize(("registry", "name"), EVERY_PART)
def test_every_part_has_a_source_or_a_reason_and_sound_defaults(registry, name):
    function = registry.known[name]
    assert function.__doc__
    assert name == name.lower().replace("_", "-")
    parameters = inspect.signature(function).parameters
    defaults = {k: parameters[k].default for k in settings_of(function)}
    registry.get(Part(name=name, settings=defaults))


@pytest.mark.parametrize(("registry", "name"), EVERY_PART)
def test_every_part_refuses_a_setting_it_does_not_have(registry, name):
    with pytest.raises(PartError, match="no-such-setting"):
        registry.get(Part(name=name, settings={"no-such-setting": 1}))
