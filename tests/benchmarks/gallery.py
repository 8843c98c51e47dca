"""Every published system on two toys and on Fashion-MNIST: python -m tests.benchmarks.gallery

Each system is trained by the runner itself in a folder of its own, so that what has ended is never
trained again and --only can take one of them; the figures and pictures of docs/gallery/ are made of
what lies there. One process of one thread for each of --jobs.
"""

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from time import process_time
from typing import NamedTuple, TypeVar

import torch

from advisor.recommendation import Candidate, Recommendation
from knowledge import __version__
from knowledge.files import write_whole
from knowledge.library import load
from runner.data import Batches, open_images
from runner.game import build
from runner.prepare import Request, RunError
from runner.run import run
from runner.scene import ImageShape
from runner.train import train as train_on
from tests.benchmarks.gallery_page import write_page
from tests.benchmarks.gallery_systems import GROUNDS, SYSTEMS, Ground, System, recipe_for

# What one core has time for in about an hour.
TOYS_BUDGET, IMAGES_BUDGET = 800_000, 32_000
PACED = 2_000  # real samples by which the pace is measured
N = TypeVar("N", bound=NamedTuple)


def main(arguments: Sequence[str] | None = None) -> None:
    wanted = options(arguments)
    grounds = known(wanted.data, {ground.data: ground for ground in GROUNDS})
    systems = known(wanted.only, {system.id: system for system in SYSTEMS})
    if not wanted.page:
        train_all([(system, ground) for ground in grounds for system in systems], wanted)
    write_page(wanted.runs, wanted.out, load())


def options(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.benchmarks.gallery", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--toys-budget", type=int, default=TOYS_BUDGET, help="points a trial")
    parser.add_argument("--images-budget", type=int, default=IMAGES_BUDGET, help="images a trial")
    parser.add_argument("--only", nargs="*", default=(), help="just these systems")
    parser.add_argument("--data", nargs="*", default=(), help="just these data")
    parser.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="where to train")
    parser.add_argument("--out", type=Path, default=Path("docs/gallery"), help="where to write")
    parser.add_argument("--page", action="store_true", help="only write the page of what is there")
    return parser.parse_args(arguments)


def known(names: Sequence[str], all_of_them: Mapping[str, N]) -> list[N]:
    if strangers := [name for name in names if name not in all_of_them]:
        sys.exit(f"no {', '.join(strangers)}; there are {', '.join(all_of_them)}")
    return [each for name, each in all_of_them.items() if not names or name in names]


def train_all(jobs: Sequence[tuple[System, Ground]], wanted: Namespace) -> None:
    context = get_context("spawn")
    cores = context.SimpleQueue()
    for core in a_core_each(wanted.jobs):
        cores.put(core)
    pool = ProcessPoolExecutor(wanted.jobs, context, on_one_core, (cores,))
    try:
        todo = {
            pool.submit(train, system, ground, getattr(wanted, ground.budget), wanted.runs): (
                f"{ground.data}: {system.id}"
            )
            for system, ground in jobs
        }
        for number, ended in enumerate(as_completed(todo), 1):
            print(f"{number}/{len(jobs)} {todo[ended]}: {ended.result()}", file=sys.stderr)
    finally:
        pool.shutdown(cancel_futures=True)


def a_core_each(processes: int) -> Iterator[int]:
    """The same ones again where there are more processes than cores."""
    able = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return (able[number % len(able)] for number in range(processes))


def on_one_core(cores: "SimpleQueue[int]") -> None:
    """The runner gives a trial as many threads as there are cores that it may use."""
    core = cores.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def train(system: System, ground: Ground, budget: int, runs: Path) -> str:
    """All seeds of one system on one ground, as far as they have not ended before."""
    folder = runs / ground.data / system.id
    folder.mkdir(parents=True, exist_ok=True)
    share_anchors(folder)
    request = Request(
        data=ground.data, budget=budget, seeds=ground.seeds, device="cpu", **ground.request
    )
    try:
        board = run(advice(system, ground), request, folder, workers=1)
    except RunError as error:
        write_whole(folder / "refused.txt", str(error))
        return str(error)
    if not (folder / "pace.txt").exists():
        write_whole(folder / "pace.txt", f"{pace(system, ground):.0f}")
    return "; ".join(
        f"{each.mean or 'no'} {board.metric}, {each.truth or 'no truth'} {' '.join(each.failures)}"
        for each in board.standings
    )


def share_anchors(folder: Path) -> None:
    """Real against real is the same for all that are trained on the same: measured once."""
    for file in ("anchors.json", "real.png"):
        measured = next(folder.parent.glob(f"*/{file}"), None)
        if measured and not (folder / file).exists():
            shutil.copy(measured, folder / file)


def advice(system: System, ground: Ground) -> Recommendation:
    library = load()
    gan = library.gans[system.recipe.partition(":")[0]]
    arm = Candidate(
        id=system.id,
        name=system.name,
        gan=gan.id,
        year=gan.year,
        role="candidate",
        combination={},
        recipe=recipe_for(system, ground, library),
        rank=1,
        standing="untested here",
        because=system.because,
    )
    return Recommendation(
        advisor_version=__version__,
        answers={},
        facts={},
        funnel=(),
        candidates=(arm,),
        control=None,
    )


def pace(system: System, ground: Ground) -> float:
    """Real samples for a second of the processor's time: whoever else is at work does not count."""
    torch.set_num_threads(1)
    recipe = recipe_for(system, ground, load(), as_trained=True)
    images = open_images(ground.data)
    game = build(recipe, ImageShape(images.channels, images.size), 0)
    batches = Batches(images.train, batch_size=recipe.batch_size, seed=0, device="cpu")
    train_on(game, recipe, batches, budget=recipe.batch_size, precision="float32")  # warms up
    begun = process_time()
    trained = train_on(game, recipe, batches, budget=PACED, precision="float32")
    return trained.images_seen / (process_time() - begun)


if __name__ == "__main__":
    main()
