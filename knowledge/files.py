"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Beside, then renamed. Raises OSError that names `path`, with nothing half-written left behind."""
    data = content.encode() if isinstance(content, str) else content
    try:
        _write(path, data)
    except OSError as error:
        missing = f"there is no folder {path.parent} to write it into; make it first"
        says = error.strerror if path.parent.is_dir() else missing
        raise type(error)(error.errno, says, str(path)) from None


def _write(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
    ) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o666 & ~umask())  # a temporary file is its owner's alone
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
