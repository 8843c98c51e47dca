"""gan-runner plan and run: what will be trained, and training it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.commands.common import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    budget_of,
    fail,
    number,
    read_recommendation,
)

if TYPE_CHECKING:
    from runner.cluster import Cluster
    from runner.prepare import Request
    from runner.progress import Display

GO_ON = "what has ended is kept: mend that, and run the same command to go on"

Advice = Annotated[Path, typer.Argument(help="What gan-advisor recommend -o wrote.")]
Data = Annotated[str, typer.Option(help="A named set or toy, a folder or a zip of images.")]
BudgetText = Annotated[
    str,
    typer.Option("--budget", help="Real images for each trial (2M), or time for the run (2h)."),
]
Seeds = Annotated[int, typer.Option(min=1, max=100, help="Trials of each candidate.")]
Search = Annotated[
    int,
    typer.Option(min=0, max=200, help="Settings of each candidate, one trial each; one published."),
]
Halving = Annotated[
    bool, typer.Option("--halving/--no-halving", help="Whether arms far behind leave early.")
]
Health = Annotated[
    bool, typer.Option("--health/--no-health", help="Whether trials without hope are stopped.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="The folder of this run.")]
Size = Annotated[int, typer.Option(help="Pixels a side.")]
Channels = Annotated[int | None, typer.Option(min=1, max=4, help="By default as the images are.")]
Backbone = Annotated[
    str | None, typer.Option(help="Networks for all candidates alike, such as mlp.")
]
Width = Annotated[int | None, typer.Option(min=4, help="Width of all networks.")]
BatchSize = Annotated[int | None, typer.Option(min=2, help="For all candidates alike.")]
Only = Annotated[list[str] | None, typer.Option(help="Just this candidate (repeatable).")]
Features = Annotated[str, typer.Option(help="inception, efficientnet-lite0 or auto.")]
Weights = Annotated[Path | None, typer.Option(help="A local file with Inception's weights.")]
Engine = Annotated[str, typer.Option(help="What works features out: torch, openvino or auto.")]
Samples = Annotated[str, typer.Option(help="Generated and real images of each score.")]
Draws = Annotated[int, typer.Option(min=1, help="Independent sets of them, averaged.")]
Looks = Annotated[int, typer.Option(min=1, help="Cheap measurements in each trial.")]
PrecisionName = Annotated[
    str, typer.Option("--precision", help="float32, bfloat16, float16 or auto.")
]
Compiling = Annotated[
    str, typer.Option("--compile", help="torch.compile: on, off or auto (where it repays itself).")
]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Trials at a time; by default tried out.")]
Ray = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Train on a Ray cluster: host:port, auto or local."),
]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        help="With --ray: a folder that all nodes see, or s3://, gs:// …; by default the run's.",
    ),
]
CpusPerTrial = Annotated[float, typer.Option(min=0.1, help="With --ray: also its threads.")]
GpusPerTrial = Annotated[
    float | None,
    typer.Option(min=0.0, help="With --ray: 0.5 puts two on one GPU; by default 1 if any."),
]
TensorBoard = Annotated[
    bool | None,
    typer.Option(
        "--tensorboard/--no-tensorboard",
        help="Whether event files are written; by default where tensorboardX is installed.",
    ),
]
Mlflow = Annotated[
    str | None,
    typer.Option(metavar="URI", help="An MLflow server, or sqlite:///mlflow.db, to log to."),
]
RUN = Path("runs/run")


def plan(
    recommendation: Advice,
    data: Data,
    budget: BudgetText = "2M",
    seeds: Seeds = 3,
    search: Search = 0,
    halving: Halving = True,
    health: Health = True,
    out: Out = RUN,
    size: Size = 32,
    channels: Channels = None,
    backbone: Backbone = None,
    width: Width = None,
    batch_size: BatchSize = None,
    only: Only = None,
    features: Features = "auto",
    weights: Weights = None,
    engine: Engine = "auto",
    samples: Samples = "10k",
    draws: Draws = 2,
    looks: Looks = 4,
    precision: PrecisionName = "auto",
    compile: Compiling = "auto",
    device: Device = "auto",
    workers: Workers = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what `run` with the same options will train, for how long and in how much memory.

    Each candidate trains for a few seconds, so that its pace on this machine is known.
    """
    request = requested(**{k: v for k, v in locals().items() if k not in BESIDE})
    from runner.progress import Display
    from runner.run import plan as make_plan
    from runner.views import planned

    advice = read_recommendation(recommendation)
    with told(out), Display() as display:
        made = make_plan(
            advice, request, out, workers=workers, on_decode=display.decoded, tell=display.tell
        )
    if json:
        from runner.calibrate import forecast

        print(forecast(made.plan, made.calibration).model_dump_json(indent=1))
        return
    from rich.console import Console

    Console(highlight=False).print(planned(made.plan, made.calibration))
    print(f"\ngan-runner run with the same options follows this plan, in {out}", file=sys.stderr)


