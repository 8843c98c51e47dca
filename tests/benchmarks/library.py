"""Milliseconds to load the knowledge base: python -m tests.benchmarks.library

Beyond imports, from the compiled form: the part that advice needs (under 15 ms is promised), then the
rest. Beside them, a build from YAML and a whole `gan-advisor recommend --json` process.
"""

import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

from knowledge.building import built
from knowledge.library import HERE, load

REPETITIONS = 9
RECOMMEND = ("recommend", "--dataset", "cifar10", "--need", "quality", "--json")
FIRST = "from knowledge.library import load; from time import perf_counter as now; t = now(); "


def main() -> None:
    load()  # compiled from here on
    print(f"{'load, first in a process':32}{first('load()'):8.1f} ms")
    print(f"{'load and open the archive':32}{first('load().archive'):8.1f} ms")
    print(f"{'load, again':32}{milliseconds(load):8.1f} ms")
    print(f"{'build from YAML':32}{milliseconds(lambda: built(HERE)):8.1f} ms")
    print(f"{'gan-advisor recommend --json':32}{milliseconds(recommend):8.1f} ms")


def first(what: str) -> float:
    """In a fresh process, imports of the caller not counted."""
    program = f"{FIRST}{what}; print((now() - t) * 1000)"
    command = [sys.executable, "-c", program]
    times = (
        float(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(REPETITIONS)
    )
    return median(times)


def milliseconds(what: Callable[[], object]) -> float:
    times = []
    for _ in range(REPETITIONS):
        start = perf_counter()
        what()
        times.append((perf_counter() - start) * 1000)
    return median(times)


def recommend() -> None:
    command = [sys.executable, "-m", "advisor.cli", *RECOMMEND]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
