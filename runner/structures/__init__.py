"""Who plays with whom: a structure takes what a recipe names and makes a game of it."""

from runner.structures.cast import Cast
from runner.structures.encoders import auto_encoder_critic, vae, vae_gan
from runner.structures.labels import TOLD, auxiliary_classifier, check_labels, conditional
from runner.structures.plain import plain, structure

__all__ = [
    "TOLD",
    "Cast",
    "auto_encoder_critic",
    "auxiliary_classifier",
    "check_labels",
    "conditional",
    "plain",
    "structure",
    "vae",
    "vae_gan",
]