def run(
    recommendation: Advice,
    data: Data,
    budget: BudgetText = "2M",
    seeds: Seeds = 3,
    search: Search = 0,
    halving: Halving = True,
    health: Health = True,
    out: Out = RUN,
    size: Size = 32,
    channels: Channels = None,
    backbone: Backbone = None,
    width: Width = None,
    batch_size: BatchSize = None,
    only: Only = None,
    features: Features = "auto",
    weights: Weights = None,
    engine: Engine = "auto",
    samples: Samples = "10k",
    draws: Draws = 2,
    looks: Looks = 4,
    precision: PrecisionName = "auto",
    compile: Compiling = "auto",
    device: Device = "auto",
    workers: Workers = None,
    ray: Ray = None,
    storage: StorageUrl = None,
    cpus_per_trial: CpusPerTrial = 1.0,
    gpus_per_trial: GpusPerTrial = None,
    tensorboard: TensorBoard = None,
    mlflow: Mlflow = None,
) -> None:
    """Train every candidate and the control arm, measure them alike, rank them, write a report.

    Run the same command again to go on after an interruption.
    """
    check_cluster(ray, storage, budget)
    request = requested(**{k: v for k, v in locals().items() if k not in BESIDE})
    from runner.logs import chosen_logs
    from runner.progress import Display
    from runner.run import run as carry_out
    from runner.views import table

    advice = read_recommendation(recommendation)
    with (
        told(out),
        Display() as display,
        cluster_engine(ray, out, storage, (cpus_per_trial, gpus_per_trial), display) as there,
    ):
        board = carry_out(
            advice,
            request,
            out,
            # How many trials fit side by side here says nothing of a cluster: that is not tried.
            workers=1 if there and not (out / "calibration.json").exists() else workers,
            engine=there,
            on_plan=display.planned,
            on_rung=display.rung,
            on_event=display.heard,
            on_decode=display.decoded,
            tell=display.tell,
            logs=chosen_logs(out, tensorboard=tensorboard, mlflow=mlflow),
        )
    from rich.console import Console

    Console(highlight=False).print(table(board))
    print(f"\n{board.verdict.says}\nreport: {out / 'report.html'}", file=sys.stderr)


# Options that are no part of the request.
PLACES = ("ray", "storage", "cpus_per_trial", "gpus_per_trial")
LOGS = ("tensorboard", "mlflow")
BESIDE = ("recommendation", "out", "workers", "json", *PLACES, *LOGS)


def check_cluster(ray: str | None, storage: str | None, budget: str) -> None:
    """Raises typer.Exit, having said why."""
    if ray is None and storage is not None:
        raise fail("--storage goes with --ray; here the files lie in the run's folder", BAD_INPUT)
    if ray is not None and budget_of(budget).seconds:
        says = "with --ray give --budget in images: how fast the nodes are is not measured here"
        raise fail(says, BAD_INPUT)


@contextmanager
def cluster_engine(
    address: str | None,
    out: Path,
    storage: str | None,
    room: tuple[float, float | None],
    display: "Display",
) -> "Iterator[Cluster | None]":
    """None: processes of this machine."""
    if address is None:
        yield None
        return
    from runner.cluster import Room
    from runner.live import Journal
    from runner.on_ray import on_ray

    with on_ray(
        address,
        out,
        storage=storage,
        room=Room(*room),
        on_event=Journal(out, display.heard),
        tell=display.tell,
    ) as there:
        yield there


def requested(
    *,
    data: str,
    budget: str,
    seeds: int,
    search: int,
    halving: bool,
    health: bool,
    size: int,
    channels: int | None,
    backbone: str | None,
    width: int | None,
    batch_size: int | None,
    only: list[str] | None,
    features: str,
    weights: Path | None,
    engine: str,
    samples: str,
    draws: int,
    looks: int,
    precision: str,
    compile: str,
    device: str,
) -> "Request":
    """Raises typer.BadParameter, and typer.Exit having said why."""
    asked, n = budget_of(budget), number(samples)
    if precision not in ("auto", "float32", "bfloat16", "float16"):
        raise fail(f"--precision {precision}: choose auto, float32, bfloat16 or float16", BAD_INPUT)
    if compile not in ("auto", "on", "off"):
        raise fail(f"--compile {compile}: choose auto, on or off", BAD_INPUT)
    if search == 1:
        says = "--search 1 is the published setting alone; give 2 or more, or leave it out"
        raise fail(says, BAD_INPUT)
    from runner.plan import Overrides
    from runner.prepare import Request

    scale = {"budget": asked.images} if asked.images else {"time": asked.seconds}
    overrides = {"backbone": backbone, "width": width, "batch_size": batch_size}
    return Request.model_validate(
        {
            **scale,
            "data": data,
            "size": size,
            "channels": channels,
            "seeds": seeds,
            "search": search,
            "halving": halving,
            "health": health,
            "features": features,
            "weights": weights,
            "engine": engine,
            "samples": n,
            "draws": draws,
            "looks": looks,
            "precision": None if precision == "auto" else precision,
            "compile": compile,
            "device": device,
            "overrides": Overrides.model_validate({**overrides, "only": tuple(only or ())}),
        }
    )


@contextmanager
def told(out: Path) -> Iterator[None]:
    """What can go wrong, as a sentence and an exit code."""
    from runner.data import DataError
    from runner.execute import Stopped
    from runner.metrics import MetricError
    from runner.prepare import RunError
    from runner.report import ReportError

    try:
        yield
    except (RunError, DataError, MetricError, ReportError) as error:
        raise fail(str(error), BAD_INPUT) from None
    except Stopped as error:
        raise fail(f"{error}; {GO_ON}", FAILED) from None
    except OSError as error:
        raise fail(f"{error.filename or out}: {error.strerror or error}; {GO_ON}", FAILED) from None
    except KeyboardInterrupt:
        says = f"interrupted; run the same command to go on from {out}"
        raise fail(says, INTERRUPTED) from None
