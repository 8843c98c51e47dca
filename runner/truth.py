"""What is known of a toy's distribution, held against what a generator makes of it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from runner.data import ImageSet, open_images
from runner.data.cache import cache_folder
from runner.data.points import HELD_OUT, MIXTURES, Mixture
from runner.data.triangles import LEAST_AREA
from runner.metrics import Images, extractor, stacked, triangles
from runner.metrics.modes import coverage
from runner.metrics.points import energy_distance

FITTED, INVERTED = 1_000, 100  # samples that triangles are fitted to; triangles that are inverted
STACKS = 26_000  # samples, as PacGAN takes (Lin et al., 2018, section 4.2)
SEED = 2_000_003  # latents of every truth: the same for all candidates, others than the scores'


class Model(NamedTuple):
    """A trained generator, for whoever measures it."""

    draw: Callable[[int, int], Images]  # n, seed -> samples as they are measured
    latents: Callable[[int, int], Tensor]  # n, seed -> (N, d)
    generate: Callable[[Tensor], Tensor]  # latents to images in [-1, 1], with gradients


Truth = Callable[[Model], dict[str, float]]


def truth_of(where: str, images: ImageSet, device: torch.device | str = "cpu") -> Truth | None:
    """Secondary measures of a named toy; None for data of which nothing is known.

    May train a classifier, once on every machine.
    """
    if where in MIXTURES:
        return of_points(MIXTURES[where](), images)
    if where == "polygons":
        return of_triangles(images)
    if where == "stacked-fashion":
        return of_stacks(images, device)
    return None


def of_points(toy: Mixture, images: ImageSet) -> Truth:
    coordinates = extractor("coordinates")

    def held_against(model: Model) -> dict[str, float]:
        points = coordinates(model.draw(HELD_OUT, SEED))
        apart = energy_distance(points, coordinates(images.held_out))
        return {**coverage(toy, points), "energy-distance": apart}

    return held_against


def of_triangles(images: ImageSet) -> Truth:
    """Precision, recall and F1 (Lucic et al., 2018, section 5)."""

    def held_against(model: Model) -> dict[str, float]:
        latents = model.latents(triangles.CANDIDATES, SEED)

        def generate(latents: Tensor) -> Tensor:
            return (model.generate(latents).float().clamp(-1, 1).mean(1) + 1) / 2

        made = triangles.nearest_triangles(
            grey(model.draw(FITTED, SEED), latents.device), LEAST_AREA
        )
        wanted = grey(images.held_out[:INVERTED], latents.device)
        return triangles.shares(made.distance, triangles.inverted(wanted, latents, generate))

    return held_against


def of_stacks(images: ImageSet, device: torch.device | str) -> Truth:
    """Modes among a thousand, by a classifier of the single images."""
    single = open_images("fashion-mnist", size=images.size, channels=1)
    assert single.labels is not None  # Fashion-MNIST has some
    classify = stacked.classifier(
        np.asarray(single.train, np.uint8),
        single.labels,
        classes=len(single.classes),
        fingerprint=single.fingerprint,
        cache=cache_folder() / "classifiers",
        device=device,
    )

    def held_against(model: Model) -> dict[str, float]:
        made = np.asarray(model.draw(STACKS, SEED), np.uint8)
        found = stacked.modes(made, classify, len(single.classes))
        return {**found, "classifier-accuracy": classify.accuracy}

    return held_against


def grey(images: Images, device: torch.device) -> Tensor:
    """uint8 (N, C, S, S) to (N, S, S) from 0 to 1."""
    values = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    return values.to(device).float().mean(1) / 255
