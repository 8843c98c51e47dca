"""What the knowledge base was extended with for an advice: the same words, the same fingerprint."""

import hashlib
from pathlib import Path

from advisor.recommendation import Overlay
from knowledge.library import Library, user_overlay, yaml_files

OWN = "your own"  # the overlay that is taken by itself, whatever its folder is called


def used(library: Library) -> tuple[Overlay, ...]:
    """In the order in which they were laid over the base."""
    own = user_overlay()
    return tuple(
        Overlay(name=OWN if folder == own else folder.resolve().name, fingerprint=written(folder))
        for folder in library.overlays
    )


def written(folder: Path) -> str:
    """Changes with what the files say, and with nothing else."""
    digest = hashlib.sha256()
    for file in yaml_files(folder):
        text = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}|{len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()[:12]
