"""Images per second of the loop: python -m tests.benchmarks.loop

The network of record: DCGAN of 32 px and width 64, one critic step to each generator step, batches
of 64, one thread. Settings take turns, so that a busy machine slows all of them alike.
"""

from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from knowledge.schema import Part, Recipe
from runner.game import build
from runner.plan import Precision
from runner.rounds import Decay, Run
from runner.scene import ImageShape

IMAGE = ImageShape(channels=1, size=32)
BATCH, ROUNDS, REPETITIONS = 64, 5, 9


class Noise:
    """One batch, over and over: only the loop is measured."""

    def __init__(self) -> None:
        self.real = torch.rand(BATCH, IMAGE.channels, IMAGE.size, IMAGE.size) * 2 - 1

    def __next__(self) -> dict[str, Tensor]:
        return {"real": self.real}

    def state_dict(self) -> dict[str, object]:
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None:
        pass


def main() -> None:
    torch.set_num_threads(1)
    settings = {
        "float32, channels first": started("float32", torch.contiguous_format),
        "float32": started("float32"),
        "bfloat16, channels first": started("bfloat16", torch.contiguous_format),
        "bfloat16": started("bfloat16"),
        "bfloat16, R1": started("bfloat16", penalties=(Part(name="r1"),)),
        "bfloat16, R1 every 16th": started(
            "bfloat16", penalties=(Part(name="r1", settings={"interval": 16}),)
        ),
        "bfloat16, WGAN-GP's penalty": started(
            "bfloat16", penalties=(Part(name="gradient-penalty"),)
        ),
        "bfloat16, spectral norm": started("bfloat16", normalizers=(Part(name="spectral-norm"),)),
    }
    paces: dict[str, list[float]] = {name: [] for name in settings}
    for repetition in range(REPETITIONS + 1):
        for name, run in settings.items():
            pace = images_per_second(run)
            if repetition:  # the first one warms up
                paces[name].append(pace)
    first = median(paces["float32, channels first"])
    print("| setting | images/s | ratio |\n|---|---|---|")
    for name, values in paces.items():
        print(f"| {name} | {median(values):.0f} | {median(values) / first:.2f} |")


def started(
    precision: Precision,
    layout: torch.memory_format = torch.channels_last,
    **others: tuple[Part, ...],
) -> Run:
    recipe = Recipe(
        backbone=Part(name="dcgan", settings={"width": 64}),
        divergence="jensen-shannon",
        loss=Part(name="non-saturating"),
        **others,
    )
    game = build(recipe, IMAGE, seed=0)
    device, steady = torch.device("cpu"), Decay(None, 1)
    return Run(game, Noise(), device, precision, 0.05, seed=0, decay=steady, layout=layout)


def images_per_second(run: Run) -> float:
    begun, before = perf_counter(), run.images_seen
    for _ in range(ROUNDS):
        run.play_round()
    return (run.images_seen - before) / (perf_counter() - begun)


if __name__ == "__main__":
    main()
