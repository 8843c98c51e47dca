"""Which files of a folder or of a zip are images."""

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from runner.data.images import DataError, Skipped
from runner.data.prepare import SUFFIXES, Unusable

LARGEST = 256 * 2**20  # bytes of one file: more than any photograph has, less than a zip bomb


class Member(NamedTuple):
    """A file that should hold an image."""

    name: str  # its path inside the folder or archive
    size: int  # bytes, once unpacked
    stamp: int  # differs when the content does
    read: Callable[[], bytes]


# A folder ------------------------------------------------------------------------------------


def folder_members(top: Path) -> tuple[Member, ...]:
    """The images below a folder. Raises DataError where there are none."""
    members: list[Member] = []
    others: list[str] = []
    for name in walk(top):
        if is_image(name):
            members.append(file_member(str(top), name))
        else:
            others.append(name)
    return some(tuple(members), top, others)


def walk(top: Path) -> Iterator[str]:
    """Every visible file in a stable order. Links are followed, but no folder is entered twice."""
    entered = {identity(top)}
    for here, folders, files in os.walk(top, followlinks=True, onerror=unreadable):
        to_enter = {identity(Path(here, name)): name for name in sorted(folders) if visible(name)}
        folders[:] = [name for place, name in to_enter.items() if place not in entered]
        entered.update(to_enter)
        inside = os.path.relpath(here, top)
        yield from (
            name if inside == os.curdir else os.path.join(inside, name)
            for name in sorted(files)
            if visible(name)
        )


def identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def unreadable(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error


def file_member(top: str, name: str) -> Member:
    path = os.path.join(top, name)

    def read() -> bytes:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
            raise Unusable("not a regular file")
        check_size(found.st_size)
        return Path(path).read_bytes()

    try:
        found = os.stat(path)
        size, stamp = found.st_size, found.st_mtime_ns
    except OSError:  # a link to nowhere: reading it will say so
        size, stamp = 0, 0
    # Names need not be UTF-8, but what is told of them must be.
    readable = os.fsencode(name).decode("utf-8", "replace")
    return Member(readable.replace(os.sep, "/"), size, stamp, read)


# A zip ---------------------------------------------------------------------------------------


def zip_members(path: Path) -> tuple[tuple[Member, ...], tuple[Skipped, ...]]:
    """The images in a zip, and the entries that are refused. Nothing is ever unpacked to disk."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as a zip: {error}") from error
    members: list[Member] = []
    refused: list[Skipped] = []
    others: list[str] = []
    for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.is_dir() or not all(visible(part) or part == ".." for part in parts):
            continue
        if not is_image(entry.filename):
            others.append(entry.filename)
        elif ".." in parts or parts[0] == "" or parts[0].endswith(":"):
            # Absolute, with a drive, or climbing. We would not unpack it anyway; nobody good made it.
            refused.append(Skipped(entry.filename, "its path leads out of the archive"))
        else:
            members.append(zip_member(archive, entry))
    return some(tuple(members), path, others), tuple(refused)


def zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    def read() -> bytes:
        if entry.flag_bits & 1:
            raise Unusable("encrypted")
        check_size(entry.file_size)  # zipfile never returns more than an entry declares
        return archive.read(entry)

    return Member(entry.filename, entry.file_size, entry.CRC, read)


# Both ----------------------------------------------------------------------------------------


def visible(name: str) -> bool:
    """Neither hidden nor what macOS adds to zips."""
    return not name.startswith(".") and name != "__MACOSX"


def is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def check_size(size: int) -> None:
    if size > LARGEST:
        raise Unusable(f"{size / 2**20:.0f} MiB, more than {LARGEST // 2**20} MiB")


def some(members: tuple[Member, ...], where: Path, files: list[str]) -> tuple[Member, ...]:
    if members:
        return members
    if not files:
        raise DataError(f"{where} is empty: it holds no files at all")
    kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    raise DataError(
        f"{where} holds no images: none of its {len(files)} files, such as {files[0]}, "
        f"ends in one of {kinds}"
    )
