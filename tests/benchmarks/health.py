"""Are healthy trials left alone, and sick ones found? python -m tests.benchmarks.health FOLDER [--write]

The cases are those of tests/benchmarks/sick.py, which the diagnosis is measured on as well: FOLDER
holds what has been trained of them, and what it lacks is trained (an hour on one core for all).
--write puts the figures into docs/what-can-go-wrong.md.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.kept import whole
from runner.plan import RunPlan
from runner.results import TrialResult
from tests.benchmarks.page import fill
from tests.benchmarks.sick import (
    BATCH,
    CASES,
    ROUNDS,
    Case,
    in_order,
    place,
    plan_of,
    plans,
    trained,
)

__all__ = ["CASES", "found_in", "plan_of", "watched"]

PAGE = Path(__file__).parents[2] / "docs" / "what-can-go-wrong.md"
TITLES = {"images": "Fashion-MNIST, 16 px", "points": "A ring of eight Gaussians"}


def watched(case: Case, kind: str, plan: RunPlan) -> TrialResult:
    """Trains to the end, whatever is found."""
    with tempfile.TemporaryDirectory() as folder:
        return trained(case, kind, plan, Path(folder))


GIVEN_UP = re.compile(r"it would have been given up as (\S+) after ([\d,]+) images")


def found_in(result: TrialResult) -> tuple[str | None, float]:
    """What it would have been given up as, or what became of it; after which share of its budget."""
    for remark in result.remarks:
        if told := GIVEN_UP.match(remark):
            return told[1], int(told[2].replace(",", "")) / result.trial.budget
    status = None if result.status == "finished" else result.status
    return status, result.images_seen / result.trial.budget


class Row(NamedTuple):
    kind: str
    name: str
    sick: bool
    found: str | None
    at: float  # share of the budget
    best: float
    last: float
    coverage: float | None
    spread: float


def row_of(kind: str, name: str, case: Case, result: TrialResult) -> Row:
    found, share = found_in(result)
    values = [look.value for look in result.looks] or [float("nan")]
    last = result.looks[-1] if result.looks else None
    return Row(
        kind=kind,
        name=name,
        sick=bool(case.sick),
        found=found,
        at=share,
        best=min(values),
        last=values[-1],
        coverage=last.coverage if last else None,
        spread=(last.spread if last else None) or 0.0,
    )


def main(folder: Path, *arguments: str) -> None:
    rows = list(rows_of(folder, train="--no-training" not in arguments))
    report = "\n".join(figures(rows)) + "\n"
    print(report)
    if "--write" in arguments:
        fill(PAGE, report)


def rows_of(folder: Path, *, train: bool = True) -> Iterator[Row]:
    """Of all cases, or of those alone that the folder holds; the diagnosis has some of its own."""
    plan = plans()
    for kind in TITLES:
        for name, case in in_order(kind):
            where = place(folder, kind, name)
            there = train or list(where.glob("trials/*/result.json"))
            if case.sick is None or case.rounds != ROUNDS or not there:
                continue
            left = next(where.glob("trials/*/result.json"), None) if not train else None
            kept = whole(TrialResult, left) if left else None
            result = kept or trained(case, kind, plan(kind, case), where)
            yield row_of(kind, name, case, result)


def figures(rows: Sequence[Row]) -> Iterator[str]:
    healthy, sick = [row for row in rows if not row.sick], [row for row in rows if row.sick]
    wrong, missed = [row for row in healthy if row.found], [row for row in sick if not row.found]
    yield f"Of {len(sick)} sick trials {len(sick) - len(missed)} were found."
    if healthy:
        yield f"Of {len(healthy)} healthy ones {len(wrong) or 'none'} would have been given up."
    for kind, title in TITLES.items():
        those = [row for row in rows if row.kind == kind]
        if not those:
            continue
        yield f"\n**{title}**, {ROUNDS:,} generator steps with batches of {BATCH}.\n"
        yield "| trial | found | after | best look | last look | coverage | spread |"
        yield "|---|---|---:|---:|---:|---:|---:|"
        for row in sorted(those, key=lambda row: row.sick):
            name = f"*{row.name}*" if row.sick else row.name
            after = f"{row.at:.0%}".replace("%", " %") if row.found else ""
            covered = "" if row.coverage is None else f"{row.coverage:.3f}"
            yield (
                f"| {name} | {row.found or 'nothing'} | {after} | {row.best:.4g} "
                f"| {row.last:.4g} | {covered} | {row.spread:.2f} |"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
