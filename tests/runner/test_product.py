"""The whole coherent product: every recipe that the rules allow takes two steps on eight images."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import pytest
import torch

from knowledge.library import load
from knowledge.recipes import Reading, excludes, hard_rules, merged, objections
from knowledge.schema import SLOTS, Recipe
from runner import parts
from runner.game import build
from runner.scene import ImageShape
from runner.structures import structure
from runner.train import train

LIBRARY = load()
IMAGE = ImageShape(channels=1, size=8, classes=2)
NARROW = 4


def published() -> Iterator[tuple[Reading, Recipe]]:
    """Every combination of the axes, with the options that later systems add."""
    axes = [LIBRARY.axes[slot].options for slot in SLOTS]
    for options in product(*axes):
        tags = zip(SLOTS, (option.tags | {option.id} for option in options), strict=True)
        yield Reading(dict(tags)), merged(option.change for option in options)


def of_parts() -> Iterator[Recipe]:
    """Every part of the registries that may join a recipe, on the smallest backbone."""
    regularizers = [
        *({"penalties": ({"name": name},)} for name in parts.penalty.known),
        *({"normalizers": ({"name": name},)} for name in parts.normalizer.known),
        *({"constraints": ({"name": name},)} for name in parts.constraint.known),
        *({"augmentations": ({"name": name},)} for name in parts.augmentation.known),
        {"generator_penalties": ({"name": "pulling-away"},)},
        {"optimizer": {"critic_weight_decay": 1e-4}},
        {},
    ]
    for wiring, loss, divergence, norm, regularizer in product(
        [name for name in structure.known if name != "vae"],  # which has no critic
        parts.loss.known,
        parts.divergence.known,
        ("none", "batch-norm", "layer-norm"),
        regularizers,
    ):
        plain = {"structure": {"name": wiring}, "backbone": {"name": "mlp"}, "critic_norm": norm}
        own = {"divergence": divergence, "loss": {"name": loss}, **regularizer}
        yield Recipe.model_validate({**plain, **own})


def coherent(recipes: Iterator[Recipe]) -> list[Recipe]:
    """Each once."""
    distinct = {recipe.model_dump_json(): recipe for recipe in recipes}
    return [recipe for recipe in distinct.values() if not objections(recipe, LIBRARY)]


def test_what_is_coherent_as_a_combination_is_so_as_a_recipe():
    rules = tuple(hard_rules(LIBRARY))
    allowed = 0
    for reading, recipe in published():
        if recipe.structure.name == "plain" and not any(excludes(r, reading) for r in rules):
            allowed += 1
            assert objections(recipe, LIBRARY) == ()
    assert allowed > 500


class Eight:
    """The same eight images, again and again."""

    images = torch.rand(8, *IMAGE[:1], 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def __next__(self):
        return {"real": self.images, "labels": torch.arange(8) % 2}

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def buildable(recipe: Recipe) -> bool:
    """An MLP has no maps to normalise, and weights are normalised once. Tested elsewhere."""
    mapless = recipe.backbone.name == "mlp" and recipe.critic_norm == "instance-norm"
    return not mapless and len(recipe.normalizers) < 2


def fault(recipe: Recipe) -> str | None:
    """What goes wrong in two rounds, if anything does."""
    torch.set_num_threads(1)
    backbone = recipe.backbone.model_copy(update={"settings": {"width": NARROW}})
    optimizer = recipe.optimizer.model_copy(update={"critic_steps": 1})
    small = {"backbone": backbone, "optimizer": optimizer, "latent_dim": 4, "batch_size": 8}
    recipe = recipe.model_copy(update=small)
    says = recipe.model_dump_json(exclude_defaults=True)
    game = build(recipe, IMAGE, 0)
    players = {player for turn in game.turns for player in turn.players}
    before = {name: weights(game.networks[name]) for name in players}
    try:
        done = train(game, recipe, Eight(), budget=16, precision="float32", average_half_life=0)
    except (ArithmeticError, LookupError, RuntimeError, TypeError) as error:
        return f"{says}: {error!r}"
    rests = [n for n, old in before.items() if torch.equal(old, weights(done.game.networks[n]))]
    return f"{says}: {rests} did not learn" if rests else None


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


@pytest.mark.slow
@pytest.mark.parametrize("recipes", [lambda: (r for _, r in published()), of_parts],
                         ids=["axes", "parts"])  # fmt: skip
def test_the_whole_coherent_product_plays(recipes, capsys):
    able = [recipe for recipe in coherent(recipes()) if buildable(recipe)]
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, mp_context=get_context("forkserver")) as pool:
        faults = [why for why in pool.map(fault, able, chunksize=50) if why]
    with capsys.disabled():
        print(f"\n{len(able):,} coherent recipes played, {len(faults)} failed")
    assert not faults, "\n".join(faults[:20])
    assert len(able) > 250
