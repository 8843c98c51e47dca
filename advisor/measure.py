"""What images say of themselves: how many, how large, grey or colour, by class, which are copies."""

import hashlib
import os
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from statistics import median_low
from typing import BinaryIO, NamedTuple

from advisor.image_header import Header, Unreadable, read_header
from advisor.look import look
from advisor.recommendation import Answer

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TRAIN = frozenset({"train", "training"})
TEST = frozenset({"test", "testing", "val", "valid", "validation"})
UNEVEN = 3  # placeholder: classes are worth a word where the largest is so many times the smallest
NAMED = 3  # so many files of a kind are named


class Unmeasurable(ValueError):
    """No images there: one sentence for whoever named the place."""


class File(NamedTuple):
    name: str  # its path inside the folder or zip, with slashes
    size: int  # bytes
    open: Callable[[], BinaryIO]


class Measured(NamedTuple):
    """What was found. Copies are counted beyond the first of each kind."""

    where: str
    images: int  # that can be read, in the training folder if there is one
    shorter: tuple[int, int, int]  # smallest, median and largest shorter side, in pixels
    grey: bool
    classes: dict[str, int]  # folder -> images; empty: not sorted into folders
    unreadable: tuple[tuple[str, str], ...] = ()  # file, why
    copies: tuple[str, ...] = ()  # equal byte by byte to another file
    alike: int | None = None  # nearly equal to another one; None: Pillow was missing
    looked_at: int = 0  # images that were compared for that

    @property
    def distinct(self) -> int:
        return self.images - len(self.copies)

    @property
    def answers(self) -> dict[str, Answer]:
        """What need not be asked. Flat folders leave open whether there are labels elsewhere."""
        found: dict[str, Answer] = {
            "modality": "images",
            "images": self.distinct,
            "resolution": self.shorter[1],
            "channels": "grey" if self.grey else "colour",
        }
        return {**found, "labels": "all"} if self.classes else found


