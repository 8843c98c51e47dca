"""Folders that are there whole or not at all."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".unfinished-"
ABANDONED = 24 * 3600  # seconds after which an unfinished folder belongs to a killed process


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target` when the block ends well and vanishes if not.

    If another process finished `target` meanwhile, its folder is replaced by this one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=UNFINISHED))
    try:
        yield folder
        put(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(folder: Path, target: Path) -> None:
    """Rename a folder, moving away what is in its place."""
    while True:
        try:
            os.replace(folder, target)
            return
        except OSError:  # a folder that is not empty cannot be replaced in one step
            if not target.exists():
                raise
        aside = tempfile.mkdtemp(dir=target.parent, prefix=UNFINISHED)
        with suppress(FileNotFoundError):  # another process was faster
            os.replace(target, Path(aside, "old"))
        shutil.rmtree(aside, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what killed processes left behind."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
