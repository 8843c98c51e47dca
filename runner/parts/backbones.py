"""Pairs of networks that fit together."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log2, prod, sqrt
from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from torch import Tensor, nn

from runner.parts.registry import Count, PartError, Registry
from runner.scene import ImageShape

Norm = Literal["none", "batch-norm", "layer-norm", "instance-norm"]


class Networks(NamedTuple):
    generator: nn.Module  # latents (N, latent_dim) -> images (N, C, H, W) in [-1, 1], or points
    critic: "Critic"  # images (N, C, H, W) -> scores (N,), unbounded


class Critic(nn.Module):
    """Judges features of images: the last hidden layer."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def features(self, images: Tensor) -> Tensor:
        seen: Tensor = self.body(images)
        return seen

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(images))
        return scores


# With `outputs` above 1 a critic gives as many numbers for an image, (N, outputs): an encoder is
# such a network.
backbone = Registry[Networks]("backbone")


@backbone
def mlp(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 512,
    depth: Count = 3,
) -> Networks:
    """Fully connected, `depth` hidden layers of `width` units (as in Arjovsky et al., 2017).

    Weights as in He et al. (2015). Points of the plane are not squashed: nothing bounds them, and
    many a critic drives a tanh to its ends, where no gradient brings it back.
    """
    widths = [width] * depth
    generator: list[nn.Module] = []
    for into, out in pairwise([latent_dim, *widths]):
        generator += [nn.Linear(into, out), *over_units(generator_norm, out), nn.ReLU()]
    generator += [nn.Linear(width, prod((image.channels, image.size, image.size)))]
    generator += [] if image.size == 1 else [nn.Tanh()]
    generator += [nn.Unflatten(1, (image.channels, image.size, image.size))]

    critic: list[nn.Module] = [nn.Flatten(), nn.Linear(image.channels * image.size**2, width)]
    critic += [nn.LeakyReLU(0.2)]
    for into, out in pairwise(widths):
        critic += [nn.Linear(into, out), *over_units(critic_norm, out), nn.LeakyReLU(0.2)]
    head = [nn.Linear(width, outputs), scores(outputs)]

    return initialised(he, generator, critic, head)


@backbone
def conv(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 64,
    depth: Count = 3,
) -> Networks:
    """SN-GAN's standard CNN (Miyato et al., 2018, Table 3), weights as in its authors' code.

    `depth` is how often the size is doubled and halved; the paper's is 3, and 2 px are the least.
    """
    depth = min(depth, max(1, int(log2(image.size)) - 1))
    allow(image, range(8, 129, min(8, 2**depth)), "conv")
    start, most = image.size // 2**depth, width * 2**depth
    generator: list[nn.Module] = [nn.Linear(latent_dim, most * start**2)]
    generator += [nn.Unflatten(1, (most, start, start))]
    generator += [*over_maps(generator_norm, most), nn.ReLU()]
    widths = [width * 2**level for level in range(depth + 1)]
    for into, out in pairwise(reversed(widths)):
        generator += [
            nn.ConvTranspose2d(into, out, 4, 2, 1, bias=needs_bias(generator_norm)),
            *over_maps(generator_norm, out),
            nn.ReLU(),
        ]
    generator += [nn.Conv2d(width, image.channels, 3, 1, 1), nn.Tanh()]

    critic: list[nn.Module] = [nn.Conv2d(image.channels, width, 3, 1, 1), nn.LeakyReLU(0.1)]
    for into in widths[:-1]:
        for out, kernel, stride in ((into, 4, 2), (2 * into, 3, 1)):
            critic += [
                nn.Conv2d(into, out, kernel, stride, 1, bias=needs_bias(critic_norm)),
                *over_maps(critic_norm, out),
                nn.LeakyReLU(0.1),
            ]
    head = [nn.Flatten(), nn.Linear(most * start**2, outputs), scores(outputs)]
    return initialised(narrow_normal, generator, critic, head)


