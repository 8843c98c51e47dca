"""What a recommendation looks like in a terminal. Meaning never rests on colour alone."""

from collections.abc import Iterator
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from advisor.recommendation import (
    Answer,
    Candidate,
    Citation,
    Recommendation,
    Step,
    Support,
    Testimony,
)
from knowledge.schema import SLOTS, STAGES

WITNESSES = 2  # shown for each need and side, unless everything is asked for


def show(found: Recommendation, *, full: bool = False) -> RenderableType:
    """The funnel, then the shortlist with its evidence."""
    if found.refusal:
        return refusal(found)
    parts: list[RenderableType] = [funnel(found)]
    if not found.candidates:
        parts.append(nothing_left(found))
        return Group(*parts)
    parts += [Text(), Rule("Shortlist", style="bold"), summary(found)]
    parts += [block for each in found.candidates for block in candidate(each, full=full)]
    if found.control:
        parts += [*candidate(found.control, full=full)]
    parts += [Text(), *closing(found)]
    return Group(*parts)


def funnel(found: Recommendation) -> RenderableType:
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    table.add_row(Text(str(found.space_size), style="bold"), "combinations on paper")
    for stage, steps in groupby(found.funnel, lambda step: step.stage):
        table.add_row("", Text(STAGES[stage], style="bold"))
        for step in steps:
            table.add_row(str(step.after), cut(step))
    beside = found.funnel[-1].beside_after if found.funnel else 0
    if beside:
        says = f"{'composite' if beside == 1 else 'composites'} beside the product"
        table.add_row(Text(f"+ {beside}", style="bold"), says)
    return table


def cut(step: Step) -> Text:
    text = Text(step.says)
    text.append(f" ({step.layer})", style="dim")
    if step.dropped:
        text.append(f"; drops {', '.join(step.dropped)}")
    if cited := sources_of(step):
        text.append(f" [{cited}]", style="dim")
    for citation in step.counter[:1]:
        text.append(f"\nbut: {citation.says} [{brief(citation)}]", style="dim italic")
    return text


def sources_of(step: Step) -> str:
    """Each source once, with the places in it."""
    places: dict[str, dict[str, None]] = {name: {} for name in step.sources}
    for citation in step.citations:
        places.setdefault(citation.short, {})[passage(citation)] = None
    return "; ".join(", ".join((name, *where)) for name, where in places.items())


def passage(citation: Citation) -> str:
    """Where in the source, without the sentence: "Table 3"."""
    return citation.locator.split(", row")[0].split(", statement")[0]


def brief(citation: Citation) -> str:
    return f"{citation.short}, {passage(citation)}"


