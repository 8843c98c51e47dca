"""Games with a way back from images to codes: auto-encoders as critics, and VAEs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy

from runner import parts
from runner.parts.backbones import he
from runner.parts.normalizers import weighted
from runner.parts.registry import Count, NonNegative, Positive
from runner.scene import Game, ImageShape, Quantity, Turn, renamed
from runner.structures.cast import Cast
from runner.structures.plain import quantities, structure, two_players

Error = Literal["mean-absolute", "euclidean"]


@structure
def auto_encoder_critic(cast: Cast, *, code: Count = 64, error: Error = "mean-absolute") -> Game:
    """A score is minus the error of a reconstruction (EBGAN: Zhao et al., 2017; BEGAN).

    EBGAN measures it by Euclid's distance, BEGAN (Berthelot et al., 2017) by the mean absolute
    one. The critic is the backbone's critic, down to a code, and its generator, back up.
    """
    generator = cast.networks().generator
    encoder = cast.networks(outputs=code).critic
    decoder = cast.networks(latent_dim=code, generator_norm=cast.recipe.critic_norm).generator
    if cast.recipe.generator_norm == "none":
        carry(generator)
    if cast.recipe.critic_norm == "none":
        carry(encoder, decoder)
    game = two_players(cast, generator, AutoEncoder(encoder, decoder, error))
    own: dict[str, Quantity] = {
        "fake_features": lambda critic, fake_view: critic.features(fake_view),
        "fake_score": lambda critic, fake_view, fake_features: critic.score(
            fake_view, fake_features
        ),
    }
    return replace(game, quantities={**game.quantities, **own})


def carry(*networks: nn.Module) -> None:
    """Weights that keep signals alive through many layers.

    A DCGAN's narrow ones count on norms: without any, an auto-encoder of twice the depth gives the
    same image for all, and is long in learning otherwise.
    """
    for layer in (layer for network in networks for layer in weighted(network)):
        he(layer.weight)


class AutoEncoder(nn.Module):
    """Scores images by how well they are rebuilt: 0 at best."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, error: Error) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.error = error

    def features(self, images: Tensor) -> Tensor:
        """The codes."""
        codes: Tensor = self.encoder(images)
        return codes

    def score(self, images: Tensor, codes: Tensor) -> Tensor:
        off = (images.float() - self.decoder(codes).float()).flatten(1)
        error: Tensor = off.norm(dim=1) if self.error == "euclidean" else off.abs().mean(1)
        return -error

    def forward(self, images: Tensor) -> Tensor:
        return self.score(images, self.features(images))


@structure
def vae_gan(cast: Cast, *, weight: NonNegative = 1e-3) -> Game:
    """The decoder of a VAE is the generator of a GAN (Larsen et al., 2016, Algorithm 1).

    Images are rebuilt in the critic's features. The critic plays against samples and against
    reconstructions; real images count in both, which keeps real and generated ones level. The
    encoder moves by what is rebuilt and by its prior, never by the critic's verdict; the generator
    by both, `weight` (the paper's gamma) times what is rebuilt. The default is a placeholder that
    keeps both of one size in a DCGAN of 32 px.
    """
    pair = cast.networks()
    game = two_players(cast, pair.generator, pair.critic)
    own: dict[str, Quantity] = {
        **encoding,
        # As they are: differently augmented twins would not match.
        "real_features": lambda critic, real: critic.features(real),
        "rebuilt_view": lambda rebuilt, rng: cast.view(rebuilt, rng),
        "rebuilt_features": lambda critic, rebuilt: critic.features(rebuilt),
        "rebuilt_score": lambda critic, rebuilt_view: critic(rebuilt_view).float(),
        "rebuilt_margin": renamed(game.quantities["margin"], fake="rebuilt"),
    }
    rebuilt = {"fake_score": "rebuilt_score", "margin": "rebuilt_margin"}

    def kept(real_features: Tensor, rebuilt_features: Tensor) -> Tensor:
        return weight * feature_error(real_features, rebuilt_features)

    critic, generator = game.turns
    against = {"critic-rebuilt": renamed(cast.loss.critic, **rebuilt)}
    critic = replace(critic, terms={**critic.terms, **against})
    encoder = Turn(
        players=("encoder",),
        terms={"encoder": feature_error, "prior": to_prior},
        optimizer=generator.optimizer,
        fresh=False,
    )
    with_code = {"generator-rebuilt": renamed(cast.loss.generator, **rebuilt), "kept": kept}
    # The encoder's turn, which comes between, generates nothing that it could share.
    generator = replace(generator, terms={**generator.terms, **with_code}, shares=())
    networks = nn.ModuleDict({**game.networks, "encoder": encoder_of(cast)})
    return replace(
        game,
        networks=networks,
        quantities={**game.quantities, **own},
        turns=(critic, encoder, generator),
        averaged=("generator", "encoder"),
    )


