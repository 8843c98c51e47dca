"""The commands that keep the knowledge base in order: check, new, diff."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from advisor.kb.template import Kind
from advisor.opening import overlays

if TYPE_CHECKING:  # commands that are not run need not be loaded
    from advisor.kb.diff import Advised, Change, Difference, Field
    from advisor.kb.lint import Report

BAD_INPUT = 2
PACKAGED = Path(__file__).parents[1] / "profiles"  # where it is installed
EXAMPLES = PACKAGED if PACKAGED.is_dir() else Path(__file__).parents[2] / "docs" / "profiles"
SCHEMA_VERSION = 1
LONG = 90  # letters of a value, before it is cut

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def register(kb: typer.Typer) -> None:
    """Hang the commands under `kb`."""
    for command in (check, new, diff):
        kb.command(command.__name__)(command)


# check ---------------------------------------------------------------------------------------


def check(
    context: typer.Context,
    waived: Annotated[bool, typer.Option("--waived", help="Show what is meant, and why.")] = False,
    as_json: Json = False,
) -> None:
    """Find every mistake in the knowledge base and its overlays, with file and line."""
    from advisor.kb.lint import lint

    report = lint(overlays(context))
    if as_json:
        print(json.dumps(report_as_data(report), indent=2, ensure_ascii=False))
    else:
        for line in report_lines(report, waived=waived):
            print(line)
    if report.mistakes:
        raise typer.Exit(BAD_INPUT)


def report_lines(report: "Report", *, waived: bool) -> Iterator[str]:
    from knowledge.check import summary

    yield from map(str, report.mistakes)
    for each in report.waived if waived else ():
        yield f"meant: {each.says}"
        yield f"    {each.reason}"
    what = f"{summary(report.library)}: " if report.library else ""
    count = len(report.mistakes)
    mistakes = "no mistakes" if not count else f"{count} mistake{'s' if count > 1 else ''}"
    told = f"; {len(report.waived)} findings are meant" if report.waived else ""
    yield f"{what}{mistakes}{told}{'' if waived or not told else ' (--waived)'}"


def report_as_data(report: "Report") -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "mistakes": [mistake._asdict() for mistake in report.mistakes],
        "waived": [each._asdict() for each in report.waived],
    }


# new -----------------------------------------------------------------------------------------


def new(
    kind: Annotated[str, typer.Argument(metavar="|".join(get_args(Kind)), help="What to add.")],
    name: Annotated[str | None, typer.Argument(metavar="ID", help="Its id.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="PATH", help="A .yaml file, or an overlay's folder."),
    ] = None,
) -> None:
    """Print or write a commented beginning of an entry."""
    import re

    from advisor.kb.template import KINDS, destination, template, write
    from knowledge.reading import nearest

    known = next((each for each in KINDS if each == kind), None)
    if known is None:
        raise typer.BadParameter(f"no kind {kind!r}{nearest(kind, KINDS)}")
    name = name or ("my_fact" if known == "question" else f"my-{known}")
    wanted = r"[a-z][a-z0-9_]*" if known == "question" else r"[a-z0-9]+(-[a-z0-9]+)*"
    if not re.fullmatch(wanted, name):
        case = "snake_case, as it is a fact" if known == "question" else "kebab-case"
        raise typer.BadParameter(f"{name!r} is no id: it should be {case}")
    text = template(known, name)
    if out is None:
        print(text, end="")
        return
    path = destination(known, name, out)
    try:
        write(text, path)
    except FileExistsError:
        raise typer.BadParameter(f"{path} is there already, and is left as it is") from None
    print(path)


# diff ----------------------------------------------------------------------------------------


def diff(
    context: typer.Context,
    overlay: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The overlay.")
    ],
    profile: Annotated[
        list[Path] | None,
        typer.Option(help="Compare advice for this profile (repeatable); else for examples."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what an overlay changes: entries, and the advice for example profiles."""
    from advisor.kb.diff import diff as compared
    from knowledge.library import load

    below = overlays(context)
    profiles = profile or sorted(EXAMPLES.glob("*.yaml"))
    found = compared(load(overlays=below), load(overlays=(*below, overlay)), profiles)
    if as_json:
        print(json.dumps(difference_as_data(found), indent=2, ensure_ascii=False))
        return
    for line in difference_lines(found):
        print(line)


def difference_lines(found: "Difference") -> Iterator[str]:
    for change in found.entries:
        yield from change_lines(change)
    if not found.entries:
        yield "no entry is added or changed"
    if not found.advice:
        yield "no example profiles here: give some with --profile FILE"
        return
    same = [each.profile for each in found.advice if not each.differs]
    yield ""
    for each in found.advice:
        if each.differs:
            yield from advice_lines(each)
    if same:
        yield f"same advice for {', '.join(same)}"


def change_lines(change: "Change") -> Iterator[str]:
    entry = change.entry
    yield f"{'+' if change.is_new else '~'} {entry.kind} {entry.id}  ({entry.file})"
    for field in change.fields:
        yield from field_lines(field)
    if not change.is_new and not change.fields:
        yield "    says the same as below it"


def field_lines(field: "Field") -> Iterator[str]:
    yield f"    {field.name}:"
    yield f"      - {short(field.before)}"
    yield f"      + {short(field.after)}"


def short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"


def advice_lines(each: "Advised") -> Iterator[str]:
    yield f"{each.profile}: {listed(each.after)}"
    for sign, names in (("+", each.came), ("-", each.went)):
        yield from (f"    {sign} {name}" for name in names)
    yield from (f"    {remark}" for remark in each.remarks)


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "no candidate"


def difference_as_data(found: "Difference") -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "entries": [
            {
                **change.entry.model_dump(),
                "new": change.is_new,
                "fields": [field._asdict() for field in change.fields],
            }
            for change in found.entries
        ],
        "advice": [{**each._asdict(), "differs": each.differs} for each in found.advice],
    }
