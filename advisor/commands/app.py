"""gan-advisor and its commands. Each is built when it is called, and imports what it needs."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS = {  # where each is; in the order of --help
    "recommend": "advisor.commands.recommend",
    "compare": "advisor.kb.finding",
    "kb": "advisor.kb.cli",
    "ask": "advisor.commands.ask",
    "questions": "advisor.commands.ask",
    "why-not": "advisor.commands.explain",
    "what-if": "advisor.commands.explain",
    "sensitivity": "advisor.commands.explain",
    "explain": "advisor.commands.explain",
}


class OnDemand(Mapping[str, Any]):
    """The commands by name, each as Typer makes it: a command, or a group of them."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - Typer's own click
        found = getattr(import_module(COMMANDS[name]), name.replace("-", "_"))
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(name)(found)
            found = alone
        return get_command(found)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Commands(TyperGroup):
    """--knowledge may stand before or after any command."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(**settings)
        self.commands = cast(Any, OnDemand())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        return super().parse_args(ctx, hoisted(args))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        return list(COMMANDS)


def hoisted(args: list[str]) -> list[str]:
    """Every --knowledge with its value in front; what follows `--` stays as it is."""
    end = args.index("--") if "--" in args else len(args)
    front: list[str] = []
    others: list[str] = []
    words = iter(args[:end])
    for word in words:
        if word == "--knowledge":
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            (front if word.startswith("--knowledge=") else others).append(word)
    return [*front, *others, *args[end:]]


app = typer.Typer(
    cls=Commands,
    help="Choose a GAN for your data: a few answers in, a handful of candidates with reasons out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def version(wanted: bool) -> None:
    if wanted:
        from knowledge import __version__

        print(f"gan-advisor {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    knowledge: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Lay this folder over the knowledge base (repeatable; with any command).",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = tuple(knowledge or ())
