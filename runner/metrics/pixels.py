"""From a generator's values to the pixels, or points, that are measured."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runner.metrics.errors import MetricError

Images = NDArray[np.uint8] | NDArray[np.float32] | Tensor  # uint8 (N, 1 or 3, H, W), or points


def is_points(values: Images) -> bool:
    """Points of the plane are float32 (N, 2, 1, 1): told from images, which are uint8 and larger."""
    floating = str(values.dtype).removeprefix("torch.") == "float32"
    return floating and tuple(values.shape[1:]) == (2, 1, 1)


def measurable(made: Tensor) -> Tensor:
    """What a generator made as it is measured: images as pixels on white, points as they are.

    Raises MetricError where something is not finite.
    """
    if tuple(made.shape[1:]) != (2, 1, 1):
        return torch.as_tensor(on_white(to_uint8(made)))
    if not torch.isfinite(made).all():
        raise MetricError("The generator made values that are not finite, so there are no points.")
    return made.float()


def to_uint8(images: Tensor) -> Tensor:
    """From [-1, 1] to 0..255, rounded: truncating would darken every image by half a level.

    Raises MetricError on NaN or infinity, which a cast would turn into innocent-looking pixels.
    """
    if not torch.isfinite(images).all():
        raise MetricError("The generator made values that are not finite, so there are no images.")
    return (images.float() * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)


def on_white(images: Images) -> Images:
    """Images with alpha as they look on white, uint8 (N, 2 or 4, H, W); others as they are.

    Feature networks know no alpha, and a picture shows none.
    """
    if images.ndim != 4 or images.shape[1] not in (2, 4) or is_points(images):
        return images
    wide = torch.from_numpy(np.array(images)) if isinstance(images, np.ndarray) else images
    colour, alpha = wide[:, :-1].int(), wide[:, -1:].int()
    seen = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).to(torch.uint8)
    return seen.numpy() if isinstance(images, np.ndarray) else seen


def check(images: Images) -> None:
    """Raises MetricError unless these are uint8 images of one or three channels."""
    if str(images.dtype).removeprefix("torch.") != "uint8":
        raise MetricError(f"Images are measured as uint8, not {images.dtype}; see to_uint8().")
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise MetricError(
            "Images are measured as (N, 1 or 3, height, width), "
            f"not {' x '.join(map(str, images.shape))}."
        )


def pick(images: Images, n: int, seed: int) -> Images:
    """n different ones by chance, in their order, since a data set may be sorted by class."""
    if not is_points(images):
        check(on_white(images[:1]))
    if not 2 <= n <= len(images):
        raise MetricError(
            f"A distance takes from 2 to all {len(images)} of the images, so not {n}."
        )
    chosen = np.sort(np.random.default_rng(seed).choice(len(images), n, replace=False))
    return on_white(images[chosen])
