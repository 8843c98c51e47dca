"""gan-advisor ask · questions: the questionnaire for a person, and its questions for a program."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advisor.opening import open_library

if TYPE_CHECKING:
    from advisor.questionnaire import Answers
    from knowledge.library import Library
    from knowledge.schema import Question

SCHEMA_VERSION = 1
BAD_INPUT, INTERRUPTED = 2, 130


# ask -----------------------------------------------------------------------------------------


def ask(
    context: typer.Context,
    profile: Annotated[
        Path, typer.Argument(help="Where the answers are kept, and where to go on from.")
    ] = Path("profile.yaml"),
    data: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Images to measure: a folder, a zip or a known data set."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Ask everything, whatever is kept.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the recommendation as JSON.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Quote every claim.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the recommendation here, for gan-runner."),
    ] = None,
) -> None:
    """Ask what decides, show how the choice shrinks, and recommend.

    Questions stand on stderr, the recommendation on stdout. Run it again to go on where you left.
    """
    from advisor.ask import NobodyAnswers, Terminal, WrongAnswer
    from advisor.ask import ask as converse
    from advisor.questionnaire import Questionnaire

    library = open_library(context)
    terminal = Terminal(sys.stdin, sys.stderr)
    questionnaire = Questionnaire(library)
    start, remarks = beginning(None if new else profile, data, library, questionnaire)
    latest = start

    def keep(answers: "Answers") -> None:
        nonlocal latest
        latest = answers
        if terminal.interactive:  # a window may be closed at any time
            write(profile, answers, library, remarks)

    try:
        ended = converse(questionnaire, start, terminal, keep)
    except KeyboardInterrupt:
        write(profile, latest, library, remarks)
        tell(f"\nThe answers so far are kept in {profile}; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
    except WrongAnswer as error:
        tell(f"gan-advisor: {error}")
        raise typer.Exit(BAD_INPUT) from None
    except NobodyAnswers:
        says = "there are no answers on the input: give them to `gan-advisor recommend` as "
        tell(f"gan-advisor: {says}--set question=answer, or in a file")
        raise typer.Exit(BAD_INPUT) from None
    write(profile, ended.answers, library, remarks)
    if not ended.finished:
        tell(f"\nThe answers are kept in {profile}; the same command goes on from there.")
        return
    conclude(ended.answers, profile, library, as_json=as_json, full=full, out=out, data=data)


def beginning(
    kept: Path | None,
    data: str | None,
    library: "Library",
    questionnaire: Any,  # noqa: ANN401 - its module is loaded only by this command
) -> tuple["Answers", dict[str, str]]:
    """What was answered before and what the images answer, and remarks on the latter."""
    from advisor.facts import of_dataset
    from advisor.profile import read_answers
    from advisor.questionnaire import Answers

    given, left_open = read_answers(kept, library) if kept and kept.exists() else ({}, frozenset())
    if given or left_open:
        tell(f"Going on from {kept}, which holds {len(given)} answers (--new: from the start).")
    remarks: dict[str, str] = {}
    known: set[str] = set()  # without having been asked
    if data:
        measured = measured_answers(data, library)
        fresh = {name: value for name, value in measured.items() if name not in given}
        given = {**given, **fresh}
        published = of_dataset(measured.get("dataset"), library).keys() - given.keys()
        left_open = (left_open - fresh.keys()) | published
        known = {*fresh, *published}
        remarks = {name: f"Measured in {data}" for name in fresh if name != "dataset"}
    said = (name for name in library.questions if name in {*given, *left_open} - known)
    answers = Answers(given, frozenset(left_open), tuple(said))
    if questionnaire.turn(answers).question is None and not known and (given or left_open):
        tell("Everything is answered: Enter keeps an answer.\n")
        return Answers(before=answers.kept), remarks
    return answers, remarks


def measured_answers(data: str, library: "Library") -> dict[str, Any]:
    from advisor.measure import Unmeasurable, measure, report

    named = library.dataset_named(data)
    if named and not Path(data).exists():
        tell(f"{named.name} is a known data set: what is published on it is not asked.\n")
        return {"dataset": named.id}
    tell(f"Looking at {data}.")
    try:
        found = measure(Path(data))
    except Unmeasurable as error:
        tell(f"gan-advisor: {error}{'' if Path(data).exists() else elsewhere(data, library)}")
        raise typer.Exit(BAD_INPUT) from None
    for line in report(found):
        tell(line)
    tell("")
    return found.answers


def elsewhere(data: str, library: "Library") -> str:
    """What to do where a name is neither a place nor a data set that the base knows."""
    from advisor.profile import names
    from knowledge.reading import nearest

    return (
        f"{nearest(data, names(library))}. Give a folder or a zip of images, or a known data set. "
        "Without --data the questions ask for number and size; points and other toys of "
        "gan-runner (ring8, …) need neither: name them to gan-runner run"
    )


def write(path: Path, answers: "Answers", library: "Library", remarks: dict[str, str]) -> None:
    from advisor.profile import write_answers

    if answers.kept:
        write_answers(path, answers.kept, library, remarks)


def conclude(
    answers: "Answers",
    profile: Path,
    library: "Library",
    *,
    as_json: bool,
    full: bool,
    out: Path | None,
    data: str | None,
) -> None:
    """The recommendation on stdout; what to do with it on stderr."""
    from advisor.advise import recommend
    from advisor.commands.recommend import end, show
    from advisor.profile import as_flags
    from knowledge.files import write_whole

    tell("")
    found = recommend(answers.given, library)
    if out:
        write_whole(out, found.model_dump_json(indent=2))
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        show(found, full=full)
    tell(f"\nanswers: {profile}")
    words = ["gan-advisor", "recommend", *as_flags(answers.given)]
    tell(f"the same without questions: {shlex.join(words)}")
    end(found)
    advice = shlex.quote(str(out)) if out else "advice.json"
    if not out:
        tell(f"next: gan-advisor recommend {shlex.quote(str(profile))} -o {advice}")
    images = shlex.quote(data) if data else "YOUR-IMAGES"
    tell(f"{'next' if out else 'then'}: gan-runner run {advice} --data {images}")


def tell(line: str) -> None:
    print(line, file=sys.stderr)


# questions -----------------------------------------------------------------------------------


def questions(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what can be answered, in order, with why it is asked and what hangs on it."""
    library = open_library(context)
    if as_json:
        listed = [described(question, library) for question in library.questions.values()]
        found = {"schema_version": SCHEMA_VERSION, "questions": listed}
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for question in library.questions.values():
        print(f"{question.id}: {question.asks}")
        print(f"    {question.why}")
        if question.unlocks:
            print(f"    What hangs on it: {question.unlocks}")
        for choice in question.choices:
            print(f"    {choice.id}: {choice.says}")
        if question.unit:
            print(f"    a number of {question.unit}")
        print()


def described(question: "Question", library: "Library") -> dict[str, Any]:
    from advisor.profile import names
    from advisor.questionnaire import Questionnaire

    asked_by = Questionnaire(library).asked_by
    found = question.model_dump(exclude_none=True, exclude_defaults=True)
    if question.answer == "dataset":
        found["datasets"] = sorted(names(library))
    return {**found, "rules": [rule for rule, asked in asked_by.items() if question.id in asked]}
