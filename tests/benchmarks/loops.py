"""Our loop beside those that people use instead: python -m tests.benchmarks.loops [--distance]

The same DCGAN (32 px, width 64), Fashion-MNIST, batches of 64, one critic step to each generator
step; contestants take turns, each time in fresh processes, so that a busy machine slows all of them
alike. First on one core, then on all of them: the tutorial with as many threads as PyTorch takes, and
both loops with a process for each core, as the runner packs trials. The tutorial's loop is built after
PyTorch's DCGAN tutorial: a torchvision data set with PIL transforms behind a DataLoader, binary
cross-entropy, Adam, float32. vegans 0.4 takes part where it can be imported:

    pip install --no-deps vegans==0.4.0
    pip install matplotlib pandas tensorboard

With --distance both loops train to the same number of images, three seeds each, and their Fréchet
distances are compared: what is fast must not be worse.
"""

import argparse
import contextlib
import copy
import gzip
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from multiprocessing import Queue, get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from knowledge.schema import Part, Recipe
from runner.data import Batches, ImageSet, open_images
from runner.device import chosen_precision
from runner.game import build
from runner.metrics import extractor, measure, reference
from runner.plan import Precision
from runner.rounds import Decay, Run
from runner.samples import sampler
from runner.scene import Game, ImageShape

BATCH, LATENTS, SIZE = 64, 128, 32
SECONDS, REPETITIONS = 4.0, 5
RECIPE = Recipe(
    backbone=Part(name="dcgan", settings={"width": 64}),
    divergence="jensen-shannon",
    loss=Part(name="non-saturating"),
    batch_size=BATCH,
    latent_dim=LATENTS,
)

Rounds = Callable[[], int]  # trains for some rounds; real images shown


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--distance", action="store_true", help="compare distances as well")
    options.add_argument("--images", type=int, default=60_000, help="of each trial for --distance")
    options.add_argument("--seeds", type=int, default=3)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack(folder)
        core = {title: Way(loop, 1, 1) for title, loop in ONE_CORE.items()}
        if find_spec("vegans") is None:
            print("vegans is not installed and takes no part", file=sys.stderr)
            del core["vegans 0.4"]
        compare("one core", core, folder)
        cores = len(os.sched_getaffinity(0))
        machine = {
            f"tutorial, {cores} threads": Way("tutorial", 1, cores),
            f"tutorial, {cores} processes": Way("tutorial", cores, 1),
            f"ours, {cores} trials at a time": Way("ours", cores, 1),
        }
        compare(f"{cores} cores", machine, folder)
        if chosen.distance:
            distances(images_of_fashion(), folder, chosen.images, chosen.seeds)


# Paces -----------------------------------------------------------------------------------------


class Way(NamedTuple):
    loop: str
    processes: int
    threads: int  # of each

    @property
    def ours(self) -> bool:
        return self.loop.startswith("ours")


def compare(title: str, ways: Mapping[str, Way], folder: Path) -> None:
    """They take turns; every time is that of fresh processes, as their users would start them."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPETITIONS):
        for name, way in ways.items():
            measured[name].append(together(folder, *way))
    best = max(median(values) for name, values in measured.items() if not ways[name].ours)
    print(f"\n| {title} | images/s | beside the best of the others |\n|---|---:|---:|")
    for name, values in measured.items():
        print(f"| {name} | {median(values):.0f} | {median(values) / best:.2f} |", flush=True)


def together(folder: Path, loop: str, processes: int, threads: int) -> float:
    context = get_context("spawn")
    ready, paces = context.Barrier(processes), context.Queue()
    crew = [
        context.Process(target=alone, args=(folder, loop, threads, ready, paces))
        for _ in range(processes)
    ]
    for process in crew:
        process.start()
    found = sum(paces.get() for _ in crew)
    for process in crew:
        process.join()
    return found


def alone(folder: Path, loop: str, threads: int, ready: Barrier, paces: "Queue[float]") -> None:
    """In a process of its own, begun when all the others are ready."""
    torch.set_num_threads(threads)
    rounds = LOOPS[loop](folder)
    rounds()
    ready.wait()
    paces.put(images_per_second(rounds))


def images_per_second(rounds: Rounds) -> float:
    begun, seen = perf_counter(), 0
    while perf_counter() - begun < SECONDS:
        seen += rounds()
    return seen / (perf_counter() - begun)


def ours(folder: Path, precision: Precision | Literal["auto"] = "auto") -> Rounds:
    """As a trial is started: from a process that keeps the memory that it has freed."""
    import runner.warm  # noqa: F401

    images = images_of_fashion()
    run = started(images, chosen_precision(precision, torch.device("cpu")), seed=0)

    def rounds() -> int:
        before = run.images_seen
        for _ in range(5):
            run.play_round()
        return run.images_seen - before

    return rounds


def images_of_fashion() -> ImageSet:
    return open_images("fashion-mnist", size=SIZE)


def started(images: ImageSet, precision: Precision, seed: int) -> Run:
    batches = Batches(images.train, batch_size=BATCH, seed=seed, device="cpu", channels_last=True)
    device = torch.device("cpu")
    return Run(game(seed), batches, device, precision, 0.05, seed, Decay(None, 1))


def game(seed: int) -> Game:
    return build(RECIPE, ImageShape(channels=1, size=SIZE), seed)


# The tutorial's loop ---------------------------------------------------------------------------


def tutorial(folder: Path, workers: int = 0) -> Rounds:
    return Tutorial(folder, workers, seed=0).rounds


class Tutorial:
    def __init__(self, folder: Path, workers: int, seed: int) -> None:
        torch.manual_seed(seed)
        networks = game(seed).networks
        self.generator, self.critic = networks["generator"], networks["critic"]
        self.criterion = nn.BCEWithLogitsLoss()
        self.batches = endless(loader(folder, workers))
        rates = {"lr": RECIPE.optimizer.rate, "betas": RECIPE.optimizer.betas}
        self.critic_moves = torch.optim.Adam(self.critic.parameters(), **rates)
        self.generator_moves = torch.optim.Adam(self.generator.parameters(), **rates)

    def rounds(self) -> int:
        return sum(self.step(next(self.batches)) for _ in range(5))

    def step(self, real: Tensor) -> int:
        count = len(real)
        self.critic.zero_grad()
        scores = self.critic(real).view(-1)
        self.criterion(scores, torch.ones(count)).backward()
        fake = self.generator(torch.randn(count, LATENTS))
        scores = self.critic(fake.detach()).view(-1)
        self.criterion(scores, torch.zeros(count)).backward()
        self.critic_moves.step()
        self.generator.zero_grad()
        scores = self.critic(fake).view(-1)
        loss = self.criterion(scores, torch.ones(count))
        loss.backward()
        self.generator_moves.step()
        loss.item()  # as it is printed and kept
        return count


def loader(folder: Path, workers: int) -> torch.utils.data.DataLoader:
    from torchvision import transforms
    from torchvision.datasets import FashionMNIST

    prepared = transforms.Compose(
        [transforms.Pad(2), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
    )
    return torch.utils.data.DataLoader(
        FashionMNIST(folder, train=True, transform=prepared),
        batch_size=BATCH,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
    )


def endless(batches: torch.utils.data.DataLoader) -> Iterator[Tensor]:
    while True:
        for real, _ in batches:
            yield real


def unpack(folder: Path) -> None:
    """The files as torchvision keeps them."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in Path("/usr/share/datasets/fashion-mnist").glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))


