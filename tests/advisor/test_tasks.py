"""Each task has combinations of its own: the systems that serve it, under the same rules."""

import pytest

from advisor.advise import Advice, recommend
from advisor.compose import compose, published
from advisor.profile import checked
from advisor.space import Space, nodes
from knowledge.library import build

LIBRARY = build()
TASKS = [choice.id for choice in LIBRARY.questions["task"].choices]
VARIED = [{}, {"inversion": "needed"}, {"control": "needed"}, {"label_noise": "noisy"}]


def arms(**answers):
    return Advice(checked(answers, LIBRARY), LIBRARY).arms


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_shortlist(task):
    assert recommend({"task": task}, LIBRARY, robust=False).candidates


@pytest.mark.parametrize("task", TASKS)
def test_naming_a_data_set_leaves_something_for_every_task(task):
    """Where no source compares any candidate of the task on it, that tells none of them apart."""
    for dataset in LIBRARY.datasets.values():
        if dataset.kind == "images":
            given = {"task": task, "dataset": dataset.id}
            advice = Advice(given, LIBRARY)
            assert advice.refused_by or advice.shortlist(), given


def test_translation_of_digits_is_judged_by_what_was_seen_elsewhere():
    for dataset in ("mnist", "cifar10"):
        advice = Advice({"task": "unpaired-translation", "dataset": dataset}, LIBRARY)
        assert advice.facts["dataset_evidence"] == "none"
        assert {arm.gan for arm in advice.arms} == {"cyclegan", "dualgan"}


@pytest.mark.parametrize("task", TASKS)
def test_owners_share_the_combinations_of_a_task_between_them(task):
    space = Space(LIBRARY, task)
    shares = list(space.owners.values())
    assert sum(shares) == space.all
    assert sum(share.bit_count() for share in shares) == space.size
    for index in range(0, space.size, 97):
        owner = space.owner(space.combination(index))
        assert space.owners[owner] >> index & 1


def test_the_review_counts_the_combinations_of_the_unconditional_task():
    assert Space(LIBRARY).size == Space(LIBRARY, "unconditional").size == 5040


def test_every_system_has_a_place_or_says_which_other_one_stands_for_it():
    losses = {option.gan for option in LIBRARY.axes["loss"].options}
    for gan in LIBRARY.gans.values():
        assert (gan.id in losses) or gan.combination or gan.covered, gan.id
        assert not (gan.combination and gan.covered), gan.id


def test_every_system_with_a_place_is_recommended_for_something():
    placed = {gan.id for gan in LIBRARY.nodes}
    found = {arm.gan for task in TASKS for each in VARIED for arm in arms(task=task, **each)}
    assert placed <= found


@pytest.mark.parametrize("task", TASKS)
def test_a_system_stands_in_the_product_or_beside_it_and_never_in_both(task):
    space = Space(LIBRARY, task)
    assert not space.owners.keys() & {node.gan.id for node in nodes(space, LIBRARY)}


@pytest.mark.parametrize("task", TASKS)
def test_what_survives_has_a_recipe_with_the_wiring_of_its_system(task):
    for arm in arms(task=task):
        gan = LIBRARY.gans[arm.gan]
        settings = published(gan, arm.combination, LIBRARY)
        recipe, _ = compose(arm.combination, gan, settings, LIBRARY)
        if arm.combination["architecture"] == gan.id and gan.network.change.structure:
            assert recipe.structure.name == gan.network.change.structure.name


def test_no_recipe_has_two_penalties_that_its_combination_does_not_name():
    (dragan,) = [arm for arm in arms(task="unconditional") if arm.gan == "dragan"]
    recipe, _ = compose(dragan.combination, LIBRARY.gans["dragan"], (), LIBRARY)
    assert [part.name for part in recipe.penalties] == ["dragan"]


def test_settings_go_with_the_loss_where_a_system_is_played_with_another():
    cgan, own = LIBRARY.gans["cgan"], dict(LIBRARY.gans["cgan"].combination)
    with_penalty = {**own, "loss": "wgan-gp", "regularization": "gradient-penalty"}
    settings = published(cgan, with_penalty, LIBRARY)
    assert settings == LIBRARY.gans["wgan-gp"].settings
    recipe, _ = compose(with_penalty, cgan, settings, LIBRARY)
    assert recipe.optimizer.critic_steps == 5
    assert recipe.structure.name == "conditional"


def test_the_control_arm_is_the_baseline_on_a_system_of_the_task():
    control = recommend({"task": "class-conditional"}, LIBRARY, robust=False).control
    assert control.recipe.structure.name == "conditional"
    assert control.recipe.loss.name == "non-saturating"
    assert [part.name for part in control.recipe.normalizers] == ["spectral-norm"]


def test_wrong_labels_call_for_systems_that_model_them():
    found = arms(task="class-conditional", label_noise="noisy")
    assert {arm.gan for arm in found} == {"racgan", "rcgan"}


def test_a_patch_critic_may_use_least_squares_on_large_images():
    assert "cyclegan" in {arm.gan for arm in arms(task="unpaired-translation", resolution=512)}


def test_nothing_that_trains_for_days_where_there_are_hours():
    slow = {g.id for g in LIBRARY.nodes if g.network and "takes-days" in g.network.tags}
    for task in TASKS:
        assert not slow & {arm.gan for arm in arms(task=task, gpu_hours=8)}
    assert slow & {arm.gan for arm in arms(task="unconditional", gpu_hours=800)}


def test_a_system_is_not_dropped_for_losing_to_one_that_is_out_of_the_game():
    """rAC-GAN beats AC-GAN where labels are wrong; nobody asked for that here."""
    assert "acgan" in {arm.gan for arm in arms(task="class-conditional", needs=["quality"])}


def test_silence_of_the_sources_is_no_vote_against_a_system():
    found = arms(task="unpaired-translation", needs=["quality"])
    assert {arm.gan for arm in found} == {"cyclegan", "dualgan"}


def test_a_rule_is_silenced_by_what_it_makes_an_exception_of():
    fires = {rule.id for rule in Advice({"task": "single-image"}, LIBRARY).rules}
    assert "k07" not in fires
    assert "k07" in {rule.id for rule in Advice({"task": "unconditional"}, LIBRARY).rules}


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"images": 50, "pretrained": "none"}, "too-few-images"),
        ({"images": 50}, None),
        ({"images": 1, "pretrained": "none", "task": "single-image"}, None),
        ({"purpose": "likelihoods"}, "no-likelihoods"),
        ({"purpose": "augmentation"}, None),
        ({"modality": "time-series"}, "no-images"),
    ],
)
def test_refusals(answers, says):
    refusal = recommend(checked(answers, LIBRARY), LIBRARY, robust=False).refusal
    assert (refusal.rule if refusal else None) == says


def test_what_would_sharpen_the_advice_are_questions_that_still_matter():
    open_ = recommend({"task": "paired-translation"}, LIBRARY, robust=False).unknown
    assert "pairs" in open_
    assert "inversion" not in open_  # no rule on it speaks of this task
    assert set(open_) <= LIBRARY.questions.keys()


@pytest.mark.parametrize("task", TASKS)
def test_each_candidate_says_how_it_usually_fails_and_who_says_so(task):
    found = recommend({"task": task}, LIBRARY, top=40, robust=False)
    for each in found.arms:
        assert each.fails or each.troubles, each.id
        for failure in each.fails:
            assert failure.citations or failure.sources, failure.says
        assert any(failure.then for failure in each.fails) or each.troubles, each.id
