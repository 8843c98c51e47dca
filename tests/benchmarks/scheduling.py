"""What the driver of a cluster costs as the plan grows: python -m tests.benchmarks.scheduling

1000 nodes that do not train, on a clock that is not real; everything that the driver does is done
in earnest: the race and its rungs, orders, what trials tell, results read from a shared folder and
kept in the run folder, the display. Processor time, without that of the simulation itself.

--ray measures beside it what Ray takes to hand out as many orders, on this machine.
--profile prints where the time goes.
"""

import argparse
import cProfile
import pstats
import resource
import tempfile
from contextlib import redirect_stderr
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import NamedTuple

from knowledge.files import write_whole

NODES = 1000
SECONDS = 120.0  # of a trial that trains to the end, about
TRIALS = (100, 1_000, 10_000)


class Cost(NamedTuple):
    trials: int
    tasks: int
    attempts: int
    events: int
    seconds: float  # of the processor, for the driver
    wall: float
    ranking: float
    mebibytes: float  # more than before
    simulated: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("trials", nargs="*", type=int, default=TRIALS)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    print(f"{NODES} nodes, a trial of about {SECONDS:.0f} s to the end, 1 % of attempts lost")
    print("trials |  tasks | lost |  events | driver s | ms a task |  wall s |  rank s |   MiB |")
    print("-------|--------|------|---------|----------|-----------|---------|---------|-------|")
    for trials in asked.trials:
        with get_context("spawn").Pool(1) as fresh:  # the memory of one plan, not of all
            cost = fresh.apply(measured, (trials, asked.profile))
        print(
            f"{cost.trials:6,} | {cost.tasks:6,} | {cost.attempts - cost.tasks:4,} | "
            f"{cost.events:7,} | {cost.seconds:8.2f} | {1000 * cost.seconds / cost.tasks:9.2f} | "
            f"{cost.wall:7.1f} | {cost.ranking:7.2f} | {cost.mebibytes:5.0f} | "
            f"{100 * cost.seconds / cost.simulated:.1f} % of {cost.simulated:,.0f} s",
            flush=True,
        )
    if asked.ray:
        with_ray(max(asked.trials))


def measured(trials: int, profile: bool) -> Cost:
    from runner.cluster import Cluster, Room
    from runner.execute import results
    from runner.leaderboard import rank
    from runner.progress import Display
    from runner.race import ladder
    from runner.run import race
    from runner.storage import Folder
    from tests.runner.runs import plan as made
    from tests.runner.simulated import SimulatedNodes

    arms = [f"arm-{number:05}" for number in range(trials // 3)]
    plan = made(arms, 3).model_copy(
        update={"rungs": ladder(len(arms), 2_000_000, 3), "control": arms[0]}
    )
    luck = Random(0)
    merit = {trial.id: 100 * luck.lognormvariate(0, 0.3) for trial in plan.trials}
    tasks = 0
    with tempfile.TemporaryDirectory() as temporary, redirect_stderr(StringIO()):
        run = Path(temporary, "run")
        run.mkdir()
        write_whole(run / "plan.json", plan.model_dump_json(indent=1))
        storage = Folder(Path(temporary, "shared"))
        nodes = SimulatedNodes(
            storage,
            NODES,
            length=lambda task, attempt: (
                SECONDS * luck.uniform(0.5, 1.5) * task.budget / plan.budget
            ),
            value=lambda trial: merit[trial.id],
            dies=lambda task, attempt: luck.random() < 0.01,
        )
        display = Display()
        heard = 0

        def hear(event: object) -> None:
            nonlocal heard
            heard += 1
            display.heard(event)

        cluster = Cluster(run, storage, nodes, Room(), on_event=hear)

        def engine(folder: Path, of_rung: list) -> None:
            nonlocal tasks
            tasks += len(of_rung)
            cluster(folder, of_rung)

        profiler = cProfile.Profile()
        before, begun, clock = memory(), process_time(), perf_counter()
        if profile:
            profiler.enable()
        race(plan, run, engine, display.rung)
        profiler.disable()
        seconds = process_time() - begun - nodes.spent
        wall, after, begun = perf_counter() - clock, memory(), process_time()
        rank(plan, results(run, plan.trials), None, plan.control)
        ranking = process_time() - begun
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    return Cost(
        trials,
        tasks,
        len(nodes.begun),
        heard,
        seconds,
        wall,
        ranking,
        after - before,
        nodes.now,
    )


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def with_ray(orders: int) -> None:
    """Orders of their usual size that are done at once: what Ray takes for its own part."""
    import ray

    from runner.on_ray import connected
    from runner.plan import RunPlan
    from tests.runner.runs import plan as made

    plan: RunPlan = made(["arm"], 1)
    order = plan.model_dump_json()
    with connected("local"):

        @ray.remote(num_cpus=1, max_retries=10)
        def nothing(order: str) -> None:
            return None

        ray.get(nothing.remote(order))
        before, processor, clock = memory(), process_time(), perf_counter()
        waiting = [nothing.remote(order) for _ in range(orders)]
        submitted = perf_counter() - clock
        while waiting:
            ended, waiting = ray.wait(
                waiting, num_returns=len(waiting), timeout=1.0, fetch_local=False
            )
            for ticket in ended:
                ray.get(ticket)
        print(
            f"Ray {ray.__version__}: {orders:,} orders of {len(order):,} bytes handed out in "
            f"{submitted:.1f} s, all done after {perf_counter() - clock:.1f} s; "
            f"{process_time() - processor:.1f} s of the driver's processor, "
            f"{memory() - before:.0f} MiB"
        )


if __name__ == "__main__":
    main()
