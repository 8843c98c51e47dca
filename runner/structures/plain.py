"""A generator and a critic that see nothing but latents and images."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from runner.parts import Registry
from runner.scene import Game, Quantity
from runner.structures.cast import Cast

structure = Registry[Game]("structure")


@structure
def plain(cast: Cast) -> Game:
    """Goodfellow et al. (2014)."""
    pair = cast.networks()
    return two_players(cast, pair.generator, pair.critic)


def two_players(cast: Cast, generator: nn.Module, critic: nn.Module) -> Game:
    networks = {"generator": generator, "critic": cast.normalized(critic), **cast.loss.state}
    turns = (cast.critic_turn(), cast.generator_turn())
    return Game(cast.image, nn.ModuleDict(networks), quantities(cast), turns)


def quantities(cast: Cast) -> Mapping[str, Quantity]:
    """Given are the networks, a batch (`real`), its length `count`, `rng` and `device`."""

    def latents(count: int, rng: torch.Generator, device: torch.device) -> Tensor:
        drawn = torch.randn(count, cast.recipe.latent_dim, generator=rng, device=rng.device)
        return drawn.to(device)

    return {
        "latents": latents,
        "fake": lambda generator, latents: generator(latents),
        "real_view": lambda real, rng: cast.view(real, rng),
        "fake_view": lambda fake, rng: cast.view(fake, rng),
        # Under autocast scores come in bfloat16, whose 8 bits are too few for a loss.
        "real_score": lambda critic, real_view: critic(real_view).float(),
        "fake_score": lambda critic, fake_view: critic(fake_view).float(),
        "fake_features": lambda critic, fake_view: critic.features(fake_view),
        "margin": margin,
    }


def margin(real: Tensor, fake: Tensor) -> Tensor:
    """How far apart paired images are: the mean absolute difference of their pixels, (N,)."""
    return (real - fake.float()).abs().flatten(1).mean(1)
