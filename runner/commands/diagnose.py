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
    from runner.diagnosis import Diagnosis, Prescription

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
        prescribed, advised, path = None, None, None
        if asks and place.run:
            prescribed, advised = advise(place.run, found, knowledge or [])
            path = out or place.run / "next-recommendation.json"
            if advised.candidates:
                from knowledge.files import write_whole

                write_whole(path, advised.model_dump_json(indent=2))
    if json:
        print(as_json(found, prescribed, advised, path))
    else:
        show(found, prescribed, advised, full=full)
    if asks and not place.run:
        says = "its run is not here, so that nobody knows the answers to advise on"
        print(f"\nno advice: {says}", file=sys.stderr)
    if advised is None:
        return
    if not advised.candidates:
        says = "no candidate is reported to cure all of it; ask gan-advisor for less at a time"
        raise fail(says, NO_CANDIDATE)
    print(f"\nnext: gan-runner run {path} --data YOUR-IMAGES", file=sys.stderr)


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


def as_json(
    found: "Diagnosis",
    prescribed: "Prescription | None",
    advised: "Recommendation | None",
    path: Path | None,
) -> str:
    import json

    content = found.model_dump(mode="json")
    content["prescription"] = prescribed.model_dump(mode="json") if prescribed else None
    content["next"] = {
        "file": str(path),
        "candidates": [each.id for each in advised.candidates],
    } if advised and advised.candidates else None  # fmt: skip
    return json.dumps(content, indent=1, ensure_ascii=False)


def show(
    found: "Diagnosis",
    prescribed: "Prescription | None",
    advised: "Recommendation | None",
    *,
    full: bool,
) -> None:
    import os

    from rich.console import Console

    from runner.diagnosis.view import prescribed as view
    from runner.diagnosis.view import shown

    console = Console(highlight=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 100
    console.print(shown(found, full=full))
    if prescribed and advised:
        console.print(view(prescribed, advised.candidates))
