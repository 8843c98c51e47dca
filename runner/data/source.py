"""What every kind of data can do: name its contents cheaply, and decode them."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from runner.data.images import Labels, Pixels, Points, Skipped

Channels = Literal[1, 2, 3, 4]  # grey, grey and alpha, colour, colour and alpha
Progress = Callable[[int, int], None]  # images done, of how many


class Decoded(NamedTuple):
    """Every usable image of a source, in any order."""

    images: Pixels | Points
    preparation: str
    labels: Labels | None = None
    classes: tuple[str, ...] = ()
    held_out: NDArray[np.bool_] | None = None  # a mask; None: the source has no test split
    held_out_is: str = ""
    skipped: tuple[Skipped, ...] = ()


class Source(Protocol):
    """A place that images come from."""

    @property
    def name(self) -> str: ...

    def listing(self) -> list[object]:
        """What changes when the content does, for the key of the cache. JSON values only."""
        ...

    def decode(
        self, size: int, channels: Channels | None, scratch: Path, progress: Progress
    ) -> Decoded:
        """All images at `size` px; files that are needed on the way go into `scratch`."""
        ...
