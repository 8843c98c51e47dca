"""The answers that a command is given: a profile file, and flags that win over it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from advisor.profile import Profile, checked, read_profile
from knowledge.library import Library

ProfileFile = Annotated[
    Path | None,
    typer.Option("-p", "--profile", metavar="FILE", help="Answers as YAML, as `ask` writes them."),
]
ProfileToo = Annotated[
    Path | None, typer.Argument(metavar="[PROFILE]", help="The same file as with -p.")
]
Task = Annotated[str | None, typer.Option(help="What the GAN should do: unconditional, …")]
DataSet = Annotated[str | None, typer.Option(help="The data set, or one like it.")]
Need = Annotated[
    list[str] | None, typer.Option(help="What matters: quality, diversity, … (repeatable).")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="QUESTION=ANSWER", help="Any other answer (repeatable)."),
]


def given(
    library: Library,
    profile: Path | None,
    task: str | None,
    dataset: str | None,
    need: list[str] | None,
    set_: list[str] | None,
) -> Profile:
    """Checked. Raises InvalidData that names all that is wrong."""
    answers: dict[str, Any] = dict(read_profile(profile, library)) if profile else {}
    flags = {"task": task, "dataset": dataset, "needs": need or None}
    answers |= {name: value for name, value in flags.items() if value is not None}
    return checked(answers | dict(map(assignment, set_ or ())), library)


def either(one: Path | None, other: Path | None) -> Path | None:
    """A profile that may stand in either place."""
    if one and other and one != other:
        raise typer.BadParameter(f"two profiles, {one} and {other}: give one")
    return one or other


def assignment(words: str) -> tuple[str, Any]:
    """`question=answer`; several answers have commas between them, none leaves it open."""
    name, equals, value = words.partition("=")
    if not equals:
        raise typer.BadParameter(f"{words!r} is not of the form question=answer")
    several = [each.strip() for each in value.split(",")]
    return name.strip(), several if len(several) > 1 else several[0] or None
