"""What is known of a toy's distribution, held against what a generator makes of it."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from runner.data import ImageSet
from runner.data.points import HELD_OUT, MIXTURES, Mixture
from runner.metrics import Images, extractor
from runner.metrics.modes import coverage
from runner.metrics.points import energy_distance

SEED = 2_000_003  # latents of every truth: the same for all candidates, others than the scores'


class Model(NamedTuple):
    """A trained generator, for whoever measures it."""

    draw: Callable[[int, int], Images]  # n, seed -> samples as they are measured
    latents: Callable[[int, int], Tensor]  # n, seed -> (N, d)
    generate: Callable[[Tensor], Tensor]  # latents to images in [-1, 1], with gradients


Truth = Callable[[Model], dict[str, float]]


def truth_of(where: str, images: ImageSet) -> Truth | None:
    """Secondary measures of a named toy; None for data of which nothing is known."""
    if where in MIXTURES:
        return of_points(MIXTURES[where](), images)
    return None


def of_points(toy: Mixture, images: ImageSet) -> Truth:
    coordinates = extractor("coordinates")

    def held_against(model: Model) -> dict[str, float]:
        points = coordinates(model.draw(HELD_OUT, SEED))
        apart = energy_distance(points, coordinates(images.held_out))
        return {**coverage(toy, points), "energy-distance": apart}

    return held_against
