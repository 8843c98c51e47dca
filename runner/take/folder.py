"""A folder that somebody takes home: never over what is there, and whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knowledge.files import umask
from runner.data.whole import whole_folder
from runner.take.find import TakeError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """To fill; it becomes `out` when the block ends well. Raises TakeError where that is taken."""
    check_free(out)
    with whole_folder(out.absolute()) as folder:
        yield folder
        os.chmod(folder, 0o777 & ~umask())  # a temporary folder is its owner's alone


def check_free(out: Path) -> None:
    if out.is_file():
        raise TakeError(f"{out} is a file; give the name of a new folder with -o")
    if out.is_dir():
        if any(out.iterdir()):
            raise TakeError(f"{out} exists and is not empty; give the name of a new folder with -o")
        if out.samefile(Path.cwd()):  # replaced, it would be pulled away from under the shell
            raise TakeError("give -o the name of a new folder in this one")
