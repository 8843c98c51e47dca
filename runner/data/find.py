"""What a name or a path stands for."""

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from runner.data.binary import CIFAR_ARCHIVE, CIFAR_CLASSES, cifar_folder, idx_folder
from runner.data.files import image_folder, image_zip
from runner.data.images import DataError
from runner.data.points import MIXTURES, Points
from runner.data.shapes import Shapes
from runner.data.source import Source
from runner.data.stacked import Stacked
from runner.data.triangles import Triangles
from runner.data.whole import whole_folder

SYSTEM = Path("/usr/share/datasets")  # where Debian's packages put data sets


FASHION_CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def find(where: str, downloads: Path) -> Source:
    """The source that is meant. Raises DataError for what does not exist or cannot be images."""
    if where == "shapes":
        return Shapes()
    if where == "polygons":
        return Triangles()
    if where == "stacked-fashion":
        return Stacked(where, named("fashion-mnist", downloads))
    if where in MIXTURES:
        return Points(where)
    if where in NAMED:
        return named(where, downloads)
    path = Path(where).expanduser()
    if path.is_dir():
        name = path.resolve().name
        return idx_folder(path, name) or cifar_folder(path, name) or image_folder(path, name)
    if path.is_file():
        if path.suffix.lower() != ".zip":
            raise DataError(f"{path} is neither a folder nor a .zip of images")
        return image_zip(path, path.stem)
    raise DataError(unknown(where, path))


def unknown(where: str, path: Path) -> str:
    nearest = difflib.get_close_matches(where.lower().replace("_", "-"), NAMES, 1)
    if not nearest:
        try:
            siblings = {sibling.name: str(sibling) for sibling in path.parent.iterdir()}
        except OSError:
            siblings = {}
        nearest = [siblings[name] for name in difflib.get_close_matches(path.name, siblings, 1)]
    guess = f"; did you mean {nearest[0]}?" if nearest else "."
    return (
        f"there is no data set or path {where!r}{guess} "
        f"Give a folder or a .zip of images, or one of {', '.join(NAMES)}"
    )


# Named sets ----------------------------------------------------------------------------------


def named(name: str, downloads: Path) -> Source:
    """Where the set already is, or a download."""
    for place in places(name, downloads):
        if source := at(place, name):
            return source
    try:
        fetch(name, downloads / name)
    except (OSError, RuntimeError, ImportError) as error:
        raise DataError(
            f"{name} is not on this machine and cannot be downloaded ({error}): "
            f"{NAMED[name].or_get}, or use 'shapes', which needs no file"
        ) from error
    source = at(downloads / name, name)
    assert source is not None  # every file was fetched, and its sum is right
    return source


def places(name: str, downloads: Path) -> Iterator[Path]:
    if own := os.environ.get("GAN_ADVISOR_DATA"):
        yield Path(own).expanduser() / name
        yield Path(own).expanduser() / f"{name}.zip"
    yield SYSTEM / name
    yield downloads / name


def at(place: Path, name: str) -> Source | None:
    """A named set as IDX, as CIFAR's binary files, or as images in a folder or zip."""
    if place.is_file():
        return image_zip(place, name)
    if not place.is_dir():
        return None
    classes = NAMED[name].classes
    return (
        idx_folder(place, name, classes) or cifar_folder(place, name) or image_folder(place, name)
    )


def fetch(name: str, folder: Path) -> None:
    """All files of a named set, or none."""
    from torchvision.datasets.utils import download_url  # 2 s, and only ever needed once

    mirrors, files = NAMED[name].download()
    with whole_folder(folder) as unfinished:
        for file, md5 in files:
            for mirror in mirrors:
                try:
                    download_url(mirror + file, unfinished, md5=md5)
                    break
                except (OSError, RuntimeError):  # unreachable, or not the file that it should be
                    if mirror == mirrors[-1]:
                        raise


Download = tuple[list[str], list[tuple[str, str]]]  # mirrors, (file, MD5 sum)


def mnist_files() -> Download:
    from torchvision.datasets import MNIST

    return MNIST.mirrors, MNIST.resources


def fashion_mnist_files() -> Download:
    from torchvision.datasets import FashionMNIST

    return FashionMNIST.mirrors, FashionMNIST.resources


def cifar10_files() -> Download:
    # The binary files: torchvision fetches pickles. Sum: https://www.cs.toronto.edu/~kriz/cifar.html
    return ["https://www.cs.toronto.edu/~kriz/"], [
        (CIFAR_ARCHIVE, "c32a1d4ab5d03f1284b67883e8d87530")
    ]


class Named(NamedTuple):
    classes: tuple[str, ...]
    download: Callable[[], Download]
    or_get: str  # what a person can do without a network


NAMED = {
    "cifar10": Named(
        CIFAR_CLASSES, cifar10_files, f"get {CIFAR_ARCHIVE} and name the folder that it is in"
    ),
    "fashion-mnist": Named(
        FASHION_CLASSES,
        fashion_mnist_files,
        "install Debian's package dataset-fashion-mnist, or get train-images-idx3-ubyte.gz and "
        "the three files beside it and name their folder",
    ),
    "mnist": Named(
        tuple("0123456789"),
        mnist_files,
        "get train-images-idx3-ubyte.gz and the three files beside it and name their folder",
    ),
}
TOYS = (*MIXTURES, "polygons", "stacked-fashion")  # of which the distribution is known
NAMES = (*NAMED, "shapes", *TOYS)
