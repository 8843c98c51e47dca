"""A run's pictures as text that a page can hold, no larger than the page may become."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.pictures import data_uri, dimensions, small_data_uri
from runner.report.files import Frame, Pictures

STILLS = 0.5  # of the room for pictures, where there are films too
LEAST = 16_000  # bytes of a frame: below that an early grid cannot be told from a late one


class Picture(NamedTuple):
    src: str  # a data URI
    width: int
    height: int


class Film(NamedTuple):
    """An arm's samples on the way, the earliest first."""

    frames: tuple[tuple[int, str], ...]  # real images shown to the critic, a data URI
    width: int
    height: int

    @property
    def last(self) -> Picture:
        return Picture(self.frames[-1][1], self.width, self.height)


class Album(NamedTuple):
    samples: dict[str, Picture]  # by arm
    films: dict[str, Film]  # by arm
    real: Picture | None
    nearest: Picture | None
    interpolation: Picture | None


def album(folder: Path, pictures: Pictures, room: int) -> Album:
    """`room`: bytes of all pictures together, before they become text."""
    shown = {each.arm: each for each in pictures.samples}
    moving = {arm: each.frames for arm, each in shown.items() if len(each.frames) > 1}
    # The first arm's samples stand on the page twice.
    stills = len(shown) + 4
    limit = int(room * (STILLS if moving else 1)) // stills
    films = {}
    if moving:
        left = room - limit * stills
        most = max(2, left // (LEAST * len(moving)))
        chosen = {arm: thinned(frames, most) for arm, frames in moving.items()}
        frame_limit = left // sum(map(len, chosen.values()))
        films = {arm: film(folder, frames, frame_limit) for arm, frames in chosen.items()}
    samples = {arm: picture(folder, each.path, limit) for arm, each in shown.items()}
    return Album(
        samples={arm: found for arm, found in samples.items() if found},
        films={arm: found for arm, found in films.items() if found},
        real=picture(folder, pictures.real, limit),
        nearest=picture(folder, pictures.nearest.path if pictures.nearest else None, limit),
        interpolation=picture(folder, pictures.interpolation, limit),
    )


def thinned(frames: Sequence[Frame], most: int) -> list[Frame]:
    """So many at most, evenly, the first and the last among them."""
    if len(frames) <= most:
        return list(frames)
    return [frames[round(at * (len(frames) - 1) / (most - 1))] for at in range(most)]


def film(folder: Path, frames: Sequence[Frame], limit: int) -> Film | None:
    found = list(developed(folder, frames, limit))
    if len(found) < 2:
        return None
    width, height = max((each.width, each.height) for _, each in found)
    return Film(tuple((seen, each.src) for seen, each in found), width, height)


def developed(folder: Path, frames: Sequence[Frame], limit: int) -> Iterator[tuple[int, Picture]]:
    for frame in frames:
        if found := picture(folder, frame.path, limit):
            yield frame.images_seen, found


def picture(folder: Path, name: str | None, limit: int) -> Picture | None:
    """None where there is none, or none that can be read."""
    if name is None:
        return None
    path = folder / name
    try:
        width, height = dimensions(path)
        if path.stat().st_size <= limit:
            return Picture(data_uri(path.read_bytes(), path.suffix[1:]), width, height)
        return Picture(small_data_uri(path, limit), width, height)
    except (OSError, SyntaxError):  # Pillow raises the latter for some broken PNGs
        return None
