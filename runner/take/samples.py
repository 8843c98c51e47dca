"""Samples as files: a picture, a folder of PNGs, or an array."""

from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from knowledge.files import write_whole
from runner.metrics import measurable, to_uint8
from runner.pictures import picture
from runner.scene import Game
from runner.take.find import TakeError
from runner.take.folder import new_folder
from runner.take.generator import drawn

Kind = Literal["grid", "folder", "npz"]
IN_A_PICTURE = 10_000  # images: more would make a file that few programs open
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # of PIL, by channels


def write_samples(
    game: Game,
    out: Path,
    kind: Kind,
    *,
    count: int,
    seed: int,
    truncation: float | None = None,
) -> None:
    """Whole or not at all. A file is written over; a folder has to be new, or empty.

    Raises TakeError, MetricError where the generator makes values that are not finite, OSError.
    """
    points = game.image.size == 1
    batches = drawn(game, count, seed=seed, truncation=truncation)
    if kind == "grid":
        if count > IN_A_PICTURE and not points:
            raise TakeError(
                f"a picture of {count:,} images is too large; take --folder or --npz, or at most "
                f"{IN_A_PICTURE:,}"
            )
        seen = [measurable(batch).cpu().numpy() for batch in batches]
        put_file(out, picture(np.concatenate(seen)))
    elif kind == "npz":
        values = [batch.flatten(1) if points else to_uint8(batch) for batch in batches]
        put_file(out, packed(np.concatenate([each.cpu().numpy() for each in values])))
    elif points:
        raise TakeError("points of a plane make no folder of images; take --npz, or --grid")
    else:
        with new_folder(out) as folder:
            digits = max(5, len(str(count - 1)))
            images = (image for batch in batches for image in to_uint8(batch).cpu().numpy())
            for number, image in enumerate(images):
                save(image, folder / f"{number:0{digits}}.png")


def put_file(out: Path, content: bytes) -> None:
    if out.is_dir():
        raise TakeError(f"{out} is a folder; give the name of a file with -o")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, content)


def packed(values: NDArray[np.uint8] | NDArray[np.float32]) -> bytes:
    """As evaluation scripts read them: one array, "arr_0", (N, H, W, C) uint8, or points (N, 2)."""
    content = BytesIO()
    np.savez(content, values.transpose(0, 2, 3, 1) if values.ndim == 4 else values)
    return content.getvalue()


def save(image: NDArray[np.uint8], path: Path) -> None:
    """(C, H, W), with its alpha if it has any."""
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    Image.fromarray(pixels, MODES[len(image)]).save(path)
