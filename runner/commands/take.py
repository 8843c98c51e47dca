"""gan-runner sample, export and continue: what a run ends in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.commands.common import BAD_INPUT, FAILED, fail, number
from runner.commands.start import Mlflow, TensorBoard, Workers, told

if TYPE_CHECKING:
    from runner.take.samples import Kind

Where = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|TRIAL", help="A run, for its first arm; or a folder in its trials/."
    ),
]


def sample(
    where: Where,
    count: Annotated[
        int | None,
        typer.Option("-n", "--count", min=1, help="By default 64 images, or 2500 points."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same one gives the same samples.")] = 0,
    grid: Annotated[bool, typer.Option("--grid", help="One picture of all: the default.")] = False,
    folder: Annotated[bool, typer.Option("--folder", help="A PNG for each image.")] = False,
    npz: Annotated[bool, typer.Option("--npz", help="An array, arr_0: (N, H, W, C).")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="By default here, named after the trial.")
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(
            help="Normal latents within plus and minus this: the lower, the more typical, and the "
            "less varied (BigGAN)."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--class", help="The name or number of a class, where it is told one."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
) -> None:
    """Draw samples from a finished trial: of a run, the first finished seed of its first arm.

    The first samples of a seed are the same however many are drawn. On another device or machine
    they may be off by a grey level.
    """
    if grid + folder + npz > 1:
        raise fail("choose one of --grid, --folder and --npz", BAD_INPUT)
    if truncation is not None and not truncation > 0:
        raise fail(f"--truncation {truncation:g}: latents are within a bound above 0", BAD_INPUT)
    with said(where):
        from runner.pictures import shown
        from runner.prepare import chosen_device
        from runner.take import class_named, find, read_generator, write_samples
        from runner.told import of_class

        taken = find(where)
        game = read_generator(taken.weights, chosen_device(device))
        if label is not None:
            game = of_class(game, class_named(taken.weights, label))
        kind: Kind = "folder" if folder else "npz" if npz else "grid"
        ending = {"grid": ".png", "npz": ".npz", "folder": ""}[kind]
        path = out or Path(f"{taken.trial.id}-samples{seed}{ending}")
        made = count or shown(game.image.size)
        write_samples(game, path, kind, count=made, seed=seed, truncation=truncation)
    print(path)
    print(taken.says, file=sys.stderr)
    if truncation is not None:
        says = "truncated: more typical samples and fewer kinds of them; no score holds for these"
        print(says, file=sys.stderr)


def export(
    where: Where,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="torchscript, safetensors or onnx (repeatable)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A new folder; by default in the run's.")
    ] = None,
) -> None:
    """Write a generator as files to keep: checked weights, a card, and a script that draws.

    The script, generate.py, needs torch alone, and takes a class where the generator is told one.
    Every file is read back and held against the original, over all classes; where one does not
    make the same images, nothing is written.
    """
    with said(where):
        from knowledge.reading import nearest
        from runner.take import FORMATS, find
        from runner.take import export as write

        for name in formats or ():
            if name not in FORMATS:
                raise fail(f"no format {name!r}{nearest(name, FORMATS)}", BAD_INPUT)
        taken = find(where)
        inside = (taken.run or taken.folder) / "exports" / taken.trial.id
        path = out or inside
        checks = write(taken, formats or ("torchscript",), path, tell)
    print(path)
    print(taken.says, file=sys.stderr)
    for check in checks:
        allowed = f"{check.tolerance:.0e} is allowed" if check.tolerance else "as it must"
        off = f"differs by {check.difference:.1e}" if check.difference else "differs by nothing"
        print(f"{check.file} {off} from the original; {allowed}", file=sys.stderr)


def go_on(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    budget: Annotated[
        str, typer.Option(help="Real images for each trial, from the start: 5M where it had 2M.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="The new run; by default beside the old one."),
    ] = None,
    arm: Annotated[str | None, typer.Option(help="By default the first one.")] = None,
    workers: Workers = None,
    tensorboard: TensorBoard = None,
    mlflow: Mlflow = None,
) -> None:
    """Train the first arm of a run further, in a run of its own, measured by the same protocol.

    The run itself stays as it is. What comes out is no fair comparison with its other arms. Run
    the same command again to go on after an interruption.
    """
    images = number(budget)
    with told(out or run):
        from runner.logs import chosen_logs
        from runner.progress import Display
        from runner.take import further
        from runner.take import go_on as train
        from runner.views import table

        wanted = further(run, images, arm)
        folder = out or wanted.folder
        logs = chosen_logs(folder, tensorboard=tensorboard, mlflow=mlflow)
        tell(f"{wanted.says}, in {folder}")
        with Display() as display:
            board = train(
                wanted,
                folder,
                workers=workers,
                on_plan=display.planned,
                on_rung=display.rung,
                on_event=display.heard,
                tell=display.tell,
                logs=logs,
            )
    from rich.console import Console

    Console(highlight=False).print(table(board))
    print(f"\n{board.verdict.says}\nreport: {folder / 'report.html'}", file=sys.stderr)


def tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


@contextmanager
def said(where: Path) -> Iterator[None]:
    """What can go wrong where nothing is trained, as a sentence and an exit code."""
    from runner.metrics import MetricError
    from runner.prepare import RunError

    try:
        yield
    except (RunError, MetricError) as error:
        raise fail(str(error), BAD_INPUT) from None
    except OSError as error:
        raise fail(f"{error.filename or where}: {error.strerror or error}", FAILED) from None
