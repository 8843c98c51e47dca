"""What else somebody could have answered: every choice, and for numbers each side of a threshold."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from advisor.advise import Advice
from advisor.facts import Facts, derive
from advisor.recommendation import Answer
from knowledge.library import Library
from knowledge.schema import Question

OCTAVES = 40  # numbers are tried from 1 to 2 ** 40, and thresholds between them are found exactly


class Alternative(NamedTuple):
    """One answer given otherwise."""

    question: str
    value: Answer | None  # None: left open
    says: str  # "left open", "256 or more", "also speed"

    def laid_over(self, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        others = {name: value for name, value in answers.items() if name != self.question}
        return others if self.value is None else others | {self.question: self.value}


def alternatives(answers: Mapping[str, Answer], library: Library) -> Iterator[Alternative]:
    """Every single answer that could be another one, question by question."""
    for question in library.questions.values():
        yield from others(question, answers, library)


def judged(answers: Mapping[str, Answer], instead_of: Advice) -> Advice:
    """Other answers, by the same library and as strictly."""
    return Advice(answers, instead_of.library, strict=instead_of.strict)


def others(
    question: Question, answers: Mapping[str, Answer], library: Library
) -> Iterator[Alternative]:
    given = answers.get(question.id)
    if given is not None:
        yield Alternative(question.id, None, "left open")
    match question.answer:
        case "choice":
            for choice in question.choices:
                if choice.id != given:
                    yield Alternative(question.id, choice.id, choice.id)
        case "choices":
            yield from toggled(question, given if isinstance(given, tuple) else ())
        case "dataset":
            for dataset in library.datasets.values():
                if dataset.kind == "images" and dataset.id != given:
                    yield Alternative(question.id, dataset.id, dataset.name)
        case "number":
            yield from ranges(question, answers, library)


def toggled(question: Question, given: tuple[str, ...]) -> Iterator[Alternative]:
    """One choice more or one less; none at all is the same as left open."""
    for choice in question.choices:
        if choice.id not in given:
            also = f"also {choice.id}" if given else choice.id
            yield Alternative(question.id, (*given, choice.id), also)
        elif len(given) > 1:
            fewer = tuple(each for each in given if each != choice.id)
            yield Alternative(question.id, fewer, f"without {choice.id}")


def ranges(
    question: Question, answers: Mapping[str, Answer], library: Library
) -> Iterator[Alternative]:
    """A number of each range in which the same facts follow, but for the range answered."""

    def consequences(number: int) -> Facts:
        facts = derive({**answers, question.id: number}, library)
        return {name: value for name, value in facts.items() if name != question.id}

    steps = [2**octave for octave in range(OCTAVES + 1)]
    edges = [1]
    for low, high in pairwise(steps):
        edges += thresholds(low, high, consequences)
    now = {name: value for name, value in derive(answers, library).items() if name != question.id}
    for low, end in pairwise([*edges, None]):
        if low is not None and consequences(low) != now:
            value = end - 1 if low == 1 and end else low
            yield Alternative(question.id, value, spoken(low, end))


def thresholds(low: int, high: int, consequences: Callable[[int], Facts]) -> list[int]:
    """The numbers in (low, high] from which other facts follow than just below."""
    if consequences(low) == consequences(high):
        return []
    if high == low + 1:
        return [high]
    middle = (low + high) // 2
    return [*thresholds(low, middle, consequences), *thresholds(middle, high, consequences)]


def spoken(low: int, end: int | None) -> str:
    if end is None:
        return f"{low:,} or more" if low > 1 else "any number"
    return f"below {end:,}" if low == 1 else f"{low:,} to {end - 1:,}"
