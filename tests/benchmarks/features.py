"""What measuring costs on one thread, as Markdown tables: python -m tests.benchmarks.features

The figures of docs/performance-features.md: images a second of every network and engine, and the
seconds of what is worked out from features. All in seconds of the processor, on which others may be
at work too. Inception has random weights, which cost the same.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # before NumPy reads them
    os.environ[f"{library}_NUM_THREADS"] = "1"

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from runner.metrics import Target, efficientnet, engines, extractor
from runner.metrics.kernel import KernelTarget
from runner.metrics.neighbours import Neighbourhoods
from tests.runner.metrics.weights import random_inception

Work = Callable[[], object]
SECONDS = 3.0  # of each measurement at least
SIDE = 32  # pixels of the images
COUNTS, DIMENSIONS = (5_000, 10_000), (1280, 2048)
MEASURES = {"engines", "secondary"}


class Network(NamedTuple):
    says: str
    name: str
    size: int | None = None  # of EfficientNet's input, where it is not the usual one
    weights: Path | None = None


def main(parts: set[str]) -> None:
    torch.set_num_threads(1)
    if "engines" in parts:
        with tempfile.TemporaryDirectory() as folder:
            compare_engines(Path(folder))
    if "secondary" in parts:
        time_secondary()


# Images a second -------------------------------------------------------------------------------


def compare_engines(folder: Path) -> None:
    torch.save(random_inception(), folder / "random.pth")
    print("| features | engine | precision | images/s | times torch | error |")
    print("|---|---|---|---:|---:|---:|")
    for network in (
        Network("EfficientNet-Lite0 at 64", "efficientnet-lite0"),
        Network("EfficientNet-Lite0 at 224", "efficientnet-lite0", size=224),
        Network("Inception at 299", "inception", weights=folder / "random.pth"),
    ):
        (first, expected), *others = (measured(network, *way) for way in ways())
        for (engine, precision), (rate, features) in zip(
            ways(), [(first, expected), *others], strict=True
        ):
            error = float((features - expected).norm() / expected.norm())
            print(
                f"| {network.says} | {engine} | {precision} | {rate:.0f} | {rate / first:.1f} "
                f"| {f'{error:.0e}' if error else ''} |"
            )


def ways() -> Iterator[tuple[str, str]]:
    for engine in ("torch", "openvino") if find_spec("openvino") else ("torch",):
        for precision in ("float32", "bfloat16"):
            yield engine, precision


def measured(network: Network, engine: str, precision: str) -> tuple[float, Tensor]:
    """Images a second from pixels on, and the features of the first ones."""
    with ExitStack() as around:
        for each in circumstances(network, engine, precision):
            around.enter_context(each)
        found = extractor(network.name, weights=network.weights, engine=engine)
        shape = (found.batch_size, 3, SIDE, SIDE)
        images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, np.uint8))

        def extract() -> Tensor:
            return found.forward(found.prepare(images)).float()

        features = extract()
        return len(images) / seconds(extract), features


def circumstances(
    network: Network, engine: str, precision: str
) -> Iterator[AbstractContextManager[object]]:
    yield torch.inference_mode()
    yield patch.object(efficientnet, "SIZE", network.size or efficientnet.SIZE)
    if precision == "bfloat16":
        yield torch.autocast("cpu", torch.bfloat16, enabled=engine == "torch")
        yield patch.dict(engines.SETTINGS, INFERENCE_PRECISION_HINT="bf16")


# From features on ------------------------------------------------------------------------------


def time_secondary() -> None:
    print("| from features | n | dimension | once a reference, s | each set of samples, s |")
    print("|---|---:|---:|---:|---:|")
    for dimension in DIMENSIONS:
        for count in COUNTS:
            for name, once, each in worked_out(
                some(count, dimension, 0), some(count, dimension, 1)
            ):
                print(
                    f"| {name} | {count} | {dimension} | {seconds(once):.2f} | {seconds(each):.2f} |",
                    flush=True,
                )


def worked_out(real: np.ndarray, made: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    target, kernel, near = Target.of(real), KernelTarget(real), Neighbourhoods.of(real)
    yield "Fréchet distance", lambda: Target.of(real), lambda: target.distance(made)
    kernel.distance(made)  # so that it knows its own side
    yield "KID, 20 x 1000", lambda: KernelTarget(real).within, lambda: kernel.distance(made)

    def balls() -> Neighbourhoods:
        return Neighbourhoods.of(real)

    yield "precision, recall, density, coverage", balls, lambda: near.shares(made)
    yield "coverage alone", balls, lambda: near.shares(made, recall=False)


def some(count: int, dimension: int, seed: int) -> np.ndarray:
    """Like a network's: not negative, correlated, spectrum falling."""
    mixing = np.random.default_rng(7).standard_normal((dimension, dimension), np.float32)
    mixing *= np.arange(1, dimension + 1, dtype=np.float32)[:, None] ** -0.7
    drawn = np.random.default_rng(seed).standard_normal((count, dimension), np.float32)
    return np.maximum(drawn @ mixing + 0.1 * seed, 0)


def seconds(work: Work) -> float:
    """The processor's, of the shortest of some times."""
    times: list[float] = []
    while sum(times) < SECONDS or len(times) < 2:
        begun = process_time()
        work()
        times.append(process_time() - begun)
    return min(times)


if __name__ == "__main__":
    main(set(sys.argv[1:]) or MEASURES)
