"""Which features the images are compared by."""

from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from runner.metrics.efficientnet import efficientnet_lite0
from runner.metrics.engines import chosen_engine
from runner.metrics.errors import MetricError
from runner.metrics.inception import inception, weights_at_hand
from runner.metrics.pixels import Images
from runner.metrics.points import NAME as COORDINATES
from runner.metrics.points import Coordinates

NETWORKS = {"inception": inception, "efficientnet-lite0": efficientnet_lite0}


class Extractor(Protocol):
    """Where the digests are equal, features can be compared; where not, they cannot."""

    @property
    def name(self) -> str: ...  # with the size at which the network sees the images

    @property
    def dimension(self) -> int: ...

    @property
    def resize(self) -> str: ...

    @property
    def engine(self) -> str: ...  # what runs it; extractor() takes it back

    @property
    def digest(
        self,
    ) -> str: ...  # sha256 over weights, sizes, resize, scaling, precision and engine

    def __call__(self, images: Images, /) -> NDArray[np.float32]: ...  # (N, dimension)


def extractor(
    name: str = "auto",
    *,
    weights: Path | None = None,
    device: torch.device | str = "cpu",
    engine: str = "auto",
) -> Extractor:
    """The feature network of that name: "auto", "inception" or "efficientnet-lite0".

    Points of the plane need none: "coordinates" takes them as they are.

    "auto" is Inception where its weights are at hand (`weights`, or torch.hub's cache), else
    EfficientNet-Lite0, whose weights come as a package. Only "inception" by name downloads.
    `engine` runs the network: "torch", "openvino", or "auto", which is the faster one that is here.
    Raises MetricError where a name is unknown or no weights can be had.
    """
    if name == "auto":
        name = "inception" if weights or weights_at_hand() else "efficientnet-lite0"
    if name == COORDINATES:
        return Coordinates()
    if name not in NETWORKS:
        nearest = get_close_matches(name, ["auto", *NETWORKS], n=1)
        raise MetricError(
            f"There are no features called {name!r}"
            + (f"; did you mean {nearest[0]}?" if nearest else ".")
            + f" There are: auto, {', '.join(NETWORKS)}."
        )
    device = torch.device(device)
    by = chosen_engine(engine, device)
    # Building a network draws from the random state, which belongs to whoever trains.
    with torch.random.fork_rng(devices=[]):
        return NETWORKS[name](weights, device, by)
