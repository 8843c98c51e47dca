"""gan-runner watch and serve: a run while it goes on, here or elsewhere."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.commands.common import BAD_INPUT, FAILED, INTERRUPTED, fail

Run = Annotated[Path, typer.Argument(help="The folder of a run.")]


def watch(
    run: Run,
    once: Annotated[bool, typer.Option("--once", help="Print where it stands, and end.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Show how far a run is: rungs, trials, distances, failures and the time left.

    The run may go on in another terminal, or on another machine that shares the folder. Where
    there is no terminal, it prints once.
    """
    from rich.console import Console
    from rich.live import Live

    from runner.live import state_of, watching
    from runner.prepare import RunError
    from runner.views import standing_now

    console = Console(highlight=False)
    try:
        if once or not console.is_terminal:
            console.print(standing_now(state_of(run)))
            return
        with Live(console=console, auto_refresh=False) as live:
            for state in watching(run, every):
                live.update(standing_now(state), refresh=True)
    except RunError as error:
        raise fail(str(error), BAD_INPUT) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def serve(
    run: Run,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8050,
    host: Annotated[
        str, typer.Option(help="Only this machine can look, unless another address is given.")
    ] = "127.0.0.1",
) -> None:
    """Show the report in a browser, and show it again whenever a run gets on. Read-only."""
    from runner.prepare import RunError
    from runner.serve import LOOPBACK, server

    try:
        made = server(run, host=host, port=port)
    except RunError as error:
        raise fail(str(error), BAD_INPUT) from None
    except OSError as error:
        says = f"{host}:{port}: {error.strerror or error}; choose another with --port"
        raise fail(says, FAILED) from None
    where = f"http://{host}:{made.server_address[1]}/"
    print(f"{run}: {where} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    if host not in LOOPBACK:
        print("whoever reaches this address can read the run", file=sys.stderr, flush=True)
    try:
        made.serve_forever()
    except KeyboardInterrupt:
        return
    finally:
        made.server_close()
