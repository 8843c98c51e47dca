"""What a recommendation looks like in a terminal. Meaning never rests on colour alone."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from advisor import wording
from advisor.recommendation import Candidate, Recommendation
from advisor.wording import Line
from knowledge.schema import STAGES


def show(found: Recommendation, *, full: bool = False) -> RenderableType:
    """The funnel, then the shortlist with its evidence."""
    if found.refusal:
        first, *others = map(sentence, wording.refused(found.refusal))
        first.stylize("bold")
        return Group(first, *others)
    parts: list[RenderableType] = [funnel(found)]
    if not found.candidates:
        first, *others = map(Text, wording.nothing_left(found))
        first.stylize("bold")
        return Group(*parts, Text(), first, *others)
    parts += [Text(), Rule("Shortlist", style="bold"), summary(found)]
    for each, lines in wording.candidates(found, full=full):
        parts += candidate(each, lines)
    return Group(*parts, Text(), *map(Text, wording.closing(found)))


def funnel(found: Recommendation) -> RenderableType:
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    table.add_row(Text(str(found.space_size), style="bold"), "combinations on paper")
    for stage, steps in groupby(found.funnel, lambda step: step.stage):
        table.add_row("", Text(STAGES[stage], style="bold"))
        for step in steps:
            table.add_row(str(step.after), sentence(wording.cut_line(step, found.names)))
    beside = found.funnel[-1].beside_after if found.funnel else 0
    if beside:
        says = wording.own_systems(beside).partition(" ")[2]
        table.add_row(Text(f"+ {beside}", style="bold"), says)
    return table


def summary(found: Recommendation) -> RenderableType:
    needs = [support.need for support in found.candidates[0].support]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for need in needs:
        table.add_column(need, justify="center", no_wrap=True)
    for name in ("cost", "stays"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found.arms:
        title = Text(each.name, style="bold")
        title.append(f"  {wording.place(each)}", style="not bold dim")
        votes = wording.votes(each, needs)
        cost = f"{each.cost.time:g}×"
        table.add_row(wording.tied(each, found), title, *votes, cost, wording.stays(each))
    return Group(table, Text(wording.LEGEND, style="dim"))


def candidate(each: Candidate, lines: Iterable[Line]) -> Iterator[RenderableType]:
    title = Text(f"\n{each.name}", style="bold")
    title.append(f"  {wording.about(each)}", style="dim")
    if each.role != "control":
        title.append(f"; {each.standing}")
    yield title
    rows = Table(box=None, padding=(0, 1), show_header=False)
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(ratio=1)
    for line in lines:
        rows.add_row(line.label, sentence(line))
    yield Padding(rows, (0, 0, 0, 2))


def sentence(line: Line) -> Text:
    text = Text(line.says)
    if line.cite:
        text.append(f" [{line.cite}]", style="dim")
    for note in line.notes:
        text.append(f"\n{note}", style="dim italic")
    return text
