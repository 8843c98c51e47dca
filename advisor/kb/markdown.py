"""Pages as Markdown, for the generated catalogue and for pasting."""

import re
from collections.abc import Callable, Iterator

from advisor.kb.page import Block, Cell, Fields, Inline, Item, Items, Link, Note, Page

Address = Callable[[str], str | None]  # of an entry -> where its page is


def nowhere(address: str) -> str | None:
    return None


def render(page: Page, href: Address = nowhere) -> str:
    lines = [f"# {escape(page.title)}", ""]
    if page.about:
        lines += [escape(page.about), ""]
    for section in page.sections:
        if section.title:
            lines += [f"## {escape(section.title)}", ""]
        for block in section.blocks:
            lines += [*rendered(block, href), ""]
    return "\n".join(lines).rstrip() + "\n"


def rendered(block: Block, href: Address) -> Iterator[str]:
    if isinstance(block, Note):
        yield escape(block.text)
    elif isinstance(block, Items):
        for each in block.items:
            yield f"- {item(each, href)}"
    elif isinstance(block, Fields):
        yield "| | |"
        yield "|---|---|"
        for label, value in block.rows:
            yield f"| {in_cell(escape(label))} | {in_cell(inline(value, href))} |"
    else:
        yield "| " + " | ".join(in_cell(escape(column)) or " " for column in block.columns) + " |"
        marks = ("---:" if n in block.right else "---" for n, _ in enumerate(block.columns))
        yield "|" + "|".join(marks) + "|"
        for row in block.rows:
            yield "| " + " | ".join(in_cell(cell(content, href)) for content in row) + " |"


def item(each: Item, href: Address) -> str:
    label = f"**{escape(each.label)}:** " if each.label else ""
    cite = f" <sub>[{inline(each.cite, href)}]</sub>" if each.cite else ""
    notes = "".join(f"<br>*{escape(note)}*" for note in each.notes)
    return f"{label}{escape(each.text)}{cite}{notes}"


def cell(content: Cell, href: Address) -> str:
    if isinstance(content, str | Link):
        return inline((content,), href)
    bullet = "• " if len(content) > 1 else ""
    return "<br>".join(f"{bullet}{item(each, href)}" for each in content)


def inline(parts: Inline, href: Address) -> str:
    return "".join(linked(part, href) for part in parts)


def linked(part: str | Link, href: Address) -> str:
    if isinstance(part, str):
        return escape(part)
    where = href(part.address)
    return f"[{escape(part.text)}]({where})" if where else escape(part.text)


def escape(text: str) -> str:
    """Text that Markdown shows as it is, HTML and formulas included."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", escaped)


def in_cell(text: str) -> str:
    return text.replace("\n", "<br>")
