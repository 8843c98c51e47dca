"""Images as files, in a folder or a zip, decoded as a stream."""

import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from runner.data.images import DataError, Pixels, Skipped
from runner.data.layout import lay_out
from runner.data.members import Member, folder_members, zip_members
from runner.data.prepare import FILES_ARE, Unusable, prepare
from runner.data.source import Channels, Decoded, Progress

GREY_WITHIN = 2  # levels between channels: what JPEG makes of a grey image stored in colour
BATCH = 256  # files; a few batches are in memory at a time
WORTH_A_THREAD = 4096  # bytes a file: threads made 64 px JPEGs no faster and 32 px ones slower


@dataclass(frozen=True)
class ImageFiles:
    """A folder or a zip of images: flat, a folder a class, or train/ and test/ of either."""

    name: str
    where: Path
    members: tuple[Member, ...]
    refused: tuple[Skipped, ...] = ()

    def listing(self) -> list[object]:
        # The members of a zip bear a checksum; those of a folder only a time, so its path counts.
        place = "" if self.where.is_file() else str(self.where.resolve())
        return [place, self.refused, [member[:3] for member in self.members]]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        path = scratch / "decoded"
        kept: list[str] = []
        skipped = list(self.refused)
        grey = channels is None
        with path.open("wb") as file, quiet():
            for batch in decode_all(self.members, size, channels or 3):
                file.write(batch.images.data)
                kept += batch.kept
                skipped += batch.skipped
                grey = grey and is_grey(batch.images)
                progress(len(kept) + len(skipped), len(self.members) + len(self.refused))
        if len(skipped) > len(kept):
            raise DataError(
                f"{len(skipped)} of {len(kept) + len(skipped)} images cannot be "
                f"used, the first of them {skipped[0].file} ({skipped[0].why})"
            )
        shape = (len(kept), channels or 3, size, size)
        images: Pixels = np.memmap(path, np.uint8, "r", shape=shape)
        return laid_out(images[:, :1] if grey else images, kept, skipped)


def image_folder(path: Path, name: str) -> ImageFiles:
    return ImageFiles(name, path, folder_members(path))


def image_zip(path: Path, name: str) -> ImageFiles:
    return ImageFiles(name, path, *zip_members(path))


def laid_out(images: Pixels, names: list[str], skipped: list[Skipped]) -> Decoded:
    layout = lay_out(names)
    used = layout.used
    beside = [
        Skipped(names[row], "beside the train and test folders") for row in np.flatnonzero(~used)
    ]
    return Decoded(
        images if used.all() else images[used],
        FILES_ARE,
        None if layout.labels is None else layout.labels[used],
        layout.classes,
        None if layout.held_out is None else layout.held_out[used],
        layout.held_out_is,
        (*skipped, *beside),
    )


def is_grey(images: Pixels) -> bool:
    return bool((images.max(axis=1) - images.min(axis=1)).max(initial=0) <= GREY_WITHIN)


# Decoding ------------------------------------------------------------------------------------


class Batch(NamedTuple):
    images: Pixels
    kept: list[str]
    skipped: list[Skipped]


def decode_all(members: Sequence[Member], size: int, channels: Channels) -> Iterator[Batch]:
    """All members in their order."""
    batches = [members[start : start + BATCH] for start in range(0, len(members), BATCH)]
    if sum(member.size for member in members) < WORTH_A_THREAD * len(members):
        yield from (decode_batch(batch, size, channels) for batch in batches)
        return
    pool = ThreadPoolExecutor(cores())
    try:
        waiting: deque[Future[Batch]] = deque()
        for batch in batches:
            waiting.append(pool.submit(decode_batch, batch, size, channels))
            if len(waiting) > cores():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow says nothing of oddities in files that decode, and refuses decompression bombs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def cores() -> int:
    """Those that this process may use, where the system can say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def decode_batch(members: Sequence[Member], size: int, channels: Channels) -> Batch:
    images = np.empty((len(members), channels, size, size), np.uint8)
    kept: list[str] = []
    skipped: list[Skipped] = []
    for member in members:
        try:
            images[len(kept)] = prepare(member.read(), size, channels)
            kept.append(member.name)
        except Exception as error:  # noqa: BLE001 - decoders raise nearly anything on broken files
            skipped.append(Skipped(member.name, why(error)))
    return Batch(images[: len(kept)], kept, skipped)


def why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read"
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, OSError) and error.strerror:  # str() would repeat the path
        return error.strerror
    return str(error) or type(error).__name__
