"""The binary files of the MNIST family (IDX) and of CIFAR-10."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from runner.data.images import DataError, Labels, Pixels
from runner.data.prepare import prepare_array
from runner.data.source import Channels, Decoded, Progress

CIFAR_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
CIFAR_RECORD = 1 + 3 * 32 * 32  # a label and a planar image


class Part(NamedTuple):
    """The images of one split, (N, C, H, W), and their labels if there are any."""

    images: Pixels
    labels: Labels | None


@dataclass(frozen=True)
class BinaryFiles:
    """Files that hold many raw images each."""

    name: str
    files: tuple[Path, ...]
    read: Callable[[], tuple[Part, Part | None]]  # train, test
    classes: tuple[str, ...] = ()  # empty: the numbers of the labels

    def listing(self) -> list[object]:
        stamps = ((path, path.stat()) for path in self.files)
        files = [[str(path.resolve()), stat.st_size, stat.st_mtime_ns] for path, stat in stamps]
        return [self.classes, files]

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        train, test = self.read()
        parts = [train] if test is None else [train, test]
        images = np.concatenate([part.images for part in parts])
        images, preparation = prepare_array(images, size, channels)
        progress(len(images), len(images))
        labels: Labels | None = None
        classes: tuple[str, ...] = ()
        if train.labels is not None:
            labels = np.full(len(images), -1, np.int64)
            labels[: len(train.labels)] = train.labels
            classes = self.classes or tuple(map(str, range(int(train.labels.max(initial=0)) + 1)))
            if test is not None and test.labels is not None:
                known = test.labels < len(classes)
                labels[len(train.labels) :] = np.where(known, test.labels, -1)
        if test is None:
            return Decoded(images, preparation, labels, classes)
        held_out = np.arange(len(images)) >= len(train.images)
        return Decoded(images, preparation, labels, classes, held_out, "the test split")


# IDX -----------------------------------------------------------------------------------------


def idx_folder(folder: Path, name: str, classes: tuple[str, ...] = ()) -> BinaryFiles | None:
    """The IDX files of a folder, if it has any."""
    train = idx_file(folder, "train", "images")
    if train is None:
        return None
    train_labels = idx_file(folder, "train", "labels")
    test = idx_file(folder, "t10k", "images") or idx_file(folder, "test", "images")
    test_labels = idx_file(folder, "t10k", "labels") or idx_file(folder, "test", "labels")

    def read() -> tuple[Part, Part | None]:
        trained = idx_part(train, train_labels)
        held_out = None if test is None else idx_part(test, test_labels)
        if held_out is not None and held_out.images.shape[1:] != trained.images.shape[1:]:
            raise DataError(f"{test}: its images are not as large as those of {train.name}")
        return trained, held_out

    files = (train, train_labels, test, test_labels)
    return BinaryFiles(name, tuple(path for path in files if path is not None), read, classes)


def idx_part(file: Path, labelled: Path | None) -> Part:
    images = read_idx(file, 3)[:, None]
    labels = None if labelled is None else read_idx(labelled, 1).astype(np.int64)
    if labels is not None and len(labels) != len(images):
        raise DataError(
            f"{labelled}: {len(labels)} labels for the {len(images)} images of {file.name}"
        )
    return Part(images, labels)


def idx_file(folder: Path, split: str, what: str) -> Path | None:
    """As Debian, torchvision, Kaggle (a dot for a dash) and EMNIST (a prefix) name it."""
    found = sorted(folder.glob(f"*{split}-{what}?idx[13]-ubyte*"))
    return next((path for path in found if path.name.endswith(("-ubyte", "-ubyte.gz"))), None)


def read_idx(path: Path, dimensions: int) -> Pixels:
    """An array of unsigned bytes (format: "The MNIST database", LeCun et al.)."""
    data = contents(path)
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{path} is not an IDX file of {dimensions}-dimensional bytes")
    shape = tuple(int(length) for length in np.frombuffer(data, ">u4", dimensions, 4))
    if len(data) != start + int(np.prod(shape)):
        raise DataError(
            f"{path} is torn: it should hold {int(np.prod(shape))} bytes of {shape}, "
            f"not {len(data) - start}"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def contents(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


# CIFAR-10 ------------------------------------------------------------------------------------


def cifar_folder(folder: Path, name: str) -> BinaryFiles | None:
    """CIFAR-10's binary files, in its archive or out of it (the other archives are pickles)."""
    if (archive := folder / CIFAR_ARCHIVE).is_file():
        return BinaryFiles(
            name, (archive,), lambda: cifar_split(tar_members(archive)), CIFAR_CLASSES
        )
    if not (folder / "test_batch.bin").is_file():
        return None
    files = (*sorted(folder.glob("data_batch_*.bin")), folder / "test_batch.bin")
    return BinaryFiles(
        name,
        files,
        lambda: cifar_split((path.name, contents(path)) for path in files),
        CIFAR_CLASSES,
    )


def tar_members(archive: Path) -> Iterable[tuple[str, bytes]]:
    """The .bin files of an archive, read in memory: nothing is unpacked."""
    try:
        with tarfile.open(archive) as tar:
            for member in sorted(tar, key=lambda member: member.name):
                if member.name.endswith(".bin") and (file := tar.extractfile(member)):
                    yield member.name, file.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{archive} cannot be read: {error}") from error


def cifar_split(batches: Iterable[tuple[str, bytes]]) -> tuple[Part, Part]:
    """Five batches to train on and one to test."""
    train: list[Pixels] = []
    test: list[Pixels] = []
    for name, data in batches:
        if len(data) % CIFAR_RECORD:
            raise DataError(f"{name} is torn: {len(data)} bytes are not whole CIFAR-10 images")
        records = np.frombuffer(data, np.uint8).reshape(-1, CIFAR_RECORD)
        (test if "test" in name else train).append(records)
    if not train or not test:
        raise DataError(
            "of CIFAR-10's files data_batch_1.bin … data_batch_5.bin and test_batch.bin some are missing"
        )
    return cifar_part(train), cifar_part(test)


def cifar_part(batches: list[Pixels]) -> Part:
    records = np.concatenate(batches)
    return Part(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64))
