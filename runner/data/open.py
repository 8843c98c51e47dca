"""Images from wherever they are, ready to train on."""

import hashlib
import json
from pathlib import Path
from typing import get_args

from runner.data.cache import cache_folder, load, save
from runner.data.find import find
from runner.data.images import DataError, ImageSet
from runner.data.points import Points
from runner.data.prepare import SMALLEST
from runner.data.source import Channels, Progress, Source
from runner.data.split import arrange
from runner.data.whole import whole_folder

PREPARATION = 1  # raise it when the same files would give other pixels or another split
LARGEST = 1024  # pixels a side
READS = 5  # another process that decoded the same may just be putting its folder there


def open_images(
    where: str | Path,
    *,
    size: int = 32,
    channels: Channels | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """A named set, a folder or a zip as square uint8 images; decoded once, then cached.

    `where` is one of NAMES or a path (`./shapes` for a folder that bears such a name). `channels`
    None: one where every image is grey, else three; two and four keep how opaque it is, which is
    otherwise laid on white. Points of the plane have neither size nor channels to choose. `cache`
    None: $GAN_ADVISOR_CACHE, else the user's cache folder. `progress` is called with the images
    done and their number while decoding.
    Raises DataError, in one sentence for whoever asked.
    """
    root = cache_folder(cache)
    try:
        source = find(str(where), root / "downloads")
        if isinstance(source, Points):
            size, channels = 1, None
        else:
            check(size, channels)
        folder = root / "images" / key(source, size, channels)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
    if known := load(folder, source.name):
        return known
    try:
        build(source, size, channels, folder, progress or (lambda done, total: None))
    except OSError as error:
        raise DataError(
            f"cannot keep the decoded images in {root}: {error.strerror or error}; "
            "make room there, or set GAN_ADVISOR_CACHE to another folder"
        ) from error
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    for _ in range(READS):
        if built := load(folder, source.name):
            return built
    raise DataError(f"the images that were just saved in {folder} cannot be read back")


def check(size: int, channels: Channels | None) -> None:
    if not SMALLEST <= size <= LARGEST:
        raise DataError(f"images of {size} px: choose a size from {SMALLEST} to {LARGEST}")
    if channels not in (None, *get_args(Channels)):
        raise DataError(
            f"{channels} channels: choose 1 (grey) or 3 (colour), or one more with alpha"
        )


def key(source: Source, size: int, channels: Channels | None) -> str:
    """Differs whenever the decoded images could."""
    content = json.dumps([PREPARATION, source.name, source.listing(), size, channels])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def build(
    source: Source, size: int, channels: Channels | None, folder: Path, progress: Progress
) -> None:
    with whole_folder(folder) as unfinished:
        decoded = source.decode(size, channels, unfinished, progress)
        save(unfinished, decoded, arrange(decoded))
        (unfinished / "decoded").unlink(missing_ok=True)
