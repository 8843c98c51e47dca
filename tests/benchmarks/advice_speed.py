"""How fast is the advice? python -m tests.benchmarks.advice_speed

Promised: a whole `gan-advisor recommend --json` process within 20 × `python -c pass`; pruning and
ranking 5040 combinations with explanations in 30 ms, 500,000 in 2 s; leaving out every source in 1 s.
Processes find the code compiled to bytecode, as pip installs it.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

from advisor.advise import recommend
from advisor.profile import checked
from knowledge.library import Library, load
from knowledge.schema import Axis, Slot

REPETITIONS = 15
ANSWERS = {"task": "unconditional", "dataset": "cifar10", "needs": ["quality", "diversity"]}
FLAGS = ("--dataset", "cifar10", "--need", "quality", "--need", "diversity")
COPIES: dict[Slot, int] = {"architecture": 10, "normalization": 5, "optimizer": 2}  # 5040 × 100


def main() -> None:
    library = load()
    profile = checked(ANSWERS, library)
    large = enlarged(library)
    size = recommend(profile, large, robust=False).space_size
    recommend(profile, library)  # imports, archive

    def advise(base: Library, *, robust: bool = False, strict: bool = False) -> None:
        recommend(profile, base, robust=robust, strict=strict)

    rows = {
        "5040 combinations, with explanations": (lambda: advise(library), "30 ms"),
        "the same, hard cuts only": (lambda: advise(library, strict=True), ""),
        "the same, leaving out every source": (lambda: advise(library, robust=True), "1000 ms"),
        f"{size:,} combinations": (lambda: advise(large), "2000 ms"),
        "the same, hard cuts only ": (lambda: advise(large, strict=True), ""),
    }
    print("| what | median | promised |\n|---|---:|---:|")
    for name, (what, promised) in rows.items():
        print(f"| {name} | {milliseconds(what):.0f} ms | {promised} |")
    recommended = ("recommend", *FLAGS, "--json")
    for command, promised in {
        recommended: "20 ×",
        (*recommended, "--no-robustness"): "20 ×",
        ("why-not", "wgan", *FLAGS): "",
        ("questions",): "",
        ("kb", "show", "wgan-gp"): "",
        ("--help",): "",
        ("--version",): "",
    }.items():
        whole, times = against_nothing("-m", "advisor.cli", *command)
        name = " ".join(word for word in command if word not in FLAGS)
        print(f"| gan-advisor {name} | {whole:.0f} ms, {times:.1f} × python -c pass | {promised} |")


def enlarged(library: Library) -> Library:
    """The same base with copies of some options, each a combination of its own."""
    axes: dict[Slot, Axis] = dict(library.axes)
    for slot, copies in COPIES.items():
        options = axes[slot].options
        more = [
            option.model_copy(update={"id": f"{option.id}-{n}", "gan": option.gan or option.id})
            for n in range(1, copies)
            for option in options
        ]
        axes[slot] = axes[slot].model_copy(update={"options": (*options, *more)})
    return library.model_copy(update={"axes": axes})


def milliseconds(what: Callable[[], object]) -> float:
    return median(timed(what) for _ in range(REPETITIONS))


def against_nothing(*command: str) -> tuple[float, float]:
    """Milliseconds, and how many times an empty process; in turns, should the machine be busy."""
    process(*command)
    pairs = [
        (timed(lambda: process(*command)), timed(lambda: process("-c", "pass")))
        for _ in range(REPETITIONS)
    ]
    return median(whole for whole, _ in pairs), median(whole / empty for whole, empty in pairs)


def timed(what: Callable[[], object]) -> float:
    """Milliseconds."""
    start = perf_counter()
    what()
    return (perf_counter() - start) * 1000


def process(*arguments: str) -> None:
    keeping = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=keeping)


if __name__ == "__main__":
    main()
