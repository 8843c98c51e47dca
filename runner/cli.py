"""gan-runner: with its commands the only part of the runner that prints, asks or exits."""

import os
import sys
from typing import Annotated

import typer

from runner.commands.common import BAD_INPUT, FAILED, INTERRUPTED
from runner.commands.diagnose import diagnose
from runner.commands.learn import learn
from runner.commands.live import serve, watch
from runner.commands.look import probe, report, show
from runner.commands.start import plan, run
from runner.commands.take import export, go_on, sample

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each trial sets its own number of threads

OURS = ("knowledge", "advisor", "runner")

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
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where it can be caught
    except BrokenPipeError:  # whoever read has seen enough, as head has
        # What is left goes nowhere, or Python complains of it when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
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


for command in (plan, run, watch, serve, report, diagnose, sample, export, learn, probe, show):
    app.command()(command)
app.command("continue")(go_on)

if __name__ == "__main__":
    main()
