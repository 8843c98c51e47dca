"""Decoded images on disk: written whole or not at all, and never trusted blindly."""

import os
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from platformdirs import user_cache_path

from knowledge.schema import Record
from runner.data.images import ImageSet, Skipped, fingerprint
from runner.data.source import Decoded
from runner.data.split import Order, Rows

IN_MEMORY = 2**30  # bytes of pixels up to which a set is loaded rather than mapped
ROWS = 4096  # images at a time


class File(Record):
    bytes: int
    crc32: int  # of the values


class Contents(Record):
    """meta.json: what the arrays beside it are."""

    version: Literal[2] = 2
    fingerprint: str
    classes: tuple[str, ...]
    held_out_is: str
    preparation: str
    skipped: tuple[Skipped, ...]
    files: dict[str, File]


def cache_folder(cache: Path | None = None) -> Path:
    """The one given, else $GAN_ADVISOR_CACHE, else the user's."""
    if cache is not None:
        return cache
    named = os.environ.get("GAN_ADVISOR_CACHE")
    return Path(named).expanduser() if named else user_cache_path("gan-advisor")


def load(folder: Path, name: str) -> ImageSet | None:
    """The set that was saved here, or None where there is none or it is damaged."""
    try:
        contents = Contents.model_validate_json((folder / "meta.json").read_bytes())
        large = sum(file.bytes for file in contents.files.values()) > IN_MEMORY
        arrays = {file: read(folder / file, what, large) for file, what in contents.files.items()}
        return ImageSet(
            name=name,
            train=arrays["train.npy"],
            held_out=arrays["held_out.npy"],
            labels=arrays.get("labels.npy"),
            held_labels=arrays.get("held_labels.npy"),
            classes=contents.classes,
            fingerprint=contents.fingerprint,
            held_out_is=contents.held_out_is,
            preparation=contents.preparation,
            skipped=contents.skipped,
        )
    except (OSError, ValueError, KeyError):  # absent, torn, or something else altogether
        return None


def read(path: Path, expected: File, large: bool) -> np.ndarray:
    """Raises ValueError for a file that is not what was written."""
    if path.stat().st_size != expected.bytes:
        raise ValueError(f"{path} is torn")
    values: np.ndarray = np.load(path, mmap_mode="r" if large else None, allow_pickle=False)
    # To read all of a large one would take longer than anybody wants to wait.
    if not large and zlib.crc32(np.ascontiguousarray(values).data) != expected.crc32:
        raise ValueError(f"{path} is damaged")
    return values


def save(folder: Path, decoded: Decoded, order: Order) -> None:
    """Write the arrays and what they are. Raises OSError where there is no room."""
    rows: dict[str, tuple[np.ndarray, Rows]] = {
        "train.npy": (decoded.images, order.train),
        "held_out.npy": (decoded.images, order.held_out),
    }
    if decoded.labels is not None:
        rows["labels.npy"] = (decoded.labels, order.train)
        if (decoded.labels[order.held_out] >= 0).all():
            rows["held_labels.npy"] = (decoded.labels, order.held_out)
    files = {file: write(folder / file, *of) for file, of in rows.items()}
    saved = {file: np.load(folder / file, mmap_mode="r", allow_pickle=False) for file in files}
    contents = Contents(
        fingerprint=fingerprint(saved["train.npy"], saved["held_out.npy"], saved.get("labels.npy")),
        classes=decoded.classes,
        held_out_is=order.held_out_is,
        preparation=decoded.preparation,
        skipped=decoded.skipped,
        files=files,
    )
    (folder / "meta.json").write_text(contents.model_dump_json(indent=1), encoding="utf-8")


def write(path: Path, values: np.ndarray, rows: Rows) -> File:
    """Some rows as .npy. Plain writes: on a full disk a memory map would kill the process."""
    header = {
        "descr": np.lib.format.dtype_to_descr(values.dtype),
        "fortran_order": False,
        "shape": (len(rows), *values.shape[1:]),
    }
    checksum = 0
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(rows), ROWS):
            data = np.ascontiguousarray(values[rows[start : start + ROWS]]).data
            checksum = zlib.crc32(data, checksum)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())  # a power cut must not leave a file of the right size full of zeros
        return File(bytes=file.tell(), crc32=checksum)
