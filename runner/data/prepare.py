"""One image file, or one raw array, to a square of uint8 pixels."""

import io

import numpy as np
from PIL import Image, ImageOps

from runner.data.images import Pixels
from runner.data.source import Channels

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
SMALLEST = 8  # pixels a side; placeholder: below it there is nothing to learn at 16 px and more
ORIENTATION = 0x0112  # the tag of EXIF
FILES_ARE = "upright, on white, cropped to the central square, resized by Lanczos (antialiased)"
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow's, by channels
OPAQUE = 255


class Unusable(ValueError):
    """An image that is left out, and why."""


def prepare(data: bytes, size: int, channels: Channels) -> Pixels:
    """The image in a file's bytes as (channels, size, size).

    Raises Unusable, and whatever Pillow raises on broken files, which is nearly anything.
    """
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise Unusable(f"{width} × {height} pixels, smaller than {SMALLEST} a side")
    # A JPEG can be decoded at 1/2, 1/4 or 1/8. Three times the target leaves the resizer enough to
    # be as good as from the full size (Pillow's documentation of reducing_gap).
    image.draft(None, (3 * size, 3 * size))
    if image.getexif().get(ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
    image = shallow(image)
    if channels in (2, 4):
        image = image.convert("RGBA")
    elif image.has_transparency_data:
        image = on_white(image)
    # Where it is transparent a pixel's colour does not count: Pillow resizes with regard to that.
    image = square(image.convert(MODES[channels]), size)
    return np.asarray(image).reshape(size, size, channels).transpose(2, 0, 1)


def shallow(image: Image.Image) -> Image.Image:
    """Eight bits a channel."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow calls I;16 or, from PGM, I
        deep = np.asarray(image).clip(0, 65535)
        return Image.fromarray((deep / 257 + 0.5).astype(np.uint8))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image))
        scale = 255 if values.max() <= 1 else 1
        return Image.fromarray((values * scale).round().clip(0, 255).astype(np.uint8))
    return image


def on_white(image: Image.Image) -> Image.Image:
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def square(image: Image.Image, size: int) -> Image.Image:
    """The central square at `size` px; untouched where that is its size."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    if (width, height) != (side, side):
        image = image.crop((left, top, left + side, top + side))
    return image if side == size else image.resize((size, size), Image.Resampling.LANCZOS)


def prepare_array(images: Pixels, size: int, channels: Channels | None) -> tuple[Pixels, str]:
    """Raw images (N, C, H, W) at `size` px, and what was done to them."""
    done = []
    if images.shape[-2:] == (28, 28) and size != 28:
        # What everybody does with the MNIST family: the strokes keep their pixels.
        images = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
        done.append("28 px padded with zeros to 32")
    if images.shape[-2:] != (size, size):
        images = np.stack([resized(image, size) for image in images])
        done.append("cropped to the central square, resized by Lanczos (antialiased)")
    if channels in (1, 2) and images.shape[1] == 3:
        done.append("in grey")
    elif channels in (3, 4) and images.shape[1] == 1:
        done.append("grey repeated in three channels")
    if channels in (2, 4):
        done.append("opaque")
    return with_channels(images, channels), ", ".join(done) or "as they are"


def with_channels(images: Pixels, channels: Channels | None) -> Pixels:
    """Opaque images (N, 1 or 3, H, W) with the channels that were asked for."""
    if channels in (1, 2) and images.shape[1] == 3:
        images = luma(images)
    elif channels in (3, 4) and images.shape[1] == 1:
        images = np.repeat(images, 3, axis=1)
    if channels in (2, 4):
        images = np.pad(images, ((0, 0), (0, 1), (0, 0), (0, 0)), constant_values=OPAQUE)
    return images


def resized(image: Pixels, size: int) -> Pixels:
    planes = [np.asarray(square(Image.fromarray(plane), size)) for plane in image]
    return np.stack(planes)


def luma(images: Pixels) -> Pixels:
    """(N, 3, H, W) to (N, 1, H, W) with Pillow's integer weights (ITU-R 601-2)."""
    red, green, blue = (images[:, channel].astype(np.uint32) for channel in range(3))
    grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return grey.astype(np.uint8)[:, None]
