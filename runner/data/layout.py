"""What the folders of image files mean: a split, classes, or nothing."""

from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runner.data.images import Labels

TRAIN = frozenset({"train", "training"})
TEST = frozenset({"test", "testing", "val", "valid", "validation"})

Parts = tuple[str, ...]  # of a path


class Layout(NamedTuple):
    used: NDArray[np.bool_]  # False: beside train/ and test/
    labels: Labels | None = None  # -1 where an image has none
    classes: tuple[str, ...] = ()
    held_out: NDArray[np.bool_] | None = None
    held_out_is: str = ""


def lay_out(names: list[str]) -> Layout:
    """Flat, a folder a class, or train/ and test/ of either; outer folders that hold all are
    looked through."""
    paths = unwrapped([PurePosixPath(name).parts for name in names])
    tops = [path[0].lower() if len(path) > 1 else "" for path in paths]
    if not (TRAIN & set(tops) and TEST & set(tops)):
        return Layout(np.ones(len(paths), np.bool_), *classify(paths))

    train = np.array([top in TRAIN for top in tops])
    held_out = np.array([top in TEST for top in tops])
    labels = None
    within = [
        unwrapped([path[1:] for path, is_ in zip(paths, side, strict=True) if is_])
        for side in (train, held_out)
    ]
    train_labels, classes = classify(within[0])
    if train_labels is not None:
        labels = np.full(len(paths), -1, np.int64)
        labels[train] = train_labels
        number = {name: index for index, name in enumerate(classes)}
        labels[held_out] = [number.get(path[0], -1) for path in within[1]]
    folders = sorted({path[0] for path, is_ in zip(paths, held_out, strict=True) if is_})
    held_out_is = f"the {' and '.join(folders)} folder{'s'[: len(folders) > 1]}"
    return Layout(train | held_out, labels, classes, held_out, held_out_is)


def unwrapped(paths: list[Parts]) -> list[Parts]:
    """Without the outer folders that all share."""
    while (
        paths
        and len(paths[0]) > 1
        and all(path[:1] == paths[0][:1] and len(path) > 1 for path in paths)
    ):
        paths = [path[1:] for path in paths]
    return paths


def classify(paths: list[Parts]) -> tuple[Labels | None, tuple[str, ...]]:
    """The outermost folder is the class, if every image lies in one."""
    if any(len(path) == 1 for path in paths):
        return None, ()
    classes = sorted({path[0] for path in paths}, key=by_number)
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[path[0]] for path in paths], np.int64), tuple(classes)


def by_number(name: str) -> tuple[int, str]:
    """Numbers in their order, before names."""
    return (int(name), "") if name.isdecimal() else (2**63, name)
