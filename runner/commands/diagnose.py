"""gan-runner diagnose: why a trial went wrong, what cures it, and what to try next.

The one place of the runner that asks the advisor: the next advice is the same function of the same
answers, with the troubles among them (docs/decisions/0012).
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.commands.common import BAD_INPUT, fail
from runner.commands.take import said

if TYPE_CHECKING:
    from advisor.recommendation import Recommendation
    from runner.troubles import Diagnosis, Next, Prescription

NO_CANDIDATE = 3
TOP = 6


def diagnose(
    where: Annotated[
        Path,
        typer.Argument(metavar="RUN|TRIAL", help="A run, or one of the folders in its trials/."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="What to try next; by default next-recommendation.json in the run."
        ),
    ] = None,
    knowledge: Annotated[
        list[Path] | None,
        typer.Option("--knowledge", help="Folder to lay over the knowledge base (repeatable)."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Every figure, also of troubles that were not found.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Tell which troubles trials had, with the figures, and advise anew on what cures them.

    Mode collapse, vanishing gradient, unstable training, non-convergence, imbalance, memorisation
    and checkerboards: found, not found, or cannot be told. The next recommendation is what the
    advisor says to the answers of the run and these troubles; gan-runner run takes it as it is.
    """
    with said(where):
        from runner.diagnosis import choices, locate
        from runner.diagnosis import diagnose as look_at

        place = locate(where)
        found = look_at(place, lambda trial: print(f"looking at {trial}", file=sys.stderr))
        asks = choices(found)
        advised, path = None, None
        if asks and place.run:
            prescribed, advised = advise(place.run, found, knowledge or [])
            path = out or place.run / "next-recommendation.json"
            found = found.model_copy(
                update={"prescription": prescribed, "next": following(advised, path)}
            )
        if place.run:
            keep(found, place.run, whole=place.run == where, advised=advised, path=path)
    if json:
        print(found.model_dump_json(indent=1))
    else:
        show(found, advised, full=full)
    if found.note:
        print(f"\ncaution: {found.note}", file=sys.stderr)
    if asks and not place.run:
        says = "its run is not here, so that nobody knows the answers to advise on"
        print(f"\nno advice: {says}", file=sys.stderr)
    if advised is None:
        return
    if not advised.candidates:
        says = "no candidate is reported to cure all of it; ask gan-advisor for less at a time"
        raise fail(says, NO_CANDIDATE)
    print(f"\nnext: gan-runner run {path} --data YOUR-IMAGES", file=sys.stderr)


def following(advised: "Recommendation", path: Path) -> "Next | None":
    from runner.troubles import Next

    if not advised.candidates:
        return None
    ids, names = zip(*((each.id, each.name) for each in advised.candidates), strict=True)
    return Next(file=str(path), candidates=ids, names=names)


def keep(
    found: "Diagnosis",
    run: Path,
    *,
    whole: bool,
    advised: "Recommendation | None",
    path: Path | None,
) -> None:
    """The next recommendation; and what was found of a whole run, which its report then shows."""
    from knowledge.files import write_whole
    from runner.report.files import DIAGNOSIS
    from runner.run import page_of

    if advised and advised.candidates and path:
        write_whole(path, advised.model_dump_json(indent=2))
    if whole:
        write_whole(run / DIAGNOSIS, found.model_dump_json(indent=1))
        write_whole(run / "report.html", page_of(run))


def advise(
    run: Path, found: "Diagnosis", overlays: list[Path]
) -> "tuple[Prescription, Recommendation]":
    """Raises typer.Exit, having said why."""
    from advisor import InvalidData, open_library, recommend
    from advisor.recommendation import Recommendation
    from runner.diagnosis import asked, choices, prescription, without_sick
    from runner.settle import stored

    before = stored(Recommendation, run / "recommendation.json")
    try:
        profile = asked(before.answers, choices(found))
        advised = recommend(profile, library=open_library(*overlays), top=TOP + len(found.troubled))
    except InvalidData as error:
        raise fail(f"{run / 'recommendation.json'}: {error}", BAD_INPUT) from None
    if lacking := {*before.overlays} - {*advised.overlays}:
        names = ", ".join(sorted(each.name for each in lacking))
        says = "the run was advised on with other knowledge; lay it over with --knowledge"
        print(f"caution: {says}: {names}", file=sys.stderr)
    kept = without_sick(advised, before, found, TOP)
    return prescription(found, before, advised, kept), kept


def show(found: "Diagnosis", advised: "Recommendation | None", *, full: bool) -> None:
    import os

    from rich.console import Console

    from runner.diagnosis.view import prescribed, shown

    console = Console(highlight=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    console.print(shown(found, full=full))
    if found.prescription and advised:
        console.print(prescribed(found.prescription, advised.candidates))