@structure
def vae(cast: Cast, *, noise: Positive = 0.1) -> Game:
    """No GAN: the variational auto-encoder that studies compare with (Kingma and Welling, 2014).

    Pixels are taken for probabilities, as Lucic et al. (2018) do; points of a plane are seen
    through Gaussian noise of this deviation. Divergence, loss and penalties of a recipe play no
    part, nor does a critic.
    """
    networks = {"generator": cast.networks().generator, "encoder": encoder_of(cast)}
    rebuild = {"rebuilding": likelihood(cast.image, noise), "prior": to_prior}
    turn = Turn(
        players=("encoder", "generator"),
        terms=rebuild,
        optimizer=parts.generator_optimizer(cast.recipe.optimizer),
    )
    return Game(
        cast.image,
        nn.ModuleDict(networks),
        {**quantities(cast), **encoding},
        (turn,),
        averaged=("generator", "encoder"),
    )


def encoder_of(cast: Cast) -> nn.Module:
    """Images to means and logarithms of variances, normalised as the generator is."""
    norm = cast.recipe.generator_norm
    return cast.networks(outputs=2 * cast.recipe.latent_dim, critic_norm=norm).critic


def draw_code(code_is: Tensor, rng: torch.Generator) -> Tensor:
    """A code from what is known of it (Kingma and Welling, 2014, section 2.4)."""
    mean, log_variance = code_is.chunk(2, 1)
    noise = torch.randn(mean.shape, generator=rng, device=mean.device)
    return mean + noise * (log_variance / 2).exp()


encoding: Mapping[str, Quantity] = {
    "code_is": lambda encoder, real: encoder(real).float(),
    "code": draw_code,
    "rebuilt": lambda generator, code: generator(code),
}


def to_prior(code_is: Tensor) -> Tensor:
    """KL from the codes of an image to N(0, 1), summed over dimensions, the mean over images."""
    mean, log_variance = code_is.chunk(2, 1)
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2


def feature_error(real_features: Tensor, rebuilt_features: Tensor) -> Tensor:
    """Minus log likelihood under unit noise but for a constant, the mean over images."""
    off = (real_features.float() - rebuilt_features.float()).flatten(1)
    return off.square().sum(1).mean() / 2


def likelihood(image: ImageShape, noise: float) -> Quantity:
    """Minus the log likelihood of images, summed over pixels, the mean over images."""

    def of_points(real: Tensor, rebuilt: Tensor) -> Tensor:
        return (real - rebuilt.float()).square().flatten(1).sum(1).mean() / (2 * noise**2)

    def of_pixels(real: Tensor, rebuilt: Tensor) -> Tensor:
        with torch.autocast(real.device.type, enabled=False):
            chance, wanted = (rebuilt.float() + 1) / 2, (real.float() + 1) / 2
            return binary_cross_entropy(chance, wanted, reduction="sum") / len(real)

    return of_points if image.size == 1 else of_pixels
