"""GANs that are told a class, a row of samples for each: python -m tests.benchmarks.gallery_told

Trains what docs/gallery/told.md shows on Fashion-MNIST, by the runner itself and each in a folder of
its own (--runs), so that what has ended is not trained again. A quarter of an hour on one core.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from runner.leaderboard import Leaderboard
from runner.metrics import measurable
from runner.prepare import Request
from runner.run import ranked, run
from runner.take import find, read_generator
from runner.take.export import row_by_row
from runner.wording import figures
from tests.benchmarks.gallery import advice, share_anchors
from tests.benchmarks.gallery_systems import Ground, System
from tests.benchmarks.page import fill

BUDGET = 32_000
PAGE = Path(__file__).parents[2] / "docs" / "gallery" / "told.md"

NARROW = {"backbone": {"name": "dcgan", "settings": {"width": 24}}, "batch_size": 32}
RESIDUAL = {"settings": {"width": 12}}
GROUND = Ground(
    "fashion-mnist",
    "images_budget",
    1,
    {"features": "efficientnet-lite0", "samples": 3_000, "looks": 3, "look_samples": 1_000},
)
SYSTEMS = (
    System("cgan", "cGAN: labels beside latents and image", "cgan", NARROW),
    System("acgan", "AC-GAN: a critic that also tells classes", "acgan", NARROW),
    System("acgan-projection", "the same networks, by projection", "cgan", {
        **NARROW, "structure": {"name": "conditional", "settings": {"critic": "projection"}}
    }),
    System("sagan", "SAGAN: projection, residual, self-attention", "sagan", {
        "backbone": {"name": "self-attention", **RESIDUAL}, "batch_size": 32
    }),
    System("sagan-resnet", "the same without attention", "sagan", {
        "backbone": {"name": "resnet", **RESIDUAL}, "batch_size": 32
    }),
)  # fmt: skip


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.benchmarks.gallery_told", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/gallery/told"))
    runs = parser.parse_args().runs
    for system in SYSTEMS:
        trained(system, runs)
    fill(PAGE, "\n".join(page(runs)) + "\n")


def trained(system: System, runs: Path) -> None:
    folder = runs / system.id
    folder.mkdir(parents=True, exist_ok=True)
    share_anchors(folder)
    request = Request(
        data=GROUND.data, budget=BUDGET, seeds=GROUND.seeds, device="cpu", **GROUND.request
    )
    board = run(advice(system, GROUND), request, folder, workers=1)
    print(f"{system.id}: {board.standings[0].mean}", file=sys.stderr, flush=True)


def page(runs: Path) -> Iterator[str]:
    yield "| system | distance | intra-class | precision | coverage | images/s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for system in SYSTEMS:
        board: Leaderboard = ranked(runs / system.id)[0]
        (own,) = board.standings
        if own.mean is None:
            yield f"| {system.name} | {' '.join(own.failures)} | | | | |"
            continue
        kinds = (own.secondary.get(name) for name in ("intra-class", "precision", "coverage"))
        values = [figures(each) if each is not None else "–" for each in (own.mean, *kinds)]
        yield f"| {system.name} | {' | '.join(values)} | {own.images_per_second:.0f} |"
    for system in SYSTEMS:
        weights = find(runs / system.id).weights
        game = read_generator(weights)
        name = f"told-{system.id}.webp"
        write(measurable(row_by_row(game)).numpy(), PAGE.with_name(name))
        yield ""
        yield f"**{system.name}**"
        yield ""
        yield f"![Samples: a class in each row, the same latent in each column]({name})"


def write(images: np.ndarray, path: Path) -> None:
    """Rows of classes; as many columns as there are latents."""
    rows = images.reshape(10, -1, *images.shape[1:])[:, :, 0]
    sheet = np.concatenate([np.concatenate(list(row), 1) for row in rows])
    Image.fromarray(sheet).save(path, quality=80, method=6)


if __name__ == "__main__":
    main()
