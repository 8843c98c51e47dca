"""The state of a training run on disk: written whole, checked when read, never executed."""

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

MAGIC = b"gan-advisor checkpoint 3\n"
HEAD = len(MAGIC) + hashlib.sha256().digest_size


class CheckpointError(ValueError):
    """A checkpoint that belongs to another run."""


def warn(what: str) -> None:
    warnings.warn(what, stacklevel=3)


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Replaces the checkpoint and keeps the one before: at any moment one of them is whole."""
    content = io.BytesIO()
    torch.save(dict(state), content)
    beside = path.with_name(f"{path.name}.partial")
    try:
        with open(beside, "wb") as file:
            # torch.load does not notice flipped bits.
            file.write(MAGIC + hashlib.sha256(content.getbuffer()).digest())
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and is_whole(path.read_bytes()):  # a damaged one must not push out a good
            os.replace(path, previous(path))
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def load(path: Path, tell: Callable[[str], None] = warn) -> dict[str, Any] | None:
    """The newest whole checkpoint, or None where there is none. Its tensors are on the CPU."""
    for candidate in (path, previous(path)):
        if candidate.exists():
            content = candidate.read_bytes()
            if is_whole(content):
                state: dict[str, Any] = torch.load(
                    io.BytesIO(content[HEAD:]), map_location="cpu", weights_only=True
                )
                return state
            tell(f"{candidate} is damaged, or of another version, and was not used")
    return None


def discard(path: Path) -> None:
    """The older one first: a process that is killed in between finds the newer one."""
    previous(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.previous")


def is_whole(content: bytes) -> bool:
    return content[:HEAD] == MAGIC + hashlib.sha256(content[HEAD:]).digest()


def check_same_run(there: Mapping[str, Any], here: Mapping[str, Any], path: Path) -> None:
    """Raises CheckpointError, with the differences, if the checkpoint is of another run."""
    saved, wanted = flat(there), flat(here)
    differences = [
        f"{key} was {saved.get(key)!r} and is now {wanted.get(key)!r}"
        for key in sorted({*saved, *wanted})
        if saved.get(key) != wanted.get(key)
    ]
    if differences:
        raise CheckpointError(f"{path} is of another run: {'; '.join(differences)}")


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings and lists as one, with dotted keys."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        branch = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        if isinstance(branch, dict) and branch:
            leaves |= flat(branch, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves
