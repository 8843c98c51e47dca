"""The networks that people take home are averages over the last part of the training."""

import copy

import torch
from torch import Tensor, nn


class Average:
    """Of what the networks were; `half_life` is a share of the images seen so far."""

    def __init__(self, live: nn.ModuleDict, half_life: float) -> None:
        self.networks = copy.deepcopy(live).requires_grad_(False).eval()
        self.half_life = half_life
        pairs = list(zip(lasting(self.networks), lasting(live), strict=True))
        self.smooth = [pair for pair in pairs if pair[0].is_floating_point()]
        self.counters = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, images: int, images_seen: int) -> None:
        """A half-life in proportion to the images seen needs no warm-up and no known end.

        It is the power-function average of Karras et al. (2024), "Analyzing and Improving the
        Training Dynamics of Diffusion Models", section 3.1. Floating-point buffers, as batch norm's
        statistics, are averaged like weights; counters are copied.
        """
        kept = 0.5 ** (images / (self.half_life * images_seen)) if self.half_life else 0.0
        averages, news = zip(*self.smooth, strict=True)
        torch._foreach_lerp_(averages, news, 1 - kept)
        for counter, new in self.counters:
            counter.copy_(new)


def lasting(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
