"""gan-runner: the only module of the runner that prints, asks or exits."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each trial sets its own number of threads

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
OURS = ("knowledge", "advisor", "runner")
GO_ON = "what has ended is kept: mend that, and run the same command to go on"

app = typer.Typer(
    help="Train a shortlist of GANs fairly and rank them by Fréchet distance.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Exit codes: 0 ok, 1 the run could not go on, 2 bad input, 130 interrupted."""
    try:
        app()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OURS:
            raise
        says = f"training needs {error.name}, which is not installed"
        print(f"gan-runner: {says}: pip install 'gan-advisor[runner]'", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def version(wanted: bool) -> None:
    if wanted:
        from knowledge import __version__

        print(f"gan-runner {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def fail(message: str, code: int) -> typer.Exit:
    print(f"gan-runner: {message}", file=sys.stderr)
    return typer.Exit(code)


def number(text: str) -> int:
    """2M, 500k or 64000."""
    units = {"k": 1_000, "m": 1_000_000}
    unit = units.get(text[-1:].lower(), 1)
    try:
        value = float(text.rstrip("kKmM") if unit > 1 else text) * unit
    except ValueError:
        value = 0
    if not 1 <= value < 1e12:
        raise typer.BadParameter(f"{text!r} is no number of images such as 2M, 500k or 64000")
    return int(value)


@app.command()
def run(
    recommendation: Annotated[Path, typer.Argument(help="What gan-advisor recommend -o wrote.")],
    data: Annotated[str, typer.Option(help="A named set or toy, a folder or a zip of images.")],
    budget: Annotated[str, typer.Option(help="Real images for each trial: 2M, 500k, …")] = "2M",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trials of each candidate.")] = 3,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of this run.")] = Path(
        "runs/run"
    ),
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 32,
    channels: Annotated[
        int | None, typer.Option(help="1 or 3; by default as the images are.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Networks for all candidates alike, such as mlp.")
    ] = None,
    width: Annotated[int | None, typer.Option(min=4, help="Width of all networks.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=2, help="For all candidates alike.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Just this candidate (repeatable).")
    ] = None,
    features: Annotated[str, typer.Option(help="inception, efficientnet-lite0 or auto.")] = "auto",
    weights: Annotated[
        Path | None, typer.Option(help="A local file with Inception's weights.")
    ] = None,
    samples: Annotated[str, typer.Option(help="Generated and real images of each score.")] = "10k",
    draws: Annotated[int, typer.Option(min=1, help="Independent sets of them, averaged.")] = 2,
    looks: Annotated[int, typer.Option(min=1, help="Cheap measurements in each trial.")] = 4,
    precision: Annotated[str, typer.Option(help="float32, bfloat16 or auto.")] = "auto",
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at a time.")] = None,
) -> None:
    """Train every candidate and the control arm, measure them alike, rank them, write a report.

    Run the same command again to go on after an interruption.
    """
    advice = read_recommendation(recommendation)
    budget_images, sample_images = number(budget), number(samples)
    if channels not in (None, 1, 3):
        raise fail(f"--channels {channels}: choose 1 (grey) or 3 (colour)", BAD_INPUT)
    if precision not in ("auto", "float32", "bfloat16"):
        raise fail(f"--precision {precision}: choose auto, float32 or bfloat16", BAD_INPUT)

    from runner.data import DataError
    from runner.execute import Stopped
    from runner.metrics import MetricError
    from runner.plan import Overrides
    from runner.prepare import Request, RunError
    from runner.progress import Display
    from runner.report import ReportError
    from runner.run import run as carry_out
    from runner.views import table

    request = Request(
        data=data,
        size=size,
        channels=channels,
        budget=budget_images,
        seeds=seeds,
        features=features,
        weights=weights,
        samples=sample_images,
        draws=draws,
        looks=looks,
        precision=None if precision == "auto" else precision,
        device=device,
        overrides=Overrides(
            backbone=backbone, width=width, batch_size=batch_size, only=tuple(only or ())
        ),
    )
    try:
        with Display() as display:
            board = carry_out(
                advice,
                request,
                out,
                workers=workers,
                on_plan=display.planned,
                on_event=display.heard,
                on_decode=display.decoded,
            )
    except (RunError, DataError, MetricError, ReportError) as error:
        raise fail(str(error), BAD_INPUT) from None
    except Stopped as error:
        raise fail(f"{error}; {GO_ON}", FAILED) from None
    except OSError as error:
        raise fail(f"{error.filename or out}: {error.strerror or error}; {GO_ON}", FAILED) from None
    except KeyboardInterrupt:
        says = f"interrupted; run the same command to go on from {out}"
        raise fail(says, INTERRUPTED) from None

    from rich.console import Console

    Console(highlight=False).print(table(board))
    print(f"\n{board.verdict.says}\nreport: {out / 'report.html'}", file=sys.stderr)


def read_recommendation(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201
    from pydantic import ValidationError

    from advisor.recommendation import Recommendation

    try:
        return Recommendation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise fail(f"{path}: {error.strerror}", BAD_INPUT) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        says = f"{path} is no recommendation of this version ({where}: {first['msg']})"
        raise fail(f"{says}; write one with gan-advisor recommend -o", BAD_INPUT) from None


@app.command()
def probe(
    data: Annotated[str, typer.Argument(help="A named set, a folder or a zip of images.")],
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 32,
    grid: Annotated[
        Path | None, typer.Option("-o", "--grid", help="Write a picture of some of them here.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say what a data set holds, and prepare it."""
    from runner.data import DataError, open_images
    from runner.prepare import data_plan
    from runner.progress import Display
    from runner.views import described

    try:
        with Display() as display:
            images = open_images(data, size=size, progress=display.decoded)
        if grid:
            from runner.pictures import picture, shown

            grid.write_bytes(picture(images.train[: shown(images.size)]))
    except DataError as error:
        raise fail(str(error), BAD_INPUT) from None
    except OSError as error:
        raise fail(f"{error.filename}: {error.strerror}", BAD_INPUT) from None
    if json:
        print(data_plan(data, images).model_dump_json(indent=1))
        return
    from rich.console import Console

    Console(highlight=False).print(described(images))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
) -> None:
    """Rank what has ended so far and write the report again."""
    from runner.prepare import RunError
    from runner.report import ReportError
    from runner.run import report_again

    try:
        board = report_again(run)
    except (RunError, ReportError, OSError) as error:
        raise fail(str(error), BAD_INPUT) from None

    from rich.console import Console

    from runner.views import table

    Console(highlight=False).print(table(board))
    print(f"\n{board.verdict.says}\nreport: {run / 'report.html'}", file=sys.stderr)


@app.command()
def show(
    recipe: Annotated[
        str, typer.Argument(help="A GAN such as wgan-gp or fgan:pearson, or a recipe's file.")
    ],
    size: Annotated[int, typer.Option(min=1, help="Pixels a side.")] = 32,
    channels: Annotated[int, typer.Option(min=1, max=4, help="1 for grey, 3 for colour.")] = 3,
    backbone: Annotated[str | None, typer.Option(help="Another pair of networks.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Width of all networks.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print what is built for a recipe: layers, parameters, FLOPs and memory per image."""
    from runner.anatomy import anatomy
    from runner.game import build
    from runner.parts import PartError
    from runner.plan import Overrides, overridden
    from runner.recipes import RecipeError, read_recipe
    from runner.scene import ImageShape

    try:
        wanted = overridden(read_recipe(recipe), Overrides(backbone=backbone, width=width))
        built = anatomy(build(wanted, ImageShape(channels, size), 0), wanted)
    except (RecipeError, PartError) as error:
        raise fail(str(error), BAD_INPUT) from None
    if json:
        print(built.model_dump_json(indent=1))
        return
    from rich.console import Console

    from runner.views import opened

    Console(highlight=False).print(opened(built, recipe))


if __name__ == "__main__":
    main()
