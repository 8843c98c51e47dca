"""gan-advisor: the only module of the advisor that prints, asks or exits."""

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from advisor.opening import open_library
from advisor.recommendation import Recommendation
from knowledge.files import write_whole
from knowledge.reading import InvalidData

NO_CANDIDATE, NOT_A_GAN_PROBLEM, BAD_INPUT, INTERRUPTED = 3, 4, 2, 130


class Commands(TyperGroup):
    """--knowledge may stand before or after any command; what looks into the base is built late."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's own click
        return super().parse_args(ctx, hoisted(args))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        return [*super().list_commands(ctx), *ON_DEMAND]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name in ON_DEMAND:
            return ON_DEMAND[cmd_name]()
        return super().get_command(ctx, cmd_name)


def kb() -> object:
    from advisor.kb.cli import kb

    return get_command(kb)


def compare() -> object:
    from advisor.kb.finding import compare

    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command("compare")(compare)
    return get_command(alone)


def built(module: str, name: str) -> object:
    commands = import_module(f"advisor.commands.{module}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(getattr(commands, name.replace("-", "_")))
    return get_command(alone)


QUESTIONNAIRE = ("ask", "questions")
EXPLANATIONS = ("why-not", "what-if", "sensitivity", "explain")

# Building a command and its options costs advice 7 ms, and it needs none of these.
ON_DEMAND: dict[str, Callable[[], object]] = {"compare": compare, "kb": kb}
ON_DEMAND |= {name: partial(built, "ask", name) for name in QUESTIONNAIRE}
ON_DEMAND |= {name: partial(built, "explain", name) for name in EXPLANATIONS}


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


def main() -> None:
    """Exit codes: 0 ok, 2 bad input, 3 no candidate survives, 4 not a GAN problem, 130 interrupted."""
    try:
        app()
    except InvalidData as error:
        print(f"gan-advisor: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except OSError as error:
        print(f"gan-advisor: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


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


@app.command()
def recommend(
    context: typer.Context,
    profile: Annotated[
        Path | None, typer.Argument(help="Answers as YAML, a `question: answer` a line.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="What the GAN should do: unconditional, …")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="The data set, or one like it.")] = None,
    need: Annotated[
        list[str] | None, typer.Option(help="What matters: quality, diversity, … (repeatable).")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="QUESTION=ANSWER", help="Any other answer (repeatable)."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the recommendation as JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the recommendation as a Markdown page.")
    ] = False,
    top: Annotated[
        int, typer.Option(min=1, help="So many candidates at most, the control arm apart.")
    ] = 6,
    strict: Annotated[
        bool, typer.Option("--strict", help="Cut only what is impossible, and rank all the rest.")
    ] = False,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness/--no-robustness",
            help="Leave out one source at a time, and say who stays.",
        ),
    ] = True,
    full: Annotated[
        bool, typer.Option("--full", help="Quote every claim, not the first two.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the recommendation here, for gan-runner."),
    ] = None,
) -> None:
    """Shortlist the GANs for these answers, with reasons and citations.

    Flags win over the profile file. A question that nobody answered makes no rule fire.
    """
    from advisor.advise import recommend as advise
    from advisor.profile import checked, read_profile

    library = open_library(context)
    answers: dict[str, Any] = dict(read_profile(profile, library)) if profile else {}
    flags = {"task": task, "dataset": dataset, "needs": need or None}
    answers |= {name: value for name, value in flags.items() if value is not None}
    answers |= dict(map(parse, set_ or ()))
    profiled = checked(answers, library)
    found = advise(profiled, library, top=top, strict=strict, robust=robustness)

    if out:
        write_whole(out, found.model_dump_json(indent=2))
    if json:
        print(found.model_dump_json(indent=2))
    elif markdown:
        from advisor.document import markdown as page

        print(page(found, full=full), end="")
    else:
        show(found, full=full)
    if found.refusal:
        raise typer.Exit(NOT_A_GAN_PROBLEM)
    if not found.candidates:
        raise typer.Exit(NO_CANDIDATE)
    if out:
        print(f"\nnext: gan-runner run {out} --data YOUR-IMAGES", file=sys.stderr)


def parse(setting: str) -> tuple[str, Any]:
    name, equals, value = setting.partition("=")
    if not equals:
        raise typer.BadParameter(f"{setting!r} is not of the form question=answer")
    return name.strip(), value.split(",") if "," in value else value.strip()


def show(found: Recommendation, *, full: bool) -> None:
    from rich.console import Console

    from advisor.views import show as view

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    console.print(view(found, full=full))


if __name__ == "__main__":
    main()
