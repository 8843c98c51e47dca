"""gan-advisor recommend: answers in, a shortlist with reasons out."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from advisor.commands.answers import DataSet, Need, Set, Task, given
from advisor.opening import open_library
from advisor.recommendation import Recommendation
from knowledge.files import write_whole

NO_CANDIDATE, NOT_A_GAN_PROBLEM = 3, 4


def recommend(
    context: typer.Context,
    profile: Annotated[
        Path | None, typer.Argument(help="Answers as YAML, a `question: answer` a line.")
    ] = None,
    task: Task = None,
    dataset: DataSet = None,
    need: Need = None,
    set_: Set = None,
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

    library = open_library(context)
    answers = given(library, profile, task, dataset, need, set_)
    found = advise(answers, library, top=top, strict=strict, robust=robustness)

    if out:
        write_whole(out, found.model_dump_json(indent=2))
    if json:
        print(found.model_dump_json(indent=2))
    elif markdown:
        from advisor.document import markdown as page

        print(page(found, full=full), end="")
    else:
        show(found, full=full)
    end(found)
    if out:
        print(f"\nnext: gan-runner run {out} --data YOUR-IMAGES", file=sys.stderr)


def show(found: Recommendation, *, full: bool) -> None:
    from rich.console import Console

    from advisor.views import show as view

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    console.print(view(found, full=full))


def end(found: Recommendation) -> None:
    """A recommendation without candidates ends the command with a code of its own."""
    if found.refusal:
        raise typer.Exit(NOT_A_GAN_PROBLEM)
    if not found.candidates:
        raise typer.Exit(NO_CANDIDATE)
