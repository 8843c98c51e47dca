"""A recipe put together: networks, named quantities and turns."""

from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from knowledge.library import Library, load, user_overlay
from knowledge.recipes import objections
from knowledge.schema import Recipe
from runner.parts import PartError
from runner.scene import Game, ImageShape, Scene
from runner.structures import TOLD, Cast, check_labels, structure


def build(recipe: Recipe, image: ImageShape, seed: int) -> Game:
    """On the CPU, with weights drawn from the seed.

    Raises PartError for parts and settings that do not exist, Incoherent for what should not be.
    """
    check_coherence(recipe)
    if recipe.structure.name in TOLD:
        check_labels(recipe, image)  # first: to have none is what can be mended
    cast = Cast.of(recipe, image)
    make = game_of(recipe)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make(cast)


def game_of(recipe: Recipe) -> Callable[..., Game]:
    try:
        return structure.get(recipe.structure)
    except PartError as error:
        raise PartError(f"this game cannot be built here: {error}") from None


class Incoherent(PartError):
    """A rule of the knowledge base excludes the recipe, whatever anybody's answers are."""


def check_coherence(recipe: Recipe) -> None:
    against = objections(recipe, rule_book())
    if against:
        why = " ".join(f"{rule.says}: {rule.because} ({rule.id})" for rule in against)
        instead = ", ".join(rule.instead for rule in against if rule.instead)
        raise Incoherent(
            f"this recipe is incoherent. {why}"
            + (f" Take instead: {instead}." if instead else "")
            + f" To build it all the same: despite: [{', '.join(rule.id for rule in against)}]"
        )


@cache
def rule_book() -> Library:
    own = user_overlay()
    return load(overlays=(own,) if own else ())


@torch.no_grad()
def sample(game: Game, count: int, *, seed: int, batch_size: int = 250) -> Iterator[Tensor]:
    """Batches of `count` generated images in all, (N, C, H, W) in [-1, 1], float32, in eval mode.

    Latents are drawn on the CPU, in whole batches: the same seed and batch size give the same
    first images for every count and on every device.
    """
    device = next(game.networks.parameters()).device
    rng = torch.Generator().manual_seed(seed)
    modes = {network: network.training for network in game.networks.values()}
    game.networks.eval()
    try:
        while count > 0:
            given = {**game.networks, "count": batch_size, "rng": rng, "device": device}
            yield Scene(game.quantities, given)["fake"][:count]
            count -= batch_size
    finally:
        for network, training in modes.items():
            network.train(training)