@backbone
def dcgan(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 64,
    depth: Count = 5,
) -> Networks:
    """Strided convolutions only (Radford et al., 2016, section 3); `width` at half the image size.

    Norms everywhere but at the generator's output and the critic's input. `depth` is how often the
    size is doubled and halved; in the paper, and at most, between 4 px and the image.
    """
    allow(image, (8, 16, 32, 64, 128), "dcgan")
    depth = min(depth, int(log2(image.size)) - 2)
    start = image.size // 2**depth
    widths = [width * 2**i for i in range(depth)]
    generator: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1, 1))]
    for into, out in pairwise([latent_dim, *reversed(widths)]):
        kernel, stride, padding = (4, 2, 1) if len(generator) > 1 else (start, 1, 0)
        generator += [
            nn.ConvTranspose2d(into, out, kernel, stride, padding, bias=needs_bias(generator_norm)),
            *over_maps(generator_norm, out),
            nn.ReLU(),
        ]
    generator += [nn.ConvTranspose2d(width, image.channels, 4, 2, 1), nn.Tanh()]

    critic: list[nn.Module] = [nn.Conv2d(image.channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for into, out in pairwise(widths):
        critic += [
            nn.Conv2d(into, out, 4, 2, 1, bias=needs_bias(critic_norm)),
            *over_maps(critic_norm, out),
            nn.LeakyReLU(0.2),
        ]
    head = [nn.Conv2d(widths[-1], outputs, start), scores(outputs)]
    return initialised(narrow_normal, generator, critic, head)


@backbone
def infogan(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 64,
) -> Networks:
    """The nets of InfoGAN (Chen et al., 2016, Table 1) that Lucic et al. (2018) give every GAN.

    Two strided convolutions and a hidden layer of 1024 units at the width 64.
    """
    allow(image, range(8, 129, 4), "infogan")
    start, hidden, flat = image.size // 4, 16 * width, 2 * width * (image.size // 4) ** 2
    generator: list[nn.Module] = [nn.Linear(latent_dim, hidden), *rows(generator_norm, hidden)]
    generator += [nn.ReLU(), nn.Linear(hidden, flat), nn.Unflatten(1, (2 * width, start, start))]
    generator += [*over_maps(generator_norm, 2 * width), nn.ReLU()]
    generator += [
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=needs_bias(generator_norm)),
        *over_maps(generator_norm, width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, image.channels, 4, 2, 1),
        nn.Tanh(),
    ]

    critic: list[nn.Module] = [nn.Conv2d(image.channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    critic += [
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=needs_bias(critic_norm)),
        *over_maps(critic_norm, 2 * width),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(flat, hidden),
        *rows(critic_norm, hidden),
        nn.LeakyReLU(0.2),
    ]
    head = [nn.Linear(hidden, outputs), scores(outputs)]
    return initialised(narrow_normal, generator, critic, head)


@backbone
def resnet(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 64,
    deeper: Annotated[int, Field(ge=0)] = 0,
    pooling: Literal["sum", "mean"] = "sum",
) -> Networks:
    """Residual networks of SN-GAN (Miyato et al., 2018, Tables 4 to 6) and WGAN-GP.

    Up to 32 px all blocks have the same width, above it halves with each doubling of the size.
    The critic ends in blocks that keep the size, 2 up to 32 px and 1 above, and `deeper` more.
    WGAN-GP (Gulrajani et al., 2017) pools by the mean, SN-GAN by the sum.
    """
    allow(image, (8, 16, 32, 64, 128), "resnet")
    doublings = int(log2(image.size)) - 2
    if image.size <= 32:
        start, ups = 4 * width, [4 * width] * doublings
        downs, last = [2 * width] * 2, [2 * width] * (2 + deeper)
    else:
        start, ups = 16 * width, [width * 2**i for i in reversed(range(doublings))]
        downs, last = ups[::-1], [16 * width] * (1 + deeper)

    generator: list[nn.Module] = [nn.Linear(latent_dim, start * 16), nn.Unflatten(1, (start, 4, 4))]
    for into, out in pairwise([start, *ups]):
        generator += [Residual(into, out, generator_norm, "up")]
    generator += [*over_maps(generator_norm, ups[-1]), nn.ReLU()]
    generator += [nn.Conv2d(ups[-1], image.channels, 3, 1, 1), nn.Tanh()]

    critic: list[nn.Module] = [Residual(image.channels, downs[0], critic_norm, "down", first=True)]
    for into, out in pairwise(downs):
        critic += [Residual(into, out, critic_norm, "down")]
    for into, out in pairwise([downs[-1], *last]):
        critic += [Residual(into, out, critic_norm, "keep")]
    critic += [nn.ReLU(), Pool(pooling)]
    head = [nn.Linear(last[-1], outputs), scores(outputs)]
    return initialised(nn.init.xavier_uniform_, generator, critic, head)


class Residual(nn.Module):
    """Norm, ReLU and convolution, twice, beside a shortcut (He et al., 2016b)."""

    def __init__(
        self,
        into: int,
        out: int,
        norm: Norm,
        resample: Literal["up", "down", "keep"],
        *,
        first: bool = False,  # its input is an image, which no ReLU may cut
    ) -> None:
        super().__init__()
        self.out, self.resample = out, resample
        hidden = out if first or resample == "up" else into
        up = [nn.Upsample(scale_factor=2)] if resample == "up" else []
        down = [nn.AvgPool2d(2)] if resample == "down" else []
        enter = [] if first else [*over_maps(norm, into), nn.ReLU()]
        self.residual = nn.Sequential(
            *enter,
            *up,
            nn.Conv2d(into, hidden, 3, 1, 1, bias=needs_bias(norm)),
            *over_maps(norm, hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, out, 3, 1, 1),
            *down,
        )
        # A 1x1 convolution commutes with resampling: at the smaller size it costs a quarter.
        change = [nn.Conv2d(into, out, 1)] if into != out or up or down else []
        self.shortcut = nn.Sequential(*down, *change, *up)

    def forward(self, maps: Tensor) -> Tensor:
        total: Tensor = self.shortcut(maps) + self.residual(maps)
        return total


class Pool(nn.Module):
    """Maps (N, C, H, W) to (N, C)."""

    def __init__(self, how: Literal["sum", "mean"]) -> None:
        super().__init__()
        self.how = how

    def forward(self, maps: Tensor) -> Tensor:
        return maps.sum((2, 3)) if self.how == "sum" else maps.mean((2, 3))


def over_maps(norm: Norm, channels: int) -> list[nn.Module]:
    """Each with a learnt scale and shift per channel."""
    if norm == "batch-norm":
        return [nn.BatchNorm2d(channels)]
    if norm == "instance-norm":
        return [nn.InstanceNorm2d(channels, affine=True)]
    if norm == "layer-norm":
        return [nn.GroupNorm(1, channels)]
    return []


def rows(norm: Norm, units: int) -> list[nn.Module]:
    """Between convolutions: one unit is no map, and instance norm would leave nothing of it."""
    return [] if norm == "instance-norm" else over_units(norm, units)


def over_units(norm: Norm, units: int) -> list[nn.Module]:
    if norm == "instance-norm":
        raise PartError("backbone 'mlp' has no maps for 'instance-norm'; use 'layer-norm'")
    if norm == "batch-norm":
        return [nn.BatchNorm1d(units)]
    return [nn.LayerNorm(units)] if norm == "layer-norm" else []


def scores(outputs: int) -> nn.Module:
    """(N, 1, ...) to (N,), and more outputs to (N, outputs)."""
    return nn.Flatten(0 if outputs == 1 else 1)


def needs_bias(norm: Norm) -> bool:
    """Norms per channel take the convolution's bias away again."""
    return norm not in ("batch-norm", "instance-norm")


def allow(image: ImageShape, sizes: Sequence[int], name: str) -> None:
    if image.size not in sizes:
        raise PartError(f"backbone {name!r} makes images of {said(sizes)}, not {image.size}")


def said(sizes: Sequence[int]) -> str:
    """A few one by one, many by their step."""
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} px in steps of {sizes.step}"
    *most, last = sizes
    return f"{', '.join(map(str, most))} or {last} px"


def initialised(
    rule: Callable[[Tensor], Tensor],
    generator: list[nn.Module],
    critic: list[nn.Module],
    head: list[nn.Module],
) -> Networks:
    """Weights by the rule, from torch's global random numbers; no bias at first."""
    judge = Critic(nn.Sequential(*critic), nn.Sequential(*head))
    networks = Networks(nn.Sequential(*generator), judge)
    for layer in (m for network in networks for m in network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            rule(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for block in (m for network in networks for m in network.modules()):
        if isinstance(block, Residual):
            for layer in block.residual:
                if isinstance(layer, nn.Conv2d):
                    nn.init.xavier_uniform_(layer.weight, gain=sqrt(2))
    return networks


def he(weight: Tensor) -> Tensor:
    """He et al. (2015)."""
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


def narrow_normal(weight: Tensor) -> Tensor:
    return nn.init.normal_(weight, 0.0, 0.02)
