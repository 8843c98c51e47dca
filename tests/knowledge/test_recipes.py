"""Published systems as recipes, and what the rules say of a recipe."""

import pytest

from knowledge.library import load
from knowledge.recipes import UnknownSystem, objections, recipe_of
from knowledge.schema import Recipe

LIBRARY = load()
FORMS = [
    name
    for gan in LIBRARY.gans.values()
    for name in (gan.id, *(f"{gan.id}:{variation}" for variation in gan.variations))
]


@pytest.mark.parametrize("name", FORMS)
def test_every_published_system_is_a_coherent_recipe(name):
    assert objections(recipe_of(name, LIBRARY), LIBRARY) == ()


def test_a_recipe_joins_place_own_parts_and_published_settings():
    recipe = recipe_of("wgan-gp", LIBRARY)
    assert (recipe.divergence, recipe.loss.name) == ("wasserstein", "minimax")
    assert [part.name for part in recipe.penalties] == ["gradient-penalty"]
    optimizer = recipe.optimizer
    assert (optimizer.rate, optimizer.betas, optimizer.critic_steps) == (1e-4, (0.0, 0.9), 5)


def test_a_system_that_brings_no_loss_takes_the_standard_one():
    dcgan = recipe_of("dcgan", LIBRARY)
    assert dcgan.backbone.name == "dcgan"
    assert dcgan.loss == recipe_of("gan", LIBRARY).loss


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wgan-pg", "no system is called 'wgan-pg': did you mean 'wgan-gp'"),
        ("fgan:person", "fgan has no variation 'person': did you mean 'pearson'"),
    ],
)
def test_unknown_names_get_the_nearest(name, says):
    with pytest.raises(UnknownSystem, match=says):
        recipe_of(name, LIBRARY)


WASSERSTEIN = {"divergence": "wasserstein", "loss": {"name": "minimax"}}
PENALTY = {"penalties": [{"name": "gradient-penalty"}]}
CLIPPING = {"constraints": [{"name": "weight-clipping"}]}
SPECTRAL = {"normalizers": [{"name": "spectral-norm"}]}


def against(**changes):
    plain = {
        "backbone": {"name": "dcgan"},
        "divergence": "jensen-shannon",
        "loss": {"name": "non-saturating"},
    }
    recipe = Recipe.model_validate(plain | changes)
    return [rule.id for rule in objections(recipe, LIBRARY)]


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"critic_norm": "batch-norm"}, []),
        ({"critic_norm": "batch-norm", **PENALTY}, ["k05"]),
        ({"critic_norm": "layer-norm", **PENALTY}, []),
        ({"critic_norm": "layer-norm", **SPECTRAL}, ["k06"]),
        (WASSERSTEIN, ["k03"]),
        ({**WASSERSTEIN, **CLIPPING}, []),
        ({**WASSERSTEIN, **PENALTY}, []),  # WGAN-GP, and no WGAN without its clipping
        ({**WASSERSTEIN, **PENALTY, "critic_norm": "batch-norm"}, ["k05"]),
        (CLIPPING, ["k04"]),
        ({"divergence": "kl"}, []),  # the non-saturating step of f-GAN, section 3.2
        ({"divergence": "squared-hellinger"}, []),
        ({"divergence": "kl", "loss": {"name": "loss-sensitive"},
          "optimizer": {"critic_weight_decay": 0.1}}, ["k08"]),
        ({"divergence": "kl", "loss": {"name": "minimax"}}, []),  # f-GAN
        ({"divergence": "wasserstein", "loss": {"name": "loss-sensitive"}}, ["k11"]),
        ({"optimizer": {"critic_weight_decay": 0.1}}, ["k11-decay"]),
        # No source has this loss: the rules that do not speak of losses are left.
        ({"divergence": "neyman", "loss": {"name": "relativistic"}, **CLIPPING}, []),
        (
            {"divergence": "neyman", "loss": {"name": "relativistic"}, **PENALTY,
             "critic_norm": "batch-norm"},
            ["k05"],
        ),
    ],
)  # fmt: skip
def test_rules_read_recipes_by_their_tags(changes, rules):
    assert against(**changes) == rules
    assert against(**changes, despite=rules) == []
