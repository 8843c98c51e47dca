"""What a fresh process for every trial costs: python -m tests.benchmarks.starts

From the order to start until the process could begin to train: networks built, optimizers made, a
batch drawn. Forked from a server that has everything loaded, as the runner does, and as a new
interpreter, as a script for each trial would be.
"""

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from statistics import median

from runner.execute import fork_server

TIMES = 7


def begin(pipe: Connection) -> None:
    entered = time.monotonic()
    import runner.warm  # noqa: F401 - there already, where the process was forked
    from tests.benchmarks.loops import game, images_of_fashion, started

    game(0)
    next(started(images_of_fashion(), "float32", 0).batches)
    pipe.send((entered, time.monotonic()))


def once(context: BaseContext) -> tuple[float, float]:
    """Seconds until the process runs, and until it could train."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=begin, args=(theirs,))
    begun = time.monotonic()
    process.start()
    entered, ready = ours.recv()
    process.join()
    return entered - begun, ready - begun


def main() -> None:
    ways = {"forked from the server": fork_server(), "a new interpreter": get_context("spawn")}
    print("| process | runs after | could train after |\n|---|---:|---:|")
    for name, context in ways.items():
        once(context)  # the server itself starts with the first
        found = [once(context) for _ in range(TIMES)]
        runs, trains = (median(each) for each in zip(*found, strict=True))
        print(f"| {name} | {1000 * runs:.0f} ms | {1000 * trains:.0f} ms |", flush=True)


if __name__ == "__main__":
    main()
