"""A person's answers, checked against the questions."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from advisor.facts import of_dataset
from advisor.recommendation import Answer
from knowledge.files import write_whole
from knowledge.library import Library
from knowledge.reading import Document, InvalidData, Problem, nearest, read
from knowledge.schema import Question

OWN_IMAGES = (
    "for images of your own leave --dataset out and say --set images=… --set resolution=…, "
    "or: gan-advisor ask --data FOLDER"
)


class Profile(dict[str, Answer]):
    """Question -> answer. What nobody answered is not in it."""


def read_profile(path: Path, library: Library) -> Profile:
    """Raises InvalidData with file and line of every wrong answer."""
    return read_answers(path, library)[0]


def read_answers(path: Path, library: Library) -> tuple[Profile, frozenset[str]]:
    """The profile, and the questions that somebody left open on purpose (`labels:`)."""
    document = read(path)
    if isinstance(document.data, dict) and {"candidates", "funnel"} <= document.data.keys():
        says = "is a recommendation, and no profile: give it to gan-runner run"
        raise InvalidData([Problem(str(path), None, says)])
    if not isinstance(document.data, dict):
        says = "should be a list of `question: answer` lines, such as `task: unconditional`"
        raise InvalidData([Problem(str(path), None, says)])
    profile = checked(document.data, library, document)
    open_ = {name for name, given in document.data.items() if given is None}
    return profile, frozenset(open_ & library.questions.keys())


def write_answers(
    path: Path,
    answers: Mapping[str, Answer | None],
    library: Library,
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A commented profile in the order of the questions, whole or not at all. None: left open."""
    text = "# Answers for `gan-advisor recommend`, and for `gan-advisor ask` to go on from.\n"
    for question in library.questions.values():
        if question.id in answers:
            given = answers[question.id]
            known = of_dataset(answers.get("dataset"), library).get(question.id)
            silent = "I don't know" if known is None else f"As published: {known}"
            remark = remarks.get(question.id, silent if given is None else "")
            text += f"\n# {question.asks} {remark}".rstrip() + f"\n{question.id}:{inline(given)}\n"
    write_whole(path, text)


def inline(given: Answer | None) -> str:
    """As it stands behind the colon."""
    import yaml

    if given is None:
        return ""
    value = [list(given) if isinstance(given, tuple) else given]
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1e6)
    return f" {written.strip()[1:-1]}"


def as_flags(answers: Mapping[str, Answer]) -> list[str]:
    """The words that give `gan-advisor recommend` the same answers."""
    flags: list[str] = []
    for name, given in answers.items():
        values = given if isinstance(given, tuple) else (given,)
        if name in ("task", "dataset"):
            flags += [f"--{name}", str(given)]
        elif name == "needs":
            flags += [word for value in values for word in ("--need", str(value))]
        else:
            flags += ["--set", f"{name}={','.join(map(str, values))}"]
    return flags


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
                says = f"no data set {str(given)!r}{nearest(str(given), names(library))}"
                raise ValueError(f"{says}; {OWN_IMAGES}")
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
