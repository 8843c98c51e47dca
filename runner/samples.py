"""What a generator draws, as it is measured."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from runner.game import sample
from runner.metrics import measurable
from runner.scene import Game

Drawn = NDArray[np.uint8] | NDArray[np.float32]  # images (N, C, H, W), or points (N, 2, 1, 1)


def sampler(game: Game) -> Callable[[int, int], Drawn]:
    """n, seed -> that many generated images, or points."""

    def draw(count: int, seed: int) -> Drawn:
        batches = (measurable(batch).cpu().numpy() for batch in sample(game, count, seed=seed))
        return np.concatenate(list(batches))

    return draw
