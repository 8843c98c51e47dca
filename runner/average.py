"""The networks that people take home are averages over the last part of the training."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Average:
    """Of what the networks were; `half_life` is a share of the images seen so far."""

    def __init__(self, live: nn.ModuleDict, half_life: float) -> None:
        self.networks = copy.deepcopy(live).requires_grad_(False).eval()
        self.half_life = half_life
        averages = dict(lasting(self.networks))
        pairs = {name: (averages[name], new) for name, new in lasting(live)}
        copied = {name for name, (_, new) in pairs.items() if is_copied(name, new)}
        self.smooth = [pair for name, pair in pairs.items() if name not in copied]
        self.copied = [pairs[name] for name in copied]

    @torch.no_grad()
    def update(self, images: int, images_seen: int) -> None:
        """A half-life in proportion to the images seen needs no warm-up and no known end.

        It is the power-function average of Karras et al. (2024), "Analyzing and Improving the
        Training Dynamics of Diffusion Models", section 3.1. Floating-point buffers, as batch norm's
        statistics, are averaged like weights; counters are copied, and so are the singular vectors
        of spectral norm, whose means are no unit vectors.
        """
        kept = 0.5 ** (images / (self.half_life * images_seen)) if self.half_life else 0.0
        averages, news = zip(*self.smooth, strict=True)
        torch._foreach_lerp_(averages, news, 1 - kept)
        for own, new in self.copied:
            own.copy_(new)


def lasting(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from network.named_parameters()
    yield from network.named_buffers()


def is_copied(name: str, value: Tensor) -> bool:
    return not value.is_floating_point() or name.endswith(("rebuilt._u", "rebuilt._v"))
