"""A recipe put together: networks, named quantities and turns."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from knowledge.schema import Part, Recipe
from runner import parts
from runner.parts import Registry
from runner.scene import Game, ImageShape, Quantity, Scene, Turn


def build(recipe: Recipe, image: ImageShape, seed: int) -> Game:
    """On the CPU, with weights drawn from the seed. Raises PartError."""
    quantities = structure.get(recipe.structure)(recipe.latent_dim)
    divergence = parts.divergence.get(Part(name=recipe.divergence))()
    loss = parts.loss.get(recipe.loss)(divergence)
    penalties = {part.name: parts.penalty.get(part) for part in recipe.penalties}
    constraints = tuple(parts.constraint.get(part) for part in recipe.constraints)
    critic = Turn(
        players=("critic",),
        terms={"critic": loss.critic, **penalties},
        optimizer=parts.critic_optimizer(recipe.optimizer),
        times=recipe.optimizer.critic_steps,
        after=constraints,
    )
    generator = Turn(
        players=("generator",),
        terms={"generator": loss.generator},
        optimizer=parts.generator_optimizer(recipe.optimizer),
        fresh=False,
    )
    return Game(image, networks(recipe, image, seed), quantities, (critic, generator))


def networks(recipe: Recipe, image: ImageShape, seed: int) -> nn.ModuleDict:
    make = parts.backbone.get(recipe.backbone)
    normalizers = [parts.normalizer.get(part) for part in recipe.normalizers]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        pair = make(image, recipe.latent_dim, recipe.critic_norm, recipe.generator_norm)
        for rebuild in normalizers:
            rebuild(pair.critic)
    return nn.ModuleDict({"generator": pair.generator, "critic": pair.critic})


structure = Registry[Mapping[str, Quantity]]("structure")


@structure
def plain(latent_dim: int) -> dict[str, Quantity]:
    """A generator and a critic that see nothing but latents and images.

    Given are the networks, a batch (`real`), its length `count`, `rng` and `device`.
    """

    def latents(count: int, rng: torch.Generator, device: torch.device) -> Tensor:
        return torch.randn(count, latent_dim, generator=rng, device=rng.device).to(device)

    return {
        "latents": latents,
        "fake": lambda generator, latents: generator(latents),
        # Under autocast scores come in bfloat16, whose 8 bits are too few for a loss.
        "real_score": lambda critic, real: critic(real).float(),
        "fake_score": lambda critic, fake: critic(fake).float(),
        "margin": margin,
    }


def margin(real: Tensor, fake: Tensor) -> Tensor:
    """How far apart paired images are: the mean absolute difference of their pixels, (N,)."""
    return (real - fake.float()).abs().flatten(1).mean(1)


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
