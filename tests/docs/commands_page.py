"""The page of a program: every command, with what it does and every option."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from tests.docs.programs import commands


def commands_page(name: str) -> str:
    return f"# {name}\n\n" + "\n".join(section(*each) for each in commands(name))


def section(path: str, command: Any, context: Any) -> str:
    heading = f"## {path}\n\n" if " " in path else ""
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    text = f"{heading}{escaped(cleandoc(command.help or ''))}\n\n```text\n{usage}\n```\n"
    if hasattr(command, "list_commands"):
        text += "\n" + "\n".join(inside(path, command, context)) + "\n"
    rows = [row(*record) for record in records(command, context)]
    if rows:
        text += "\n| | | by default |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    return text


def inside(path: str, group: Any, context: Any) -> Iterator[str]:
    """A link to each command of a group."""
    for each in group.list_commands(context):
        anchor = f"{path} {each}".replace(" ", "-")
        says = cleandoc(group.commands[each].help or "").partition("\n")[0]
        yield f"- [`{each}`](#{anchor}): {escaped(says)}"


def records(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    """Arguments and options as --help lists them."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            yield record


def row(names: str, says: str) -> str:
    says, notes = re.fullmatch(r"(.*?)\s*(?:\[([^][]*)\])?", says.strip(), re.DOTALL).groups()
    default, more = "", []
    for note in (notes or "").split("; "):
        if note.startswith("default: "):
            default = f"`{note.removeprefix('default: ')}`"
        elif note:
            more.append(span(note))
    names = re.sub(r"<[^>]*>", shape, names).replace("|", "\\|")
    told = " ".join([escaped(says), *more]).strip()
    return f"| `{names}` | {told} | {default} |"


def shape(found: re.Match[str]) -> str:
    """The type of a value, as a placeholder."""
    kind = found[0].strip("<>")
    words = {"int": "N", "float": "X", "str": "TEXT", "path": "PATH"}
    inner = re.sub(r"list\[(.*)\]|(\w+) range", r"\1\2", kind)
    return words.get(inner, inner.upper())


def span(note: str) -> str:
    """What click notes beside a default, in words."""
    if found := re.fullmatch(r"([\d.]+)<=x<=([\d.]+)", note):
        return f"From {found[1]} to {found[2]}."
    if found := re.fullmatch(r"x>=([\d.]+)", note):
        return f"{found[1]} or more."
    return f"{note.capitalize()}."


def escaped(text: str) -> str:
    """As Markdown reads it; back quotes keep their meaning."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*_<>|\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)
