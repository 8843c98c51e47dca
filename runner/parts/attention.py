"""Networks whose distant parts see one another."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from runner.parts.backbones import Networks, Norm, Residual, backbone, resnet
from runner.parts.normalizers import spectral_norm
from runner.parts.registry import Count, PartError
from runner.scene import ImageShape

LARGEST = 32  # px: all of them see all others, and a map of 64 px has 4,096


@backbone
def self_attention(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Norm = "none",
    generator_norm: Norm = "batch-norm",
    outputs: int = 1,
    *,
    width: Count = 64,
    at: Annotated[int, Field(ge=0)] = 0,
) -> Networks:
    """SAGAN's (Zhang et al., 2018): `resnet` with attention in both, its generator spectrally normed.

    Attention stands where maps have `at` px a side; 0: at half the size of the image, and
    at 32 px at the most, as in the paper for images of 128 px. The critic's weights are normed by
    what the recipe says.
    """
    pair = resnet(image, latent_dim, critic_norm, generator_norm, outputs, width=width)
    at = at or min(LARGEST, image.size // 2)
    generator = with_attention(pair.generator, at, size=4, step=2)
    pair.critic.body = with_attention(pair.critic.body, at, size=image.size, step=0.5)
    spectral_norm(generator)
    return Networks(generator, pair.critic)


def with_attention(network: nn.Module, at: int, size: float, step: float) -> nn.Sequential:
    """After what gives maps of that size; `size` is that of the first maps."""
    layers: list[nn.Module] = []
    placed = False
    for layer in network.children():
        layers.append(layer)
        if isinstance(layer, nn.Unflatten):
            channels = int(layer.unflattened_size[0])
        elif isinstance(layer, Residual) and layer.resample != "keep":
            channels, size = layer.out, size * step
        else:
            continue
        if size == at and not placed:
            layers.append(Attention(channels))
            placed = True
    if not placed:
        raise PartError(f"backbone 'self-attention' has no maps of {at} px in both of its networks")
    return nn.Sequential(*layers)


class Attention(nn.Module):
    """Every place is what all places hold, weighted by how well its query fits their keys.

    Zhang et al. (2018), section 3, Eqs. 1 to 3: not scaled, keys and values of an eighth of the
    channels, added to what was there by a weight that begins at zero.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 8)
        self.keys, self.queries, self.values = (
            nn.Conv2d(channels, inner, 1, bias=False) for _ in range(3)
        )
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        for layer in (self.keys, self.queries, self.values, self.out):
            nn.init.xavier_uniform_(layer.weight)
        self.mixed, self.weighted = Mixed(), Weighted()

    def forward(self, maps: Tensor) -> Tensor:
        seen = self.mixed(self.queries(maps), self.keys(maps), self.values(maps))
        total: Tensor = maps + self.weighted(self.out(seen))
        return total


class Mixed(nn.Module):
    """Values of all places, weighted by the softmax of how well the keys there fit a query.

    Spelt out: of torch's fused attention there is no second derivative, as penalties ask for.
    """

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        asked, known, held = (each.flatten(2).mT for each in (queries, keys, values))
        shares = (asked @ known.mT).softmax(-1)
        mixed: Tensor = (shares @ held).mT.unflatten(2, values.shape[2:])
        return mixed


class Weighted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        weighted: Tensor = self.weight * maps
        return weighted
