"""A recommendation as a Markdown page, for pasting into a report or an issue."""

from collections.abc import Iterator

from advisor import wording
from advisor.kb.markdown import render
from advisor.kb.page import Block, Cell, Grid, Item, Items, Note, Page, Section
from advisor.recommendation import Candidate, Recommendation
from advisor.wording import Line
from knowledge.schema import STAGES


def markdown(found: Recommendation, *, full: bool = False) -> str:
    return render(Page("Which GAN?", "", tuple(sections(found, full=full))))


def sections(found: Recommendation, *, full: bool) -> Iterator[Section]:
    if found.answers:
        answers = (Item(wording.said_answer(v), label=k) for k, v in found.answers.items())
        yield Section("Answers", (Items(tuple(answers)),))
    if found.refusal:
        yield Section("Advice", (Items(tuple(map(item, wording.refused(found.refusal)))),))
        return
    yield Section("Funnel", (funnel(found),))
    if not found.candidates:
        yield Section("Advice", tuple(map(Note, wording.nothing_left(found))))
        return
    yield Section("Shortlist", tuple(shortlist(found)))
    for each, lines in wording.candidates(found, full=full):
        standing = () if each.role == "control" else (each.standing,)
        about = Note("; ".join((wording.about(each), *standing, wording.place(each))))
        yield Section(each.name, (about, Items(tuple(map(item, lines)))))
    yield Section("In short", tuple(map(Note, wording.closing(found))))


def funnel(found: Recommendation) -> Grid:
    rows: list[tuple[Cell, ...]] = [(str(found.space_size), "", "combinations on paper")]
    for step in found.funnel:
        line = wording.cut_line(step, found.names)
        rows.append((line.label, STAGES[step.stage], (item(line._replace(label="")),)))
    if found.funnel and (beside := found.funnel[-1].beside_after):
        rows.append((f"+ {beside}", "", wording.own_systems(beside).partition(" ")[2]))
    return Grid(("left", "step", "rule"), tuple(rows), wide=True, right=(0,))


def shortlist(found: Recommendation) -> Iterator[Block]:
    needs = [support.need for support in found.candidates[0].support]
    columns = ("", "GAN", *needs, "cost", "stays")
    yield Grid(columns, tuple(row(each, found, needs) for each in found.arms))
    yield Note(wording.LEGEND)


def row(each: Candidate, found: Recommendation, needs: list[str]) -> tuple[Cell, ...]:
    name = f"{each.name} ({wording.place(each)})"
    cost = f"{each.cost.time:g}×"
    rank = wording.tied(each, found)
    return (rank, name, *wording.votes(each, needs), cost, wording.stays(each))


def item(line: Line) -> Item:
    return Item(line.says, line.label, (line.cite,) if line.cite else (), line.notes)
