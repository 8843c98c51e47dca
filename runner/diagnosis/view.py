"""What a diagnosis looks like in a terminal. Meaning never rests on colour alone."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.recommendation import Candidate
from runner.troubles import (
    TROUBLES,
    Diagnosed,
    Diagnosis,
    Figure,
    Finding,
    Prescription,
)
from runner.wording import listed, tiny

HEADS = {
    "mode-collapse": "mode\ncollapse",
    "vanishing-gradient": "vanishing\ngradient",
    "unstable-training": "unstable\ntraining",
    "non-convergence": "non-con-\nvergence",
    "imbalance": "imbalance",
    "memorisation": "memo-\nrisation",
    "checkerboard": "checker-\nboard",
}
MARKS = {"not found": "–", "cannot be told": "?"}


def shown(diagnosis: Diagnosis, *, full: bool) -> RenderableType:
    """Which trouble each trial had, and why it is said."""
    rows = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    rows.add_column("trial", overflow="fold", min_width=12, vertical="bottom")
    for trouble in TROUBLES:
        rows.add_column(HEADS[trouble], justify="center", no_wrap=True)
    for each in diagnosis.trials:
        rows.add_row(
            each.trial,
            *(
                Text("yes", style="bold")
                if found in each.counts
                else Text("maybe" if found.answer == "found" else MARKS[found.answer])
                for found in each.findings
            ),
        )
    return Group(rows, *(part for each in diagnosis.trials for part in reasons(each, full=full)))


def reasons(each: Diagnosed, *, full: bool) -> Iterator[RenderableType]:
    yield Text(f"\n{each.trial} ({each.status})", style="bold")
    if each.caution and not each.counts and not full:
        kinds = listed([found.trouble for found in each.found])
        yield indented(f"{kinds}, though {each.caution}")
        return
    told = [found for found in each.findings if full or found.answer != "not found"]
    if not told:
        yield Text("  none of these troubles")
    for found in told:
        yield indented(f"{found.trouble}: {sentence(found)}")
        if found.answer != "cannot be told" and (full or found.answer == "found"):
            for figure in found.figures:
                yield indented(line(figure), 4, "dim")
    if each.caution:
        yield indented(f"caution: {each.caution}")


def indented(says: str, by: int = 2, style: str = "") -> Padding:
    """A paragraph, all of its lines."""
    return Padding(Text(says, style), (0, 0, 0, by))


def sentence(found: Finding) -> str:
    return found.says if found.answer == "found" else f"{found.answer}: {found.says}"


def line(figure: Figure) -> str:
    number = tiny(figure.value)
    if figure.limit is None:
        return f"{figure.says}: {number}"
    return f"{figure.says}: {number} (speaks for it {figure.beyond} {figure.limit:g})"


def prescribed(what: Prescription, candidates: Sequence[Candidate]) -> RenderableType:
    """What is reported to cure it, and what to try next."""
    return Group(*cures(what), *following(what, candidates))


def cures(what: Prescription) -> Iterator[RenderableType]:
    if not what.cures:
        yield Text("\nthe base knows of nothing that is reported to cure it")
    for title, sayings in what.by_kind.items():
        yield Text(f"\nWhat is reported to help: {title}", style="bold")
        for saying in sayings:
            yield indented(f"{listed(saying.on)}: {saying.says}")


def following(what: Prescription, candidates: Sequence[Candidate]) -> Iterator[RenderableType]:
    yield Text("\nNext to try", style="bold")
    for each in candidates:
        parts = (each.combination.get(slot) for slot in ("architecture", "regularization"))
        yield indented(f"{each.name}  {', '.join(part for part in parts if part)}")
    if not candidates:
        yield indented("no candidate is left")
    if what.left_out:
        yield indented(f"left out, since these very recipes had it here: {listed(what.left_out)}")
    if what.healthy:
        yield indented(f"had none of these troubles here: {listed(what.healthy)}")
