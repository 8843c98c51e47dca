"""gan-runner learn: what a run measured becomes evidence for the next advice."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runner.commands.common import BAD_INPUT, FAILED, fail


def learn(
    run: Annotated[Path, typer.Argument(help="The folder of a run that has ended.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="The overlay: made, or extended by this run.")
    ] = Path("my-evidence"),
) -> None:
    """Write what a run measured as an overlay of the knowledge base.

    `gan-advisor --knowledge` weighs it like any neutral study; `gan-advisor kb diff` shows what it
    changes in the advice.
    """
    from runner.learn import learn as learnt_from
    from runner.prepare import RunError

    try:
        lesson = learnt_from(run, out)
    except RunError as error:
        raise fail(str(error), BAD_INPUT) from None
    except OSError as error:
        raise fail(f"{error.filename or out}: {error.strerror or error}", FAILED) from None
    print(out)
    print(f"learnt on {lesson.dataset}: {', '.join(lesson.learnt)}", file=sys.stderr)
    if lesson.no_claim:
        says = f"no claim, and no number that advice rests on: {lesson.no_claim}"
        print(says, file=sys.stderr)
    else:
        print(f"pairs that the seeds tell apart: {lesson.claims}", file=sys.stderr)
    for each in lesson.left_out:
        print(f"left out: {each}", file=sys.stderr)
    says = f"gan-advisor recommend --knowledge {out} --dataset {lesson.dataset}"
    print(f"next: {says}; what changed: gan-advisor kb diff {out}", file=sys.stderr)