def measure(where: Path) -> Measured:
    """Headers of all files, content where two may be equal, and, with Pillow, some of the pixels.

    Raises Unmeasurable where there are no images.
    """
    files, others = listed(where)
    headers: dict[str, Header] = {}
    unreadable: list[tuple[str, str]] = []
    for file in files:
        try:
            with closing(file.open()) as opened:
                headers[file.name] = read_header(opened, file.size)
        except (Unreadable, OSError, zipfile.BadZipFile, RuntimeError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            unreadable.append((file.name, why or "cannot be read"))
    readable = to_train([file for file in files if file.name in headers])
    if not readable:
        raise Unmeasurable(nothing_there(where, files, others))
    shorter = [min(headers[file.name][:2]) for file in readable]
    copies = exact_copies(readable)
    distinct = [file for file in readable if file.name not in copies]
    pixels = look(distinct)
    grey = all(headers[file.name].grey for file in readable)
    return Measured(
        str(where),
        len(readable),
        (min(shorter), median_low(shorter), max(shorter)),
        grey or bool(pixels and pixels.grey),
        classes([file.name for file in readable]),
        tuple(unreadable),
        tuple(sorted(copies)),
        pixels.alike if pixels else None,
        pixels.looked_at if pixels else 0,
    )


# Files ---------------------------------------------------------------------------------------


def listed(where: Path) -> tuple[list[File], list[str]]:
    """The images below a folder or in a zip, and what else lies there."""
    if where.is_dir():
        every = in_folder(where)
    elif where.is_file() and zipfile.is_zipfile(where):
        every = in_zip(where)
    else:
        what = "neither a folder nor a zip of images" if where.exists() else "not there"
        raise Unmeasurable(f"{where} is {what}")
    images, others = [], []
    for file in every:
        is_image = file.name.lower().endswith(SUFFIXES)
        images.append(file) if is_image else others.append(file.name)
    return sorted(images, key=lambda file: file.name), others


def in_folder(top: Path) -> Iterator[File]:
    for here, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(here, name)
            if not name.startswith(".") and path.is_file():
                inside = path.relative_to(top).as_posix()
                yield File(inside, path.stat().st_size, partial(on_disk, path))


def on_disk(path: Path) -> BinaryIO:
    return path.open("rb")


def in_zip(path: Path) -> Iterator[File]:
    archive = zipfile.ZipFile(path)
    for entry in archive.infolist():
        parts = entry.filename.split("/")
        if not entry.is_dir() and not any(p.startswith(".") or p == "__MACOSX" for p in parts):
            yield File(entry.filename, entry.file_size, partial(in_memory, archive, entry))


def in_memory(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> BinaryIO:
    return BytesIO(archive.read(entry))


def to_train(files: list[File]) -> list[File]:
    """Without a test split that lies beside the training images."""
    tops = [name.split("/")[0].lower() for name in inside([file.name for file in files])]
    if not (TRAIN & set(tops) and TEST & set(tops)):
        return files
    return [file for file, top in zip(files, tops, strict=True) if top in TRAIN]


def inside(names: list[str]) -> list[str]:
    """Without the outer folders that all share."""
    while names and "/" in names[0]:
        outer = names[0].split("/")[0] + "/"
        if not all(name.startswith(outer) for name in names):
            break
        names = [name.removeprefix(outer) for name in names]
    return names


def classes(names: list[str]) -> dict[str, int]:
    """The outermost folder is the class, if every image lies in one."""
    tops = [name.split("/")[0] for name in inside(names) if "/" in name]
    return dict(Counter(tops)) if len(tops) == len(names) and len(set(tops)) > 1 else {}


def nothing_there(where: Path, files: list[File], others: list[str]) -> str:
    if files:
        return f"none of the {len(files)} images in {where} can be read"
    kinds = Counter(PurePosixPath(name).suffix or name for name in others)
    held = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(NAMED))
    return f"{where} holds no images" + (f", but {held}" if held else "")


# Copies ----------------------------------------------------------------------------------------


def exact_copies(files: list[File]) -> set[str]:
    """All but the first of those that are equal byte by byte. Only equal sizes are read."""
    copies = set()
    by_size = defaultdict(list)
    for file in files:
        by_size[file.size].append(file)
    for same in by_size.values():
        seen = set()
        for file in same if len(same) > 1 else ():
            with closing(file.open()) as opened:
                content = hashlib.blake2b(opened.read(), digest_size=16).digest()
            if content in seen:
                copies.add(file.name)
            seen.add(content)
    return copies


# What is said of it ------------------------------------------------------------------------------


def report(found: Measured) -> Iterator[str]:
    """A few lines for a person."""
    smallest, middle, largest = found.shorter
    size = f"{middle} px" if smallest == largest else f"{smallest} to {largest} px, mostly {middle}"
    colour = "grey" if found.grey else "colour"
    yield f"{found.where}: {found.images:,} images, {colour}, shorter side {size}"
    if found.classes:
        yield f"  classes: {len(found.classes)} folders of {spread(found.classes)}"
    else:
        yield "  classes: none that folders tell"
    if found.unreadable:
        some = "; ".join(f"{name} ({why})" for name, why in found.unreadable[:NAMED])
        yield f"  unreadable: {counted(found.unreadable)}: {some}"
    if found.copies:
        some = ", ".join(found.copies[:NAMED])
        yield f"  copies: {counted(found.copies)} equal another byte by byte: {some}"
    if found.alike is None:
        yield "  near-copies: not looked for, as Pillow is not installed"
    elif found.alike:
        yield f"  near-copies: {found.alike:,} of {found.looked_at:,} that were compared"


def spread(sizes: dict[str, int]) -> str:
    fewest, most = min(sizes.values()), max(sizes.values())
    if fewest == most:
        return f"{most:,} images each"
    uneven = ", which is uneven" if most >= UNEVEN * fewest else ""
    return f"{fewest:,} to {most:,} images{uneven}"


def counted(files: Sequence[object]) -> str:
    return f"{len(files):,} file{'' if len(files) == 1 else 's'}"
