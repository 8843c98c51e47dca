"""A person's answers, checked against the questions."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from advisor.recommendation import Answer
from knowledge.library import Library
from knowledge.reading import Document, InvalidData, Problem, nearest, read
from knowledge.schema import Question


class Profile(dict[str, Answer]):
    """Question -> answer. What nobody answered is not in it."""


def read_profile(path: Path, library: Library) -> Profile:
    """Raises InvalidData with file and line of every wrong answer."""
    document = read(path)
    if not isinstance(document.data, dict):
        says = "should be a list of `question: answer` lines, such as `task: unconditional`"
        raise InvalidData([Problem(str(path), None, says)])
    return checked(document.data, library, document)


def checked(
    answers: Mapping[str, Any], library: Library, document: Document | None = None
) -> Profile:
    """The answers in their canonical form. Raises InvalidData naming all that is wrong."""
    profile, problems = Profile(), []
    for name, given in answers.items():
        if given is None:
            continue
        question = library.questions.get(name)
        try:
            if question is None:
                raise ValueError(f"no question {name!r}{nearest(name, library.questions)}")
            profile[name] = answer(question, given, library)
        except ValueError as error:
            line = document.line((name,)) if document else None
            problems.append(Problem(document.file if document else "answers", line, str(error)))
    if problems:
        raise InvalidData(problems)
    return profile


def answer(question: Question, given: Any, library: Library) -> Answer:  # noqa: ANN401
    """One answer in its canonical form. Raises ValueError with what is allowed."""
    match question.answer:
        case "choice":
            return one_of(question, given)
        case "choices":
            listed = given if isinstance(given, list | tuple) else [given]
            return tuple(dict.fromkeys(one_of(question, each) for each in listed))
        case "dataset":
            found = library.dataset_named(str(given))
            if found is None:
                raise ValueError(f"no data set {str(given)!r}{nearest(str(given), names(library))}")
            return found.id
        case "number":
            return positive_number(question, given)


def names(library: Library) -> Iterable[str]:
    return (dataset.id for dataset in library.datasets.values() if dataset.kind == "images")


def one_of(question: Question, given: Any) -> str:  # noqa: ANN401
    known = [choice.id for choice in question.choices]
    if given not in known:
        raise ValueError(f"{question.id}: no choice {str(given)!r}{nearest(str(given), known)}")
    return str(given)


def positive_number(question: Question, given: Any) -> int | float:  # noqa: ANN401
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(given, bool) or not 0 < number < float("inf"):
        raise ValueError(f"{question.id}: {given!r} is no positive number of {question.unit}")
    return int(number) if number.is_integer() else number
