"""Arms that are the same recipe here are trained once, and somebody is told."""

import pytest

from advisor.recommendation import Candidate, Recommendation
from knowledge.schema import Optimizer, Part, Recipe
from runner.alike import as_trained, merged
from runner.leaderboard import rank
from runner.parts import backbone, penalty
from runner.plan import Overrides, trials_of
from runner.prepare import Request, prepare
from runner.views import table
from tests.runner.runs import advice as advice_for
from tests.runner.runs import candidate, controlling, finished, plan

PLAIN = Recipe(backbone=Part(name="resnet"), divergence="hinge", loss=Part(name="raw-score"))


def changed(**fields) -> Recipe:
    return PLAIN.model_copy(update=fields)


def recommended(recipes: dict[str, Recipe], control: str | None = None) -> Recommendation:
    template = plan(["a"], 1).trials[0]
    arms: list[Candidate] = [
        candidate(template.model_copy(update={"arm": arm, "name": arm.upper(), "recipe": recipe}))
        for arm, recipe in recipes.items()
    ]
    return advice_for(plan(["a"], 1)).model_copy(
        update={
            "candidates": tuple(arm for arm in arms if arm.id != control),
            "control": next((controlling(arm) for arm in arms if arm.id == control), None),
        }
    )


def planned(recipes, *, control=None, seeds=2, **overrides):
    advice, given = recommended(recipes, control), Overrides(**overrides)
    trials = trials_of(advice, seeds=tuple(range(seeds)), budget=1000, overrides=given)
    return merged(trials, advice, given)


THREE = {
    "sn": PLAIN,
    "ylg": changed(backbone=Part(name="sparse-attention")),
    "w": changed(divergence="wasserstein"),
}


def test_recipes_that_differ_are_all_trained() -> None:
    trials, skips = planned(THREE)
    assert [trial.id for trial in trials] == [f"{a}-seed{k}" for k in (0, 1) for a in THREE]
    assert [trial.name for trial in trials[:3]] == ["SN", "YLG", "W"]
    assert not skips


def test_what_an_option_makes_alike_is_trained_once_and_both_are_named() -> None:
    trials, (skip,) = planned(THREE, backbone="dcgan")
    assert [trial.id for trial in trials] == ["sn-seed0", "w-seed0", "sn-seed1", "w-seed1"]
    assert {trial.name for trial in trials} == {"SN = YLG", "W"}
    assert (skip.arm, skip.same_as) == ("ylg", "sn")
    assert skip.why == (
        "SN and YLG are the same recipe here, and one trial of a seed stands for both: --backbone "
        "dcgan overrides what tells them apart (the backbone: resnet or sparse-attention)"
    )


def test_only_the_option_that_did_it_is_told() -> None:
    twins = {"a": changed(batch_size=32), "b": PLAIN}
    *_, (skip,) = planned(twins, backbone="dcgan", batch_size=16)
    assert "--batch-size 16 overrides" in skip.why
    assert "(batches of 32 or of 64)" in skip.why
    assert "--backbone" not in skip.why


def test_two_options_that_do_it_together_are_both_told() -> None:
    twins = {"a": changed(backbone=Part(name="dcgan"), batch_size=32), "b": PLAIN}
    *_, (skip,) = planned(twins, backbone="dcgan", batch_size=16)
    assert "--backbone dcgan and --batch-size 16 override what" in skip.why


def test_systems_that_were_published_alike_are_merged_too() -> None:
    trials, skips = planned({"a": PLAIN, "b": PLAIN, "c": PLAIN}, seeds=1)
    assert [trial.name for trial in trials] == ["A = B = C"]
    assert [(skip.arm, skip.same_as) for skip in skips] == [("b", "a"), ("c", "a")]
    assert all("trained alike as published" in skip.why for skip in skips)


def test_the_control_arm_is_the_one_that_stays() -> None:
    trials, (skip,) = planned({"a": PLAIN, "base": PLAIN}, control="base", seeds=1)
    assert [(trial.arm, trial.name) for trial in trials] == [("base", "BASE = A")]
    assert (skip.arm, skip.same_as) == ("a", "base")


def test_whoever_asks_for_one_of_them_gets_it() -> None:
    trials, skips = planned(THREE, backbone="dcgan", only=("ylg",), seeds=1)
    assert [trial.name for trial in trials] == ["YLG"]
    assert not skips


@pytest.mark.parametrize(
    "same",
    [
        {"divergence": Part(name="hinge")},
        {"despite": ("k01",)},
        {"optimizer": Optimizer(smoothing=0.5)},  # RMSProp's
        {"optimizer": Optimizer(critic_rate=2e-4)},
        {"backbone": Part(name="resnet", settings={"width": backbone.filled(PLAIN.backbone)["width"]})},
    ],
    ids=lambda each: next(iter(each)),
)  # fmt: skip
def test_what_training_does_not_depend_on_is_no_difference(same) -> None:
    assert as_trained(changed(**same)) == as_trained(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        {"latent_dim": 100},
        {"batch_size": 32},
        {"critic_norm": "batch-norm"},
        {"optimizer": Optimizer(betas=(0.0, 0.9))},
        {"penalties": (Part(name="gradient-penalty"),)},
        {"normalizers": (Part(name="spectral-norm"),)},
        {"loss": Part(name="minimax")},
        {"structure": Part(name="conditional")},
        {"backbone": Part(name="resnet", settings={"width": 17})},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_training_depends_on_is_a_difference(other) -> None:
    assert as_trained(changed(**other)) != as_trained(PLAIN)


def test_settings_that_surround_every_part_are_filled_in_too() -> None:
    weight = penalty.filled(Part(name="r1", settings={"weight": 5.0}))
    assert weight["weight"] == 5.0
    assert weight.keys() > {"weight"}
    assert backbone.filled(Part(name="nowhere", settings={"width": 8})) == {"width": 8}


def test_a_plan_has_it_and_the_ranking_says_it(pictures) -> None:
    own = PLAIN.model_copy(update={"batch_size": 16})
    advice = recommended({"sn": own, "ylg": changed(backbone=Part(name="sparse-attention"))})
    overrides = Overrides(backbone="dcgan", batch_size=16, width=4)
    request = Request(data=str(pictures), size=16, budget=512, seeds=3, overrides=overrides)
    made = prepare(advice, request, lambda done, total: None).plan
    assert made.arms == ("sn",)
    assert [skip.same_as for skip in made.skipped] == ["sn"]
    board = rank(made, [finished(trial, 20.0 + trial.seed) for trial in made.trials], None, None)
    assert board.cautions[0] == f"{made.skipped[0].why}."
    assert "SN = YLG" in board.verdict.says
    assert table(board)


def test_of_a_search_the_settings_of_one_arm_stand_for_both() -> None:
    advice = recommended({"a": PLAIN, "b": PLAIN})
    drawn = changed(batch_size=128)
    trials = trials_of(
        advice,
        seeds=(0, 1),
        budget=1000,
        overrides=Overrides(),
        settings=lambda recipe: [(recipe, "as published"), (drawn, "batch size 128")],
    )
    kept, skips = merged(trials, advice, Overrides())
    assert [trial.id for trial in kept] == ["a-setting0", "a-setting1"]
    assert len(skips) == 1
