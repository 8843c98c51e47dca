"""How fast each arm trains here, how much memory it takes, and how many trials fit side by side.

Threads of two processes that share a core spin against each other (a thirtieth of the speed was
measured), and how many cores are free, or how many trials a GPU holds, is known to nobody: so it is
tried, for a few seconds.
"""

import heapq
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from math import inf
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import fmean

import torch
from pydantic import Field

from knowledge.schema import Record
from runner.device import MODES, Trying, repays, worth_trying
from runner.execute import fork_server, free_cores
from runner.plan import RunPlan, Trial
from runner.race import UNLEARNT, with_budget
from runner.samples import sampler
from runner.trial import batches_of, features_of, planned_images

WARM_UP = 2  # rounds before the clock runs
SECONDS = 2.0  # of training, for each arm
SCORED = 256  # images that are generated and measured
WORTH = 1.05  # more trials at a time must be so much faster in sum


class Pace(Record):
    """One arm, with as many others beside it as the run will have."""

    arm: str
    images_per_second: float  # of training
    scored_per_second: float  # images generated and measured
    mebibytes: float  # of the process, at its peak; on a GPU of the device
    warming: float = 0.0  # seconds of the first rounds, in which networks are compiled
    losses: dict[str, float] = Field(default_factory=dict)  # of those rounds


class Packing(Record):
    """So many trials at a time, each with so many threads."""

    workers: int
    threads: int
    images_per_second: float  # of all together


class Calibration(Record):
    workers: int
    threads: int
    tried: tuple[Packing, ...] = ()
    paces: tuple[Pace, ...] = ()  # empty: nobody asked
    compiled: tuple[Pace, ...] = ()  # of arms that were tried with compiled networks

    def pace(self, arm: str) -> Pace:
        return next(pace for pace in self.paces if pace.arm == arm)


def calibrate(
    plan: RunPlan, *, workers: int | None, paces: bool, tell: Callable[[str], None]
) -> Calibration:
    """Tries ways to pack trials, unless told how many at a time; then each arm, if it is asked for.

    Raises RuntimeError where a trial cannot even be begun.
    """
    first = [next(t for t in plan.trials if t.arm == arm) for arm in plan.arms]
    probe = next((t for t in first if t.arm == plan.control), first[0])
    tried = tuple(packings(plan, probe, workers, tell))
    best = chosen(tried) if tried else Packing(workers=workers or 1, threads=1, images_per_second=0)
    workers, threads = best.workers, best.threads
    measured: list[Pace] = []
    for at in range(0, len(first) if paces else 0, workers):
        some = first[at : at + workers]
        tell(f"measuring the pace of {', '.join(trial.name for trial in some)}")
        measured += side_by_side(plan, some, threads, halve=True)
    return Calibration(workers=workers, threads=threads, tried=tried, paces=tuple(measured))


def compiling(
    plan: RunPlan, calibration: Calibration, tell: Callable[[str], None]
) -> tuple[RunPlan, Calibration]:
    """Which arms train with compiled networks: those that it was tried with, and that it repays.

    Whatever goes wrong in trying leaves an arm as it was.
    """
    if plan.compile == "on":
        return plan.model_copy(update={"compiled": plan.arms}), calibration
    if plan.compile == "off" or plan.device not in MODES:
        return plan, calibration
    every = plan.model_copy(update={"compiled": plan.arms})
    found: list[Pace] = []
    for arm in plan.arms:
        plain = calibration.pace(arm)
        if not worth_trying(plan.budget, plain.images_per_second):
            continue
        trial = next(trial for trial in plan.trials if trial.arm == arm)
        tell(f"compiling {trial.name}, to see whether it repays")
        try:
            (pace,) = side_by_side(every, [trial], calibration.threads, halve=True)
        except RuntimeError as error:
            tell(f"{trial.name} trains as it is: {error}")
            continue
        found.append(pace)
    able = [pace.arm for pace in found if repays(plan.budget, tried(calibration, pace))]
    return (
        plan.model_copy(update={"compiled": tuple(able)}),
        calibration.model_copy(update={"compiled": tuple(found)}),
    )


def tried(calibration: Calibration, compiled: Pace) -> Trying:
    plain = calibration.pace(compiled.arm)
    return Trying(
        plain=plain.images_per_second,
        compiled=compiled.images_per_second,
        seconds=compiled.warming - plain.warming,
        difference=max(
            (
                abs(compiled.losses.get(name, inf) - loss) / max(abs(loss), 1e-3)
                for name, loss in plain.losses.items()
            ),
            default=0.0,
        ),
    )


