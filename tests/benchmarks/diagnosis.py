"""Is it told what was provoked? python -m tests.benchmarks.diagnosis FOLDER [--write] [--run RUN]

Trains the cases of tests/benchmarks/sick.py that FOLDER does not hold yet (an hour on one core for
all of them), diagnoses each from its logs and samples, and counts what was found against what was
provoked; --write puts the figures into docs/diagnosis.md. What was measured of a case is kept as
evidence.json beside it, so that verdicts can be changed and looked at again in seconds. --run adds
the finished trials of a run as further healthy ones; --no-training leaves out what is not trained.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.diagnosis import findings
from runner.diagnosis.evidence import Evidence, Surroundings, evidence, surroundings
from runner.execute import folder_of
from runner.kept import whole
from runner.plan import RunPlan
from runner.settle import stored
from runner.troubles import TROUBLES, Finding
from tests.benchmarks.page import fill
from tests.benchmarks.sick import Case, Plans, in_order, place, planned, plans, trained

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"
TITLES = {"images": "Fashion-MNIST, 16 px", "points": "A ring of eight Gaussians"}
RUN = "A run"


class Row(NamedTuple):
    kind: str
    name: str
    case: Case
    findings: tuple[Finding, ...]

    @property
    def found(self) -> tuple[str, ...]:
        return tuple(each.trouble for each in self.findings if each.answer == "found")


def main(folder: Path, *arguments: str) -> None:
    rows = list(rows_of(folder, train="--no-training" not in arguments))
    if "--run" in arguments:
        rows += rows_of_run(Path(arguments[arguments.index("--run") + 1]), folder / "run")
    report = "\n".join(figures(rows)) + "\n"
    print(report)
    if "--write" in arguments:
        fill(PAGE, report)


def rows_of(folder: Path, *, train: bool = True) -> Iterator[Row]:
    """Of all cases, or of those alone that the folder holds."""
    plan = plans()
    known: dict[str, Surroundings | str] = {}
    for kind in TITLES:
        for name, case in in_order(kind):
            where = place(folder, kind, name)
            if train or list(where.glob("trials/*/result.json")):
                kept = None if train else whole(Evidence, where / "evidence.json")
                seen = kept or measured(where, kind, case, plan, known)
                yield Row(kind, name, case, findings(seen))


def rows_of_run(run: Path, folder: Path) -> Iterator[Row]:
    around: Surroundings | str | None = None
    folder.mkdir(exist_ok=True)
    for result in sorted(run.glob("trials/*/result.json")):
        kept = folder / f"{result.parent.name}.json"
        known = whole(Evidence, kept)
        if known is None:
            around = around or surroundings(stored(RunPlan, run / "plan.json"), run)
            known = evidence(result.parent, around)
            kept.write_text(known.model_dump_json(indent=1), encoding="utf-8")
        if known.status == "finished":
            name = f"{known.trial.name}, {known.trial.which}"
            yield Row(RUN, name, Case({}), findings(known))


def measured(
    where: Path, kind: str, case: Case, plan: Plans, known: dict[str, Surroundings | str]
) -> Evidence:
    own = plan(kind, case)
    result = trained(case, kind, own, where)
    kept = whole(Evidence, where / "evidence.json")
    if kept is not None and kept.trial == result.trial:
        return kept
    if own.data.fingerprint not in known:
        known[own.data.fingerprint] = surroundings(own)
    trial = planned(case, kind, own).trials[0]
    made = evidence(folder_of(where, trial), known[own.data.fingerprint])
    (where / "evidence.json").write_text(made.model_dump_json(indent=1), encoding="utf-8")
    return made


def figures(rows: Sequence[Row]) -> Iterator[str]:
    healthy = [row for row in rows if row.case.provokes is None]
    sick = [row for row in rows if row.case.provokes is not None]
    told = [row for row in sick if row.case.provokes in row.found]
    clean = [row for row in healthy if not row.found]
    untold = [each for row in healthy for each in row.findings if each.answer == "cannot be told"]
    yield (
        f"Of {len(sick)} trials that were made sick the trouble that was meant was found in "
        f"{len(told)}. Of {len(healthy)} healthy ones {len(clean)} had none found; "
        f"{len(untold)} of their {len(healthy) * len(TROUBLES)} verdicts could not be told."
    )
    yield "\n| provoked | trials | " + " | ".join(short(t) for t in TROUBLES) + " | none |"
    yield "|---|---:|" + "---:|" * (len(TROUBLES) + 1)
    for wanted in (*TROUBLES, None):
        those = [row for row in rows if row.case.provokes == wanted]
        if those:
            counts = [str(sum(t in row.found for row in those) or "") for t in TROUBLES]
            counts = [
                f"**{count or 0}**" if t == wanted else count
                for t, count in zip(TROUBLES, counts, strict=True)
            ]
            none = str(sum(not row.found for row in those) or "")
            name = short(wanted) if wanted else "*nothing: healthy*"
            yield f"| {name} | {len(those)} | " + " | ".join((*counts, none)) + " |"
    for kind, title in TITLES.items():
        of_kind = [row for row in rows if row.kind == kind]
        if of_kind:
            yield f"\n**{title}**\n"
            yield "| trial | provoked | found | because |"
            yield "|---|---|---|---|"
        for row in of_kind:
            because = "; ".join(each.says for each in row.findings if each.answer == "found")
            meant = short(row.case.provokes) if row.case.provokes else "nothing"
            found = ", ".join(short(each) for each in row.found) or "nothing"
            yield f"| {row.name} | {meant} | {found} | {because} |"


def short(trouble: str | None) -> str:
    return (trouble or "nothing").replace("-", " ").replace("non convergence", "non-convergence")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
