"""What an answer looks like, before it is a terminal's or a Markdown page's: titles and blocks."""

from typing import NamedTuple


class Link(NamedTuple):
    """A word that stands for an entry; where there is no page for it, only the word."""

    text: str
    address: str  # kind:id, or the id of a GAN


Inline = tuple[str | Link, ...]


class Item(NamedTuple):
    """A sentence, with what stands behind it."""

    text: str
    label: str = ""  # before it
    cite: Inline = ()  # after it, in brackets
    notes: tuple[str, ...] = ()  # below it


class Fields(NamedTuple):
    """A word to the left, its meaning to the right."""

    rows: tuple[tuple[str, Inline], ...]


class Items(NamedTuple):
    items: tuple[Item, ...]


Cell = str | Link | tuple[Item, ...]


class Grid(NamedTuple):
    """A table. Where it is too wide for the screen, each row becomes a block of its own."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: bool = False  # cells hold sentences
    right: tuple[int, ...] = ()  # columns of numbers


class Note(NamedTuple):
    text: str


Block = Fields | Items | Grid | Note


class Section(NamedTuple):
    title: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    title: str
    about: str = ""
    sections: tuple[Section, ...] = ()


def plain(inline: Inline) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in inline)


def joined(parts: list[str | Link], by: str = ", ") -> Inline:
    """Words with commas between them."""
    out: list[str | Link] = []
    for part in parts:
        out += [by, part] if out else [part]
    return tuple(out)