def packings(
    plan: RunPlan, probe: Trial, workers: int | None, tell: Callable[[str], None]
) -> Iterator[Packing]:
    """Nothing to try where there is one core, or one trial, or one way to do as one is told."""
    best = 0.0
    ways = ways_to_pack(plan, workers)
    for at_once, threads in ways if len(ways) > 1 else ():
        trials = f"{at_once} trials at a time" if at_once > 1 else "one trial at a time"
        tell(f"trying {trials}, {threads} thread{'s' * (threads > 1)} each")
        try:
            paces = side_by_side(plan, [probe] * at_once, threads, halve=at_once == 1)
        except RuntimeError:
            if at_once == 1:
                raise
            return  # they do not fit into the device's memory
        speed = sum(pace.images_per_second for pace in paces)
        yield Packing(workers=at_once, threads=threads, images_per_second=speed)
        if plan.device == "cuda" and speed < WORTH * best:
            return
        best = max(best, speed)


def ways_to_pack(plan: RunPlan, workers: int | None) -> list[tuple[int, int]]:
    """Trials at a time, and threads for each: their product never exceeds the cores."""
    cores = free_cores()
    most = min(len(plan.trials), 4 if plan.device == "cuda" else cores)
    numbers = {workers} if workers else {1, 2, max(1, most // 2), most}
    fitting = sorted(number for number in numbers if number <= max(most, workers or 0))
    return [
        (number, threads) for number in fitting for threads in sorted({1, max(1, cores // number)})
    ]


def chosen(tried: Sequence[Packing]) -> Packing:
    """The fewest trials at a time that are not clearly slower than the fastest, with least threads.

    Threads are worth less than they seem on a quiet machine, and collapse on a busy one.
    """
    fastest = max(each.images_per_second for each in tried)
    fast = (each for each in tried if each.images_per_second * WORTH >= fastest)
    return min(fast, key=lambda each: (each.workers, each.threads))


def side_by_side(
    plan: RunPlan, trials: Sequence[Trial], threads: int, *, halve: bool
) -> list[Pace]:
    """Where memory runs out, batches are halved as in a run, or it is a failure.

    Raises RuntimeError where one of them fails, with its reason.
    """
    context = fork_server()
    ready = context.Barrier(len(trials))
    runs = []
    for trial in trials:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=measure_pace, args=(plan, trial, threads, halve, ready, theirs), daemon=True
        )
        process.start()
        theirs.close()
        runs.append((trial, process, ours))
    paces: list[Pace] = []
    why: list[str] = []
    for trial, process, pipe in runs:
        try:
            found = pipe.recv()
        except EOFError:
            found = "its process died"
            ready.abort()
        process.join()
        if isinstance(found, Pace):
            paces.append(found)
        else:
            why.append(f"{trial.name} could not be begun: {found}")
    if why:
        raise RuntimeError("; ".join(why))
    return paces


def measure_pace(
    plan: RunPlan, trial: Trial, threads: int, halve: bool, ready: Barrier, pipe: Connection
) -> None:
    """In a process of its own."""
    from threading import BrokenBarrierError

    torch.set_num_threads(threads)
    try:
        pipe.send(pace_of(plan, trial, ready, halve))
    except BrokenBarrierError:
        pipe.send("another one beside it failed")
    except (ArithmeticError, RuntimeError, ValueError, OSError, MemoryError) as error:
        ready.abort()
        pipe.send(next(iter(str(error).splitlines()), type(error).__name__))


def pace_of(plan: RunPlan, trial: Trial, ready: Barrier, halve: bool) -> Pace:
    from runner.game import build
    from runner.memory import of_the_batch
    from runner.rounds import Decay, Run, Splitting
    from runner.signs import means

    images = planned_images(plan)
    game = build(trial.recipe, plan.data.shape, trial.seed)
    device = torch.device(plan.device)
    batches = batches_of(trial, plan, images)
    own = trial.arm in plan.compiled
    decay = Decay(None, trial.budget)
    run = Run(game, batches, device, plan.precision, 0.05, trial.seed, decay, own)
    run.policy.compile(game.networks, trial.recipe)
    if halve:
        run.split = Splitting(of_the_batch(trial.recipe, game.networks), tell=lambda says: None)
    features = features_of(plan)
    begun = time.perf_counter()
    for _ in range(WARM_UP):
        run.play_round()
    settled(device)
    warming, losses = time.perf_counter() - begun, means(run.tally)
    ready.wait(timeout=120)
    before, begun = run.images_seen, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        run.play_round()
    settled(device)
    trained = (run.images_seen - before) / (time.perf_counter() - begun)
    draw = sampler(run.trained().game)
    features(draw(SCORED, 0))  # engines compile themselves at first
    begun = time.perf_counter()
    features(draw(SCORED, 1))
    scored = SCORED / (time.perf_counter() - begun)
    return Pace(
        arm=trial.arm,
        images_per_second=trained,
        scored_per_second=scored,
        mebibytes=peak(device),
        warming=warming,
        losses=losses,
    )


def settled(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


# From pace to time ---------------------------------------------------------------------------


class Stretch(Record):
    """What a rung will take."""

    arms: int
    tasks: int
    budget: int  # real images that each trial has seen at its end
    images: int  # real ones, of all its trials, since the rung before
    seconds: float


class Forecast(Record):
    """What a run is expected to take on this machine."""

    plan: RunPlan
    calibration: Calibration
    stretches: tuple[Stretch, ...]
    seconds: float
    longest: float  # seconds, if nobody learns enough for anybody to leave
    whole: float  # the images of all stretches, as a share of training every arm to the end


def forecast(plan: RunPlan, calibration: Calibration) -> Forecast:
    """Arms are reckoned to leave where the race lets them: not before anybody can have learnt."""
    found = tuple(stretches(plan, calibration, UNLEARNT))
    everything = len(plan.arms) * len(plan.seeds) * plan.budget
    return Forecast(
        plan=plan,
        calibration=calibration,
        stretches=found,
        seconds=sum(each.seconds for each in found),
        longest=sum(each.seconds for each in stretches(plan, calibration, inf)),
        whole=sum(each.images for each in found) / everything,
    )


def stretches(plan: RunPlan, calibration: Calibration, unlearnt: float) -> list[Stretch]:
    """Rung by rung. Who goes on is not known yet: later rungs are reckoned with the mean pace.

    From rungs that end before `unlearnt` real images all go on.
    """
    found: list[Stretch] = []
    begun = 0  # images of a trial at the end of the rung before
    arms, before = len(plan.arms), 0
    for rung in plan.rungs:
        more = [  # real images of each trial, seed by seed as the race has them
            (arm, rung.budget - begun if seed < before else rung.budget)
            for seed in range(rung.seeds)
            for arm in plan.arms
        ]
        tasks = [trial_seconds(plan, calibration.pace(arm), new, rung.budget) for arm, new in more]
        images = sum(new for _, new in more)
        share = arms / len(plan.arms)
        count = round(len(tasks) * share)
        if arms < len(plan.arms):
            tasks = [fmean(tasks)] * count
        elapsed = scheduled(tasks, calibration.workers)
        found.append(
            Stretch(
                arms=arms,
                tasks=count,
                budget=rung.budget,
                images=round(images * share),
                seconds=elapsed,
            )
        )
        begun, before = rung.budget, rung.seeds
        if rung.keep is not None and rung.budget >= unlearnt:
            arms = min(arms, rung.keep + (plan.control is not None))
    return found


def trial_seconds(plan: RunPlan, pace: Pace, images: int, end: int) -> float:
    """Training, looks on the way, and the measurement at the end of everything."""
    how = plan.measurement
    looks = {plan.budget * part // how.looks for part in range(1, how.looks + 1)}
    ends = looks | {rung.budget for rung in plan.rungs}
    scored = how.look_n * sum(end - images < at <= end for at in ends)
    if end == plan.budget:
        scored += how.n * how.draws
    return START + images / pace.images_per_second + scored / pace.scored_per_second


START = 1.0  # seconds until a process has its images


def scheduled(tasks: Sequence[float], workers: int) -> float:
    """How long it takes when the next task goes to whoever is free first."""
    free = [0.0] * workers
    for task in tasks:
        heapq.heapreplace(free, free[0] + task)
    return max(free)


def affordable(plan: RunPlan, calibration: Calibration, limit: float) -> RunPlan | None:
    """The plan with the largest budget of two figures up to which all fit; None: not one does.

    A still larger one may fit again, where arms might just begin to leave: that is no promise.
    """
    fits = None
    for power in range(3, 12):
        for figures in range(10, 100):
            budget = figures * 10 ** (power - 1)
            candidate = with_budget(plan, budget)
            if forecast(candidate, calibration).seconds > limit:
                return fits
            fits = candidate
    return fits
