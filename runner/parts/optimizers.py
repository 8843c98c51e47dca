"""How the players learn: data only, made into torch's optimizers."""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import nn

from knowledge.schema import Optimizer

FUSED = ("cpu", "cuda")  # one kernel for all weights instead of a dozen for each


def critic_optimizer(
    settings: Optimizer,
) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """Its own rate where there are two time scales (Heusel et al., 2017), and weight decay.

    The decay is the L2 penalty of Kurach et al. (2019), added to the gradient, not AdamW's.
    """
    rate = settings.rate if settings.critic_rate is None else settings.critic_rate
    make = optimizers[settings.name]
    return partial(make, settings, rate=rate, decay=settings.critic_weight_decay)


def generator_optimizer(
    settings: Optimizer,
) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    return partial(optimizers[settings.name], settings, rate=settings.rate, decay=0.0)


def adam(
    settings: Optimizer, parameters: Iterable[nn.Parameter], *, rate: float, decay: float
) -> torch.optim.Optimizer:
    """Kingma and Ba (2015)."""
    parameters = list(parameters)
    fused = all(p.device.type in FUSED and p.is_floating_point() for p in parameters)
    return torch.optim.Adam(
        parameters, rate, settings.betas, weight_decay=decay, fused=True if fused else None
    )


def rmsprop(
    settings: Optimizer, parameters: Iterable[nn.Parameter], *, rate: float, decay: float
) -> torch.optim.Optimizer:
    """Tieleman and Hinton (2012)."""
    return torch.optim.RMSprop(parameters, rate, settings.smoothing, weight_decay=decay)


optimizers: dict[str, Callable[..., torch.optim.Optimizer]] = {"adam": adam, "rmsprop": rmsprop}
