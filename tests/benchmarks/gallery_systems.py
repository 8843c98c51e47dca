"""What the gallery shows: systems, and the data that all of them are trained on alike."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from knowledge.library import Library
from knowledge.recipes import recipe_of
from knowledge.schema import Part, Recipe
from runner.plan import Overrides, overridden


class System(NamedTuple):
    """A row of the gallery."""

    id: str
    name: str
    recipe: str  # of the knowledge base
    change: Mapping[str, Any] = {}  # what is done to it
    healthy: str | None = None  # the same without what a rule speaks against
    because: str | None = None  # why it is here, where it is not for its name


NO_NORM = {"critic_norm": "none"}
PLAIN = "it was published with batch norm in its critic"

SYSTEMS = (
    System("mm-gan", "minimax GAN", "mm-gan"),
    System("ns-gan", "non-saturating GAN", "ns-gan"),
    System("vaegan", "VAE-GAN", "vaegan"),
    System("fgan", "f-GAN, GAN and Jensen–Shannon", "fgan", healthy="mm-gan"),
    System("fgan-kl", "f-GAN, KL", "fgan:kl", healthy="fgan-kl-plain"),
    System(
        "fgan-reverse-kl",
        "f-GAN, reverse KL",
        "fgan:reverse-kl",
        healthy="fgan-reverse-kl-plain",
    ),
    System("fgan-pearson", "f-GAN, Pearson χ²", "fgan:pearson"),
    System("fgan-neyman", "f-GAN, Neyman χ²", "fgan:neyman"),
    System("fgan-squared-hellinger", "f-GAN, squared Hellinger", "fgan:squared-hellinger"),
    System("fgan-total-variation", "f-GAN, total variation", "fgan:total-variation"),
    System("fgan-alpha", "f-GAN, α = 1/2", "fgan:alpha"),
    System("lsgan", "LSGAN, 0-1-1", "lsgan"),
    System("lsgan-symmetric", "LSGAN, −1-1-0", "lsgan:symmetric"),
    System("ls-gan", "LS-GAN, loss-sensitive", "ls-gan"),
    System("gls-gan", "GLS-GAN", "gls-gan"),
    System("wgan", "WGAN", "wgan"),
    System("geometric-gan", "Geometric GAN", "geometric-gan", healthy="geometric-gan-plain"),
    System("wgan-gp", "WGAN-GP", "wgan-gp"),
    System("sn-gan", "SN-GAN, hinge", "sn-gan"),
    System("sn-gan-non-saturating", "SN-GAN, non-saturating", "sn-gan:non-saturating"),
    System("rsgan", "RSGAN", "rsgan"),
    System(
        "rsgan-gp",
        "RSGAN, penalty alone",
        "rsgan",
        {"normalizers": []},
        because="the recipe of RSGAN has spectral norm beside its penalty, as its authors' code",
    ),
    System("rasgan", "RaSGAN", "rasgan"),
    System("ralsgan", "RaLSGAN", "ralsgan"),
    System("rahinge", "RaHingeGAN", "rasgan:hinge"),
    System("dragan", "DRAGAN", "dragan"),
    System("began", "BEGAN", "began"),
    System("ebgan", "EBGAN, pulling away", "ebgan"),
    System("vae", "VAE (no GAN)", "vae"),
    System("r3gan", "R3GAN-like", "rsgan:r3gan"),
    # What a rule speaks against in a published system, taken away.
    System("fgan-kl-plain", "f-GAN, KL, plain critic", "fgan:kl", NO_NORM, because=PLAIN),
    System(
        "fgan-reverse-kl-plain",
        "f-GAN, reverse KL, plain critic",
        "fgan:reverse-kl",
        NO_NORM,
        because=PLAIN,
    ),
    System(
        "geometric-gan-plain",
        "Geometric GAN, plain critic",
        "geometric-gan",
        NO_NORM,
        because=PLAIN,
    ),
    # Made sick on purpose, against a rule.
    System("sick-wgan-adam", "WGAN, clipping and Adam", "wgan:adam", healthy="wgan"),
    System(
        "sick-gp-batch-norm",
        "WGAN-GP, batch norm in the critic",
        "wgan-gp",
        {"critic_norm": "batch-norm", "despite": ["k05"]},
        healthy="wgan-gp",
    ),
    System(
        "sick-no-lipschitz",
        "WGAN without clipping",
        "wgan",
        {"constraints": [], "despite": ["k03"]},
        healthy="wgan",
    ),
)


class Ground(NamedTuple):
    """A column: what all systems are trained on alike."""

    data: str
    budget: str  # the option that says how many real samples
    seeds: int
    request: Mapping[str, Any]
    settings: Mapping[str, Any] = {}  # of every recipe
    optimizer: Mapping[str, Any] = {}


# Published rates are of images, and of ten times the steps: a toy takes one for all, which falls.
TOY: dict[str, Any] = {
    "seeds": 3,
    # The truth takes points of its own; the exact distance of 2,500 takes longer than the training.
    "request": {"looks": 1, "samples": 500, "look_samples": 200},
    "settings": {
        "backbone": Part(name="mlp", settings={"width": 64, "depth": 3}),
        "latent_dim": 2,
        "batch_size": 256,
    },
    "optimizer": {"rate": 2e-3, "decay_from": 0.5},
}
GROUNDS = (
    Ground("ring8", "toys_budget", **TOY),
    Ground("grid25", "toys_budget", **TOY),
    Ground(
        "fashion-mnist",
        "images_budget",
        1,
        {
            "features": "efficientnet-lite0",
            "samples": 3_000,
            "looks": 3,
            "look_samples": 1_000,
            "overrides": Overrides(backbone="dcgan", width=24, batch_size=32),
        },
    ),
)


def recipe_for(
    system: System, ground: Ground, library: Library, *, as_trained: bool = False
) -> Recipe:
    """Its published settings, but for what the ground sets for all alike.

    `as_trained`: with what the runner is asked to override, too.
    """
    recipe = changed(recipe_of(system.recipe, library), system.change)
    optimizer = recipe.optimizer.model_copy(update=ground.optimizer)
    recipe = changed(recipe, {**ground.settings, "optimizer": optimizer})
    return (
        overridden(recipe, ground.request.get("overrides", Overrides())) if as_trained else recipe
    )


def changed(recipe: Recipe, change: Mapping[str, Any]) -> Recipe:
    return Recipe.model_validate({**recipe.model_dump(), **change})