def summary(found: Recommendation) -> RenderableType:
    needs = [support.need for support in found.candidates[0].support]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for need in needs:
        table.add_column(need, justify="center", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    for each in [*found.candidates, *([found.control] if found.control else [])]:
        control = each.role == "control"
        votes = [
            "" if s is None or control else f"{s.for_}:{s.against}" for s in supports(each, needs)
        ]
        name = Text(each.name, style="bold").append(f"  {place(each)}", style="not bold dim")
        rank = "control" if control else tied(each, found)
        table.add_row(rank, name, *votes, f"{each.relative_cost:g}×")
    note = Text("for:against, one vote for each lineage of sources; ", style="dim")
    note.append("cost: time for one image, a plain DCGAN is 1×; = marks ties", style="dim")
    return Group(table, note)


def supports(each: Candidate, needs: list[str]) -> Iterator[Support | None]:
    by_need = {support.need: support for support in each.support}
    return (by_need.get(need) for need in needs)


def tied(each: Candidate, found: Recommendation) -> str:
    same = sum(other.rank == each.rank for other in found.candidates)
    return f"{each.rank}=" if same > 1 else str(each.rank)


def place(each: Candidate) -> str:
    named = (each.combination[slot] for slot in SLOTS if slot != "loss")
    return ", ".join(name for name in named if name not in ("none", "native"))


def candidate(each: Candidate, *, full: bool) -> Iterator[RenderableType]:
    title = Text(f"\n{each.name}", style="bold")
    title.append(f"  {each.id}, {each.year}; ", style="dim")
    title.append("the control arm" if each.role == "control" else each.standing)
    yield title
    rows = Table(box=None, padding=(0, 1), show_header=False)
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(ratio=1)
    if each.because:
        rows.add_row("because", each.because)
    quoted: set[str] = set()  # what others found out about a claim is said once
    for side, vote in (("for", 1), ("against", -1)):
        for witness in witnesses(each, vote, full=full):
            rows.add_row(side, said(witness, quoted))
    if each.role == "candidate" and not any(w.vote < 0 for w in each.testimony):
        rows.add_row("against", Text("no claim in scope speaks against it", style="dim"))
    for remark in each.remarks:
        rows.add_row(
            "must" if remark.layer == "hard" else "heed", f"{remark.says}. {remark.because}"
        )
        for citation in remark.counter[:1]:
            rows.add_row("", Text(f"but: {citation.says} [{brief(citation)}]", style="dim italic"))
    for setting in each.settings:
        rows.add_row("settings", f"{setting.what} [{setting.short}, {setting.locator}]")
    for fails in each.fails:
        rows.add_row("fails", fails)
    yield Padding(rows, (0, 0, 0, 2))


def witnesses(each: Candidate, vote: int, *, full: bool) -> list[Testimony]:
    """For each need the claims measured on this data set first; a claim is quoted once."""
    chosen: dict[str, Testimony] = {}
    for need in dict.fromkeys(witness.need for witness in each.testimony):
        own = [w for w in each.testimony if w.need == need and w.vote == vote]
        own.sort(key=lambda witness: not witness.direct)
        for witness in own if full else own[:WITNESSES]:
            chosen.setdefault(witness.citation.claim, witness)
    return list(chosen.values())


def said(witness: Testimony, quoted: set[str]) -> Text:
    citation = witness.citation
    text = Text(f"{witness.need}: {citation.says}")
    text.append(f" [{citation.short}, {passage(citation)}; {citation.claim}]", style="dim")
    for check in citation.checks:
        if check not in quoted:
            text.append(f"\n{check}", style="dim italic")
            quoted.add(check)
    return text


def nothing_left(found: Recommendation) -> RenderableType:
    lines = [Text("\nNo combination survives these answers.", style="bold")]
    for each in found.relaxations:
        answers = (f"{name} = {said_answer(value)}" for name, value in each.leaves_open.items())
        back = ", ".join(each.brings_back)
        lines.append(Text(f"Without {' and '.join(answers)}: {back}"))
    task = found.answers.get("task")
    if task and found.serving:
        says = f"Systems that sources report for {task}: {', '.join(found.serving)}."
        lines.append(Text(f"{says} Their combinations are not in this base yet."))
    return Group(*lines)


def said_answer(value: Answer) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def refusal(found: Recommendation) -> RenderableType:
    assert found.refusal
    lines = [Text("This is not a GAN problem.", style="bold"), Text(found.refusal.because)]
    lines += [
        Text(f"{c.says} [{c.short}, {c.locator}]", style="dim") for c in found.refusal.citations
    ]
    if found.refusal.instead:
        lines.append(Text(f"Use {found.refusal.instead}."))
    return Group(*lines)


def closing(found: Recommendation) -> Iterator[RenderableType]:
    names = {each.id: each.name for each in found.candidates}
    if found.conservative and found.bold:
        says = f"Conservative pick: {names[found.conservative]} (most sources behind it). "
        yield Text(says + f"Bold pick: {names[found.bold]} (the newest).")
    if found.crowded_out:
        yield Text(f"Also possible, below the first six: {', '.join(found.crowded_out)}.")
    if found.unknown:
        yield Text(
            f"Knowing this would sharpen the advice: {', '.join(found.unknown)}.", style="dim"
        )
    says = "Published gaps are largely gaps of tuning and budget (Lucic et al. 2017): "
    yield Text(says + "train the shortlist before you believe the order.", style="dim")
