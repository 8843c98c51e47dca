"""The gallery's pictures: a strip for each system, a panel for each ground."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.gallery_systems import GROUNDS, SYSTEMS

PANEL, GAP, QUALITY = 262, 6, 70  # pixels a side, between panels; of WebP
WHITE = 255
REAL = "real"
ALL = ", ".join(ground.data for ground in GROUNDS)


def gallery() -> Iterator[str]:
    yield f"Of each system its first seed on {ALL}, after the same budget."
    yield ""
    yield f"<a id='{REAL}'></a>**Real samples**"
    yield ""
    yield f"![Real samples of {ALL}]({REAL}.webp)"
    for system in SYSTEMS:
        because = f" ({system.because})" if system.because else ""
        yield ""
        yield f"<a id='{system.id}'></a>**{system.name}**{because}"
        yield ""
        yield f"![{system.name} on {ALL}]({system.id}.webp)"


def write_pictures(runs: Path, out: Path) -> None:
    """A panel stays empty where there is nothing."""
    for system in SYSTEMS:
        first = f"trials/{system.id}-seed0/samples.png"
        files = [runs / ground.data / system.id / first for ground in GROUNDS]
        if any(file.exists() for file in files):
            strip(files).save(out / f"{system.id}.webp", quality=QUALITY, method=6)
    real = [next((runs / ground.data).glob("*/real.png"), Path()) for ground in GROUNDS]
    if any(file.is_file() for file in real):
        strip(real).save(out / f"{REAL}.webp", quality=QUALITY, method=6)


def strip(files: Sequence[Path]) -> Image.Image:
    width = len(files) * (PANEL + GAP) - GAP
    canvas = Image.fromarray(np.full((PANEL, width), WHITE, np.uint8))
    for place, file in enumerate(files):
        if file.is_file():
            with Image.open(file) as opened:
                panel = opened.convert("L").resize((PANEL, PANEL), Image.Resampling.BOX)
            canvas.paste(panel, (place * (PANEL + GAP), 0))
    return canvas
