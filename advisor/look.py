"""What only decoded pixels tell: hidden grey, and images that are nearly the same."""

from collections import deque
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from advisor.measure import File

LOOKED_AT = 2000  # images, evenly spaced; a second or two for small ones
SIDE = 16  # pixels of the thumbnails that are compared
# Mean difference in levels of 255. Measured on CIFAR-10 and Fashion-MNIST: JPEG at quality 60 changes up to 5;
# of 4000 photographs none come nearer than 6 to another, of 2000 garments 3 come nearer than 5.
NEAR = 5
GREY_WITHIN = 4  # levels between channels: what JPEG makes of a grey image stored in colour
LARGEST = 64 * 2**20  # bytes of one file


class Look(NamedTuple):
    grey: bool
    alike: int  # nearly the same as an image before it
    looked_at: int


class Thumbnail(NamedTuple):
    levels: bytes  # SIDE × SIDE
    grey: bool


def look(files: "Sequence[File]") -> Look | None:
    """Of some of the images. None where Pillow, which comes with the runner, is not installed."""
    try:
        pillow = import_module("PIL.Image")  # optional, and never needed for advice
    except ImportError:
        return None
    step = max(len(files) / LOOKED_AT, 1.0)
    some = [files[int(at * step)] for at in range(min(len(files), LOOKED_AT))]
    thumbnails = [each for each in (thumbnail(file, pillow) for file in some) if each]
    return Look(
        bool(thumbnails) and all(each.grey for each in thumbnails),
        alike([each.levels for each in thumbnails]),
        len(thumbnails),
    )


def thumbnail(file: "File", pillow: object) -> Thumbnail | None:
    if file.size > LARGEST:
        return None
    try:
        with closing(file.open()) as opened, pillow.open(opened) as image:  # type: ignore[attr-defined]
            image.draft("RGB", (4 * SIDE, 4 * SIDE))  # JPEG: decoded at a fraction of its size
            small = image.convert("RGB").resize((SIDE, SIDE), pillow.Resampling.BOX)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on broken files
        return None
    lowest, highest = zip(*small.getextrema(), strict=True)
    red, green, blue = (band.tobytes() for band in small.split())
    same = max(lowest) - min(lowest) <= GREY_WITHIN and max(highest) - min(highest) <= GREY_WITHIN
    grey = same and all(
        max(r, g, b) - min(r, g, b) <= GREY_WITHIN for r, g, b in zip(red, green, blue, strict=True)
    )
    return Thumbnail(small.convert("L").tobytes(), grey)


def alike(thumbnails: Sequence[bytes]) -> int:
    """How many are nearly the same as another one that stands for its kind."""
    found = 0
    kinds: deque[tuple[float, list[float], bytes]] = deque()
    sketched = ((sum(levels) / len(levels), rows(levels), levels) for levels in thumbnails)
    for brightness, sketch, levels in sorted(sketched):
        while (
            kinds and brightness - kinds[0][0] > NEAR
        ):  # too dark for this one and all that follow
            kinds.popleft()
        # Means are never farther apart than what they are means of, and quicker to compare.
        if any(
            distance(sketch, other) <= NEAR and distance(levels, whole) <= NEAR
            for _, other, whole in kinds
        ):
            found += 1
        else:
            kinds.append((brightness, sketch, levels))
    return found


def rows(levels: bytes) -> list[float]:
    return [sum(levels[start : start + SIDE]) / SIDE for start in range(0, len(levels), SIDE)]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