# vegans ----------------------------------------------------------------------------------------


def vegans(folder: Path) -> Rounds:
    from vegans.GAN import VanillaGAN

    images = images_of_fashion()
    from torch.utils.data import dataloader

    # It asks iterators for .next(), which they have not had since PyTorch 1.13.
    dataloader._BaseDataLoaderIter.next = dataloader._BaseDataLoaderIter.__next__
    networks = copy.deepcopy(game(0).networks)
    with contextlib.redirect_stdout(io.StringIO()):
        model = VanillaGAN(
            generator=networks["generator"],
            adversary=nn.Sequential(networks["critic"], nn.Unflatten(0, (-1, 1)), nn.Sigmoid()),
            z_dim=LATENTS,
            x_dim=(1, SIZE, SIZE),
            folder=None,
            secure=False,
            device="cpu",
        )
    chunks = cycle(np.array_split(np.asarray(images.train[: 5 * BATCH * 20]), 20))

    def rounds() -> int:
        some = next(chunks).astype(np.float32) / 127.5 - 1
        with contextlib.redirect_stdout(io.StringIO()):
            model.fit(some, epochs=1, batch_size=BATCH, print_every=None, save_losses_every=None)
        return len(some)

    return rounds


# Distances -------------------------------------------------------------------------------------


def distances(images: ImageSet, folder: Path, budget: int, seeds: int) -> None:
    """After the same number of images: the loops' last generators, without averaging of weights."""
    features = extractor("efficientnet-lite0")
    real = reference(images.held_out, features, n=5_000)
    found: dict[str, list[float]] = {"tutorial": [], "ours": []}
    seconds: dict[str, list[float]] = {"tutorial": [], "ours": []}
    for seed in range(seeds):
        for name, values in found.items():
            begun = perf_counter()
            trained = trained_by(name, images, folder, budget, seed)
            seconds[name].append(perf_counter() - begun)
            values.append(measure(sampler(trained), real, secondary=False).value)
            print(f"{name}, seed {seed}: {values[-1]:.0f}", file=sys.stderr, flush=True)
    print(f"\n| loop | distance after {budget:,} images, each seed | geometric mean | seconds |")
    print("|---|---|---|---|")
    for name, values in found.items():
        mean = float(np.exp(fmean(np.log(values))))
        each = ", ".join(f"{value:.0f}" for value in values)
        print(f"| {name} | {each} | {mean:.0f} | {fmean(seconds[name]):.0f} |")


def trained_by(name: str, images: ImageSet, folder: Path, budget: int, seed: int) -> Game:
    if name == "ours":
        run = started(images, chosen_precision("auto", torch.device("cpu")), seed)
        while run.images_seen < budget:
            run.play_round()
        run.game.networks.eval()
        return run.game
    loop = Tutorial(folder, 0, seed)
    seen = 0
    while seen < budget:
        seen += loop.rounds()
    made = game(seed)
    made.networks["generator"].load_state_dict(loop.generator.state_dict())
    made.networks.eval()
    return made


LOOPS: dict[str, Callable[[Path], Rounds]] = {
    "tutorial": tutorial,
    "tutorial with workers": partial(tutorial, workers=2),
    "vegans": vegans,
    "ours in float32": partial(ours, precision="float32"),
    "ours": ours,
}
ONE_CORE = {
    "tutorial": "tutorial",
    "tutorial, two workers beside it": "tutorial with workers",
    "vegans 0.4": "vegans",
    "ours, float32": "ours in float32",
    "ours": "ours",
}


if __name__ == "__main__":
    main()
