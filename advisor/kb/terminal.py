"""Pages for a terminal, 80 columns and up. Meaning never rests on colour alone."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from advisor.kb.page import Block, Cell, Fields, Grid, Item, Items, Link, Note, Page, plain

ROOMY = 28  # columns that a cell needs before sentences fit into it
LABEL = 24


def render(page: Page, width: int) -> RenderableType:
    parts: list[RenderableType] = [Text(page.title, style="bold")]
    if page.about:
        parts.append(Text(page.about, style="dim"))
    for section in page.sections:
        if section.title:
            parts += [Text(), Rule(section.title, style="bold", align="left")]
        parts += [shown for block in section.blocks for shown in rendered(block, width)]
    return Group(*parts)


def rendered(block: Block, width: int) -> Iterator[RenderableType]:
    if isinstance(block, Note):
        yield Text(block.text)
    elif isinstance(block, Fields):
        yield fields(block)
    elif isinstance(block, Items):
        yield from map(bulleted, map(item, block.items))
    elif block.wide and width < ROOMY * len(block.columns):
        yield from stacked(block)
    else:
        yield grid(block)


def fields(block: Fields) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(style="dim", max_width=LABEL)
    table.add_column(ratio=1)
    for label, value in block.rows:
        table.add_row(Text(label), Text(plain(value)))
    return table


def item(each: Item) -> Text:
    text = Text()
    if each.label:
        text.append(f"{each.label}: ", style="bold")
    text.append(each.text)
    if each.cite:
        text.append(f" [{plain(each.cite)}]", style="dim")
    for note in each.notes:
        text.append(f"\n{note}", style="italic dim")
    return text


def bulleted(text: Text) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_row("•", text)
    return table


def grid(block: Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=block.wide)
    for place, column in enumerate(block.columns):
        right = place in block.right
        table.add_column(
            column,
            justify="right" if right else "left",
            ratio=2 if block.wide and place else None,
            max_width=LABEL if block.wide and not place else None,
            overflow="fold",
            no_wrap=right,
        )
    for row in block.rows:
        table.add_row(*map(cell, row))
        if block.wide:
            table.add_section()
    return table


def cell(content: Cell) -> RenderableType:
    if isinstance(content, tuple) and not isinstance(content, Link):
        return Group(*map(bulleted, map(item, content))) if len(content) > 1 else alone(content)
    return alone(content)


def alone(content: Cell) -> Text:
    """A cell of one line."""
    if isinstance(content, str):
        return Text(content)
    if isinstance(content, Link):
        return Text(content.text)
    return item(content[0]) if content else Text()


def stacked(block: Grid) -> Iterator[RenderableType]:
    """A wide table on a narrow screen, row by row."""
    for first, *rest in block.rows:
        yield Text()
        yield Text.assemble(alone(first), style="bold")
        for column, content in zip(block.columns[1:], rest, strict=True):
            if isinstance(content, str | Link) or len(content) == 1:
                said = alone(content)
                if said:
                    label = Text(f"{column}: ", style="dim")
                    yield Padding(Text.assemble(label, said), (0, 0, 0, 2))
            elif content:
                yield Padding(Text(column, style="dim"), (0, 0, 0, 2))
                yield Padding(cell(content), (0, 0, 0, 2))
