"""The commands that find things in the knowledge base. Each prints its answer and nothing else."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from advisor.opening import open_library

if TYPE_CHECKING:  # commands that are not run need not be loaded
    from advisor.kb.names import Unclear
    from advisor.kb.page import Page
    from knowledge.schema import Record

BAD_INPUT = 2
IN_A_PIPE = 100  # columns, where nobody says how wide the page is

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the answer as Markdown.")]
Ids = Annotated[list[str], typer.Argument(metavar="NAME...", help="Systems, by id or name.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="An id, a name, or kind:id.")]


def register(kb: typer.Typer) -> None:
    """Hang the commands under `kb`."""
    for command in (show, search, list_, compare, table, cite, coverage):
        kb.command(command.__name__.rstrip("_"))(command)


def show(
    context: typer.Context, name: Name, json: Json = False, markdown: Markdown = False
) -> None:
    """All that is known of an entry, disagreements included.

    Wherever sources disagree, both sides are shown.
    """
    from advisor.kb.entry_page import entry_page
    from advisor.kb.names import find
    from advisor.kb.show import show as shown

    library = open_library(context)
    with names_explained():
        found = shown(find(library, name), library)
    answer(found, lambda: entry_page(found), json=json, markdown=markdown)


def search(
    context: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Words to look for.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Only these: gan, claim, technique, … (repeatable).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many.")] = 20,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Find entries by id, name, alias or text, the best first."""
    from advisor.kb import pages
    from advisor.kb.listing import kind_named
    from advisor.kb.search import search as searched

    library = open_library(context)
    with names_explained():
        kinds = [kind_named(word) for word in kind or ()]
    found = searched(" ".join(text), library, kinds=kinds, limit=limit)
    answer(found, lambda: pages.hits(found), json=json, markdown=markdown)


def list_(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="gans, claims, datasets, techniques, rules, …")
    ] = "gans",
    task: Annotated[str | None, typer.Option(help="Systems that serve this task.")] = None,
    addresses: Annotated[str | None, typer.Option(help="… that address this issue.")] = None,
    loss: Annotated[str | None, typer.Option(help="… with such a loss: hinge, log-loss.")] = None,
    kind: Annotated[str | None, typer.Option(help="… of this kind: loss-variant, …")] = None,
    dataset: Annotated[str | None, typer.Option(help="… reported on this data set.")] = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """List systems, by what they have, or other entries."""
    from advisor.kb import pages
    from advisor.kb.listing import kind_named, listing, systems

    wanted = {"task": task, "addresses": addresses, "loss": loss, "kind": kind, "dataset": dataset}
    library = open_library(context)
    with names_explained():
        chosen = kind_named(what)
        if chosen != "gan" and any(wanted.values()):
            asked = ", ".join(f"--{option}" for option, value in wanted.items() if value)
            raise typer.BadParameter(f"{asked} is asked of systems only")
        found = systems(library, **wanted) if chosen == "gan" else listing(chosen, library)
    answer(found, lambda: pages.listed(found), json=json, markdown=markdown)


def compare(
    context: typer.Context, names: Ids, json: Json = False, markdown: Markdown = False
) -> None:
    """Put systems side by side.

    Their axes, what is claimed between them in both directions, numbers where one protocol holds
    for all, and where sources disagree.
    """
    from advisor.kb import pages
    from advisor.kb.compare import compare as compared
    from advisor.kb.names import find

    library = open_library(context)
    with names_explained():
        gans = tuple(dict.fromkeys(find(library, name, ("gan",)).id for name in names))
    if len(gans) < 2:
        raise typer.BadParameter("give two systems or more")
    found = compared(gans, library)
    answer(found, lambda: pages.comparison(found), json=json, markdown=markdown)


def table(
    context: typer.Context,
    number: Annotated[int, typer.Argument(min=1, max=7, metavar="1..7", help="Which table.")],
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Print a table of the survey, 1 to 7, from the data.

    The survey is Motwani & Parmar (2020); the statements are in our words.
    """
    from advisor.kb import pages
    from advisor.kb.tables import survey_table

    found = survey_table(number, open_library(context))
    answer(found, lambda: pages.survey_table(found), json=json, markdown=markdown)


def cite(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Any ids or names.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every source of the base.")] = False,
    json: Json = False,
) -> None:
    """The sources behind entries, as BibTeX."""
    from advisor.kb.cite import Citations
    from advisor.kb.cite import cite as cited
    from advisor.kb.names import entries, find

    if bool(names) == everything:
        raise typer.BadParameter("name what to cite, or say --all")
    library = open_library(context)
    with names_explained():
        wanted = [find(library, name) for name in names or ()]
    if everything:
        wanted = [entry for entry in entries(library) if entry.kind == "source"]
    found: Citations = cited(wanted, library)
    if not found.sources:
        fail(f"no source is recorded for {', '.join(entry.id for entry in wanted)}")
    print(found.model_dump_json(indent=2) if json else "\n\n".join(found.sources.values()))


def coverage(context: typer.Context, json: Json = False, markdown: Markdown = False) -> None:
    """What is thin, uncited or unverified in the base."""
    from advisor.kb import pages
    from advisor.kb.coverage import coverage as covered

    found = covered(open_library(context))
    answer(found, lambda: pages.coverage(found), json=json, markdown=markdown)


# How an answer gets out ----------------------------------------------------------------------


def answer(found: "Record", page: "Callable[[], Page]", *, json: bool, markdown: bool) -> None:
    """On stdout, as JSON, as Markdown or for a person."""
    if json:
        print(found.model_dump_json(indent=2))
    elif markdown:
        from advisor.kb.markdown import render

        print(render(page()), end="")
    else:
        from rich.console import Console

        from advisor.kb.terminal import render as rendered

        console = Console(highlight=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = IN_A_PIPE
        with console.capture() as captured:
            console.print(rendered(page(), console.width))
        text = captured.get()
        if not console.is_terminal:  # cells are padded to their width
            text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
        print(text, end="")


@contextmanager
def names_explained() -> Iterator[None]:
    from advisor.kb.names import Unclear

    try:
        yield
    except Unclear as unclear:
        fail(explained(unclear))


def explained(unclear: "Unclear") -> str:
    lines = [str(unclear) + (":" if unclear.choices else "")]
    for entry in unclear.choices:
        lines.append(f"  {entry.id:<18} {getattr(entry.record, 'full_name', entry.name)}")
        if warning := getattr(entry.record, "name_warning", None):
            lines.append(f"  {'':<18} {warning}")
    return "\n".join(lines)


def fail(says: str) -> None:
    print(f"gan-advisor: {says}", file=sys.stderr)
    raise typer.Exit(BAD_INPUT)
