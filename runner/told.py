"""Generators that are told a class: samples of one, and how near they come to it."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from runner.data import ImageSet
from runner.metrics import Extractor, intra_class_distances
from runner.metrics.pixels import pick
from runner.samples import sampler
from runner.scene import Game

FEWEST = 50  # images of a class: of fewer a distance says nothing but how few they are


def is_told(game: Game) -> bool:
    return "labels" in game.quantities


def of_class(game: Game, label: int) -> Game:
    """The game that generates only images of that class."""

    def labels(count: int, device: torch.device) -> Tensor:
        return torch.full((count,), label, device=device)

    return replace(game, quantities={**game.quantities, "labels": labels})


def intra_class(
    game: Game, images: ImageSet, features: Extractor, *, n: int, seed: int
) -> float | None:
    """The mean of the classes' own Fréchet distances (Miyato and Koyama, 2018, section 4).

    About n images of each side, as many of each class, against held-out images, or against training
    images where those have no labels. Few of each class make it larger than the distance of all by
    far: it compares generators within a run, and nothing else. None where a class has too few.
    """
    real, named = images.held_out, images.held_labels
    if named is None:
        real, named = images.train, images.labels
    if named is None or not is_told(game):
        return None
    classes = game.image.classes
    each = min(n // classes, int(np.bincount(named, minlength=classes).min()))
    if each < FEWEST:
        return None
    labels = np.repeat(np.arange(classes), each)
    wanted = [pick(real[named == label], each, seed=0) for label in range(classes)]
    made = [sampler(of_class(game, label))(each, seed) for label in range(classes)]
    seen, drawn = (
        features(np.concatenate(those).astype(np.uint8, copy=False)) for those in (wanted, made)
    )
    found = intra_class_distances(seen, labels, drawn, labels)
    return fmean(found.values())
