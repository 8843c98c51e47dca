"""why-not, what-if, sensitivity and explain. Each prints its answer and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.commands.answers import (
    DataSet,
    Need,
    ProfileFile,
    ProfileToo,
    Set,
    Task,
    assignment,
    either,
    given,
)
from advisor.kb.finding import Json, Markdown, answer, names_explained
from advisor.opening import open_library


def why_not(
    context: typer.Context,
    combination: Annotated[
        str,
        typer.Argument(
            metavar="COMBINATION",
            help="wgan-gp, wgan-gp+batch-norm or loss=wgan-gp,optimizer=rmsprop.",
        ),
    ],
    profile_too: ProfileToo = None,
    profile: ProfileFile = None,
    task: Task = None,
    dataset: DataSet = None,
    need: Need = None,
    set_: Set = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Why a combination is not in the shortlist, and the smallest change that would bring it in."""
    from advisor.explain import pages
    from advisor.explain.why_not import why_not as judged

    library = open_library(context)
    found = judged(
        combination,
        given(library, either(profile, profile_too), task, dataset, need, set_),
        library,
    )
    answer(found, lambda: pages.why_not(found), json=json, markdown=markdown)


def what_if(
    context: typer.Context,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="QUESTION=ANSWER... [PROFILE]",
            help="`resolution=256`; `needs=` leaves open.",
        ),
    ],
    profile: ProfileFile = None,
    task: Task = None,
    dataset: DataSet = None,
    need: Need = None,
    set_: Set = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """What other answers would change: who enters, who leaves, and which rule does it."""
    from advisor.explain import pages
    from advisor.explain.what_if import what_if as compared

    library = open_library(context)
    *assigned, last = changes
    if assigned and "=" not in last:
        profile, changes = either(profile, Path(last)), assigned
    answers = given(library, profile, task, dataset, need, set_)
    found = compared(dict(map(assignment, changes)), answers, library)
    answer(found, lambda: pages.what_if(found, library.names), json=json, markdown=markdown)


def sensitivity(
    context: typer.Context,
    profile_too: ProfileToo = None,
    profile: ProfileFile = None,
    task: Task = None,
    dataset: DataSet = None,
    need: Need = None,
    set_: Set = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Which single answers would change the shortlist, and how."""
    from advisor.explain import pages
    from advisor.explain.sensitivity import sensitivity as swept

    library = open_library(context)
    found = swept(given(library, either(profile, profile_too), task, dataset, need, set_), library)
    answer(found, lambda: pages.sensitivity(found, library.names), json=json, markdown=markdown)


def explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RULE|CLAIM", help="Such as k05 or table-2-038.")],
    profile_too: ProfileToo = None,
    profile: ProfileFile = None,
    task: Task = None,
    dataset: DataSet = None,
    need: Need = None,
    set_: Set = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """What a rule or a claim says, what it rests on, and what it does with these answers."""
    from advisor.explain import entry_page
    from advisor.explain.entry import explained

    library = open_library(context)
    answers = given(library, either(profile, profile_too), task, dataset, need, set_)
    with names_explained():
        found = explained(name, answers, library)
    answer(found, lambda: entry_page.explained(found, library.names), json=json, markdown=markdown)
