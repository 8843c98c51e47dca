"""What was provoked, to look at: python -m tests.benchmarks.diagnosis_pictures FOLDER

Of the trials that tests.benchmarks.diagnosis left in FOLDER: samples of those that were to show
checkerboards, and samples of those that were to memorise over the training images nearest to them.
Writes docs/diagnosis-checkerboard.webp and docs/diagnosis-memorisation.webp.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runner.execute import folder_of
from runner.kept import whole
from runner.metrics.copies import distinct, nearness, small
from runner.plan import RunPlan
from runner.samples import sampler
from runner.take import read_generator
from runner.trial import planned_images
from tests.benchmarks.sick import CASES, place

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS, SCALE, GAP, SEED = 20, 3, 4, 0

Pixels = NDArray[np.uint8]


def main(folder: Path) -> None:
    for trouble in ("checkerboard", "memorisation"):
        rows: list[Pixels] = []
        for name, case in CASES.items():
            if case.provokes == trouble:
                rows += [*rows_of(place(folder, "images", name), trouble)]
        write(rows, DOCS / f"diagnosis-{trouble}.webp", 2 if trouble == "memorisation" else 1)


def rows_of(run: Path, trouble: str) -> list[Pixels]:
    """Samples as they come, (N, 1, H, W), and below them what they are nearest to in pixels."""
    plan = whole(RunPlan, run / "plan.json")
    assert plan is not None
    game = read_generator(folder_of(run, plan.trials[0]) / "generator.safetensors")
    made = sampler(game)(COLUMNS, SEED)
    if trouble != "memorisation":
        return [made]
    train = np.asarray(planned_images(plan).train)
    train = train[distinct(train)]
    near = nearness(small(train))(small(made)).rows[:, 0]
    return [made, train[near]]


def write(rows: list[Pixels], path: Path, together: int) -> None:
    """With a gap after so many rows that belong together."""
    lines = []
    for at, row in enumerate(rows, 1):
        wide = [np.pad(each[0].repeat(SCALE, 0).repeat(SCALE, 1), ((0, 1), (0, 1))) for each in row]
        line = np.concatenate(wide, 1)
        gap = GAP if at % together == 0 and at < len(rows) else 0
        lines.append(np.pad(line, ((0, gap), (0, 0)), constant_values=255))
    content = BytesIO()
    Image.fromarray(np.concatenate(lines)).save(content, "webp", lossless=True)
    path.write_bytes(content.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
