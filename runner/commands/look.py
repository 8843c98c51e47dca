"""gan-runner probe, report and show: looking at data, runs and recipes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.commands.common import BAD_INPUT, fail


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


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    json: Annotated[
        bool, typer.Option("--json", help="Print all that it says as JSON; write nothing.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as Markdown; write nothing.")
    ] = False,
) -> None:
    """Rank what has ended so far and write the report again."""
    from runner.prepare import RunError
    from runner.report import ReportError
    from runner.report import markdown as written
    from runner.run import report_again, reported

    if json and markdown:
        raise fail("--json and --markdown are two ways to print one report: choose one", BAD_INPUT)
    text = ""
    try:
        if json:
            text = reported(run).model_dump_json(indent=1)
        elif markdown:
            text = written(reported(run))
        else:
            board = report_again(run)
    except (RunError, ReportError, OSError) as error:
        raise fail(str(error), BAD_INPUT) from None
    if text:
        print(text)
        return
    from rich.console import Console

    from runner.views import table

    Console(highlight=False).print(table(board))
    print(f"\n{board.verdict.says}\nreport: {run / 'report.html'}", file=sys.stderr)


def show(
    recipe: Annotated[
        str, typer.Argument(help="A GAN such as wgan-gp or fgan:pearson, or a recipe's file.")
    ],
    size: Annotated[int, typer.Option(min=1, help="Pixels a side.")] = 32,
    channels: Annotated[int, typer.Option(min=1, max=4, help="1 for grey, 3 for colour.")] = 3,
    classes: Annotated[
        int, typer.Option(min=2, help="Of the images, for networks that are told them.")
    ] = 10,
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
        built = anatomy(build(wanted, ImageShape(channels, size, classes), 0), wanted)
    except (RecipeError, PartError) as error:
        raise fail(str(error), BAD_INPUT) from None
    if json:
        print(built.model_dump_json(indent=1))
        return
    from rich.console import Console

    from runner.views import opened

    Console(highlight=False).print(opened(built, recipe))
