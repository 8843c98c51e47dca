"""Folders that are there whole or not at all."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
        if target.exists():  # a folder cannot be replaced in one step unless it is empty
            aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=UNFINISHED))
            os.replace(target, aside)
            shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove what killed processes left behind."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > ABANDONED:
            shutil.rmtree(folder, ignore_errors=True)
