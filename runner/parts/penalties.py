"""Terms beside a loss. Those that keep a critic's slopes small are worked out in float32."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from runner.parts.augmentations import flipped, shifted
from runner.parts.normalizers import Weighted, weighted
from runner.parts.registry import Count, NonNegative, Positive, Registry, Share
from runner.scene import Lazy, Term

Critic = Callable[[Tensor], Tensor]


def every(term: Term, *, interval: Count = 1) -> Term:
    """Any penalty can be applied to every `interval`-th critic step only."""
    return Lazy(term, interval)


penalty = Registry[Tensor]("penalty", around=every)
generator_penalty = Registry[Tensor]("generator penalty", around=every)


@penalty
def gradient_penalty(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
    *,
    weight: NonNegative = 10.0,
    target: NonNegative = 1.0,
    one_sided: bool = False,
) -> Tensor:
    """Slope one between real and fake images (Gulrajani et al., 2017, Eq. 3).

    One-sided: only steeper than the target costs (their section 4; Petzka et al., 2018).
    """
    share = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
    between = real.lerp(fake.detach().float(), share)
    return weight * off_target(critic, between, target, one_sided)


@penalty
def dragan(
    critic: Critic,
    real: Tensor,
    rng: torch.Generator,
    *,
    weight: NonNegative = 10.0,
    target: NonNegative = 1.0,
    spread: Positive = 0.5,
    one_sided: bool = False,
) -> Tensor:
    """Slope one around real images (Kodali et al., 2017, with the noise of its code)."""
    noise = torch.rand(real.shape, generator=rng, device=real.device)
    share = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
    nearby = real + share * spread * real.std() * noise
    return weight * off_target(critic, nearby, target, one_sided)


@penalty
def r1(critic: Critic, real: Tensor, *, gamma: NonNegative = 10.0) -> Tensor:
    """Flat at real images (Mescheder et al., 2018, Eq. 9)."""
    return gamma / 2 * slopes(critic, real).square().sum(1).mean()


@penalty
def r2(critic: Critic, fake: Tensor, *, gamma: NonNegative = 10.0) -> Tensor:
    """Flat at fake images (Mescheder et al., 2018, Eq. 10)."""
    return gamma / 2 * slopes(critic, fake).square().sum(1).mean()


@penalty
def orthonormal(critic: nn.Module, *, weight: NonNegative = 1e-4) -> Tensor:
    """Orthonormal rows, or columns where there are fewer: |W W' - 1|^2 in Frobenius' norm.

    Brock et al. (2017) take absolute values; squared as in Miyato et al. (2018).
    """
    layers = weighted(critic)
    with in_float32(layers[0].weight):
        matrices = [by_output(layer).flatten(1) for layer in layers]
        grams = [w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w for w in matrices]
        off = [(gram - torch.eye(len(gram), device=gram.device)).square().sum() for gram in grams]
        return weight * torch.stack(off).sum()


@penalty
def consistency(
    critic: Critic,
    real: Tensor,
    real_score: Tensor,
    rng: torch.Generator,
    *,
    weight: NonNegative = 10.0,
    reach: Share = 0.125,
    flip: bool = True,
) -> Tensor:
    """The same score for a real image, mirrored and moved a little (Zhang et al., 2020, Eq. 3).

    `reach` is the longest way of the move, as a share of the image's side.
    """
    twin = shifted(flipped(real, rng) if flip else real, rng, reach)
    return weight * (real_score - critic(twin).float()).square().mean()


@generator_penalty
def pulling_away(fake_features: Tensor, *, weight: NonNegative = 0.1) -> Tensor:
    """Generated images unlike each other, to the critic's eye (Zhao et al., 2017, Eq. 3).

    The mean squared cosine between the features of two images of a batch.
    """
    with in_float32(fake_features):
        features = normalize(fake_features.float().flatten(1), dim=1)
        cosines = (features @ features.T).square()
        count = len(features)
        return weight * (cosines.sum() - cosines.diagonal().sum()) / (count * (count - 1))


def by_output(layer: Weighted) -> Tensor:
    """A layer's weights, the dimension of its outputs first."""
    turned = isinstance(layer, nn.ConvTranspose2d)
    return layer.weight.transpose(0, 1) if turned else layer.weight


def off_target(critic: Critic, images: Tensor, target: float, one_sided: bool) -> Tensor:
    steepness = slopes(critic, images).norm(dim=1) - target
    return (relu(steepness) if one_sided else steepness).square().mean()


def slopes(critic: Critic, images: Tensor) -> Tensor:
    """The critic's gradient at each image, one row per image, itself differentiable."""
    images = images.detach().float().requires_grad_()
    # bfloat16's 8 bits of mantissa are too few for a gradient of a gradient.
    with in_float32(images):
        (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return gradient.flatten(1)


def in_float32(tensor: Tensor) -> torch.autocast:
    return torch.autocast(tensor.device.type, enabled=False)
