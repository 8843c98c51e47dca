"""Ways to rebuild a critic's weights so that it is smooth by construction."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.parametrize import is_parametrized

from runner.parts.registry import Count, Registry

Weighted = nn.Conv2d | nn.ConvTranspose2d | nn.Linear

normalizer = Registry[None]("normalizer")


@normalizer
def spectral_norm(critic: nn.Module, *, iterations: Count = 1) -> None:
    """Every layer divided by its largest singular value (Miyato et al., 2018, Algorithm 1)."""
    for layer in plain(critic):
        parametrizations.spectral_norm(layer, n_power_iterations=iterations)
        place = "parametrizations.weight.0"
        layer.set_submodule(place, InFloat32(layer.get_submodule(place)))


@normalizer
def weight_norm(critic: nn.Module) -> None:
    """Direction and length of each unit's weights apart (Salimans and Kingma, 2016, Eq. 2)."""
    for layer in plain(critic):
        parametrizations.weight_norm(layer, dim=int(isinstance(layer, nn.ConvTranspose2d)))


class InFloat32(nn.Module):
    """Keeps the power iteration out of autocast, which would run it in bfloat16 on CUDA."""

    def __init__(self, rebuilt: nn.Module) -> None:
        super().__init__()
        self.rebuilt = rebuilt

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            smooth: Tensor = self.rebuilt(weight)
            return smooth


def plain(critic: nn.Module) -> list[Weighted]:
    """Its layers, but for those that a backbone has made smooth by itself."""
    return [layer for layer in weighted(critic) if not is_parametrized(layer, "weight")]


def weighted(critic: nn.Module) -> list[Weighted]:
    return [layer for layer in critic.modules() if isinstance(layer, Weighted)]
