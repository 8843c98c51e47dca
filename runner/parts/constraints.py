"""What happens to the critic after each of its steps."""

import torch
from torch import nn

from runner.parts.registry import Positive, Registry

constraint = Registry[None]("constraint")


@constraint
@torch.no_grad()
def weight_clipping(critic: nn.Module, *, limit: Positive = 0.01) -> None:
    """Every weight within [-limit, limit] (Arjovsky et al., 2017, Algorithm 1)."""
    for weight in critic.parameters():
        weight.clamp_(-limit, limit)
