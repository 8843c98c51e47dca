"""What is done to all that the critic sees, real or generated, in both players' turns.

Differentiable, so that the generator learns through it (Zhao et al., 2020, "Differentiable
Augmentation for Data-Efficient GAN Training", section 3 and appendix). Images are (N, C, H, W).
"""

import torch
from torch import Tensor

from runner.parts.registry import NonNegative, Registry, Share

augmentation = Registry[Tensor]("augmentation")


@augmentation
def color(
    images: Tensor,
    rng: torch.Generator,
    *,
    brightness: NonNegative = 0.5,
    saturation: NonNegative = 1.0,
    contrast: Share = 0.5,
) -> Tensor:
    """Each image lighter or darker, more or less colourful, flatter or stronger, by up to so much.

    Contrast is scaled about the mean of the image, saturation about the mean of each pixel.
    """
    images = images + brightness * between(-1, 1, images, rng)
    if images.shape[1] > 1:
        grey = images.mean(1, keepdim=True)
        images = grey + (images - grey) * (1 + saturation * between(-1, 1, images, rng))
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (1 + contrast * between(-1, 1, images, rng))


@augmentation
def translation(images: Tensor, rng: torch.Generator, *, reach: Share = 0.125) -> Tensor:
    """Each image moved by whole pixels, up to a share of its side; zeros come in."""
    return shifted(images, rng, reach)


@augmentation
def cutout(images: Tensor, rng: torch.Generator, *, side: Share = 0.5) -> Tensor:
    """A square of zeros, of a share of the image's side, anywhere; it may hang over the edge."""
    size = images.shape[-1]
    hole = int(size * side + 0.5)
    rows, columns = (
        (torch.arange(size, device=images.device) - start)
        for start in whole(-(hole // 2), size - hole // 2, images, rng, count=2)
    )
    cut = inside(rows, hole)[:, None, :, None] & inside(columns, hole)[:, None, None, :]
    return images.masked_fill(cut, 0)


def shifted(images: Tensor, rng: torch.Generator, reach: float) -> Tensor:
    size = images.shape[-1]
    most = int(size * reach + 0.5)
    padded = torch.nn.functional.pad(images, (most, most, most, most))
    rows, columns = (
        torch.arange(size, device=images.device) + start
        for start in whole(0, 2 * most + 1, images, rng, count=2)
    )
    which = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def flipped(images: Tensor, rng: torch.Generator) -> Tensor:
    """Every second image, on average, mirrored."""
    heads = between(0, 1, images, rng) < 0.5
    return torch.where(heads, images.flip(3), images)


def between(low: float, high: float, images: Tensor, rng: torch.Generator) -> Tensor:
    """One number for each image, (N, 1, 1, 1)."""
    share = torch.rand(len(images), 1, 1, 1, generator=rng, device=images.device)
    return low + (high - low) * share


def whole(low: int, high: int, images: Tensor, rng: torch.Generator, *, count: int) -> Tensor:
    """Whole numbers from `low` to below `high`, (count, N, 1)."""
    shape = (count, len(images), 1)
    return torch.randint(low, high, shape, generator=rng, device=images.device)


def inside(places: Tensor, length: int) -> Tensor:
    return (places >= 0) & (places < length)
