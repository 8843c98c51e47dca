"""Interchangeable parts: any backbone, divergence, loss and penalties make a game."""

from runner.parts.attention import Attention
from runner.parts.augmentations import augmentation
from runner.parts.backbones import Critic, Networks, backbone
from runner.parts.constraints import constraint
from runner.parts.divergences import Divergence, divergence
from runner.parts.losses import Loss, loss
from runner.parts.normalizers import normalizer
from runner.parts.optimizers import critic_optimizer, generator_optimizer
from runner.parts.penalties import generator_penalty, penalty
from runner.parts.registry import PartError, Registry

__all__ = [
    "Attention",
    "Critic",
    "Divergence",
    "Loss",
    "Networks",
    "PartError",
    "Registry",
    "augmentation",
    "backbone",
    "constraint",
    "critic_optimizer",
    "divergence",
    "generator_optimizer",
    "generator_penalty",
    "loss",
    "normalizer",
    "penalty",
]
