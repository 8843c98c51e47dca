"""The fewest answers that have to be left open before anything survives."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from advisor.recommendation import Answer, Relaxation

Answers = Mapping[str, Answer]
Piece = tuple[str, str | None]  # an answer, or one choice of an answer that has several
Survivors = Callable[[Answers], tuple[str, ...]]


def relaxations(answers: Answers, survivors: Survivors) -> tuple[Relaxation, ...]:
    """Every smallest one: single answers, else pairs, else one set that cannot be made smaller.

    `survivors` names the candidates that some answers leave. Of an answer with several choices,
    such as the needs, a choice is left open where that is enough, else all of it. The task is what
    somebody wants: it is left open only where nothing else helps.
    """
    fixed = {name: value for name, value in answers.items() if name == "task"}
    others = {name: value for name, value in answers.items() if name != "task"}
    kept = fixed and smallest(others, lambda fewer: survivors({**fixed, **fewer}))
    return kept or smallest(answers, survivors)


def smallest(answers: Answers, survivors: Survivors) -> tuple[Relaxation, ...]:
    for candidates in (single_pieces(answers), whole_answers(answers), pairs(answers)):
        found = [
            Relaxation(leaves_open=opened(answers, pieces), brings_back=back)
            for pieces in candidates
            if (back := survivors(without(answers, pieces)))
        ]
        if found:
            return tuple(found)
    return tuple(irreducible(answers, survivors))


def single_pieces(answers: Answers) -> Iterator[tuple[Piece, ...]]:
    for name, value in answers.items():
        several = isinstance(value, tuple) and len(value) > 1
        yield from (((name, each),) for each in value) if several else [((name, None),)]  # type: ignore[union-attr]


def whole_answers(answers: Answers) -> Iterator[tuple[Piece, ...]]:
    for name, value in answers.items():
        if isinstance(value, tuple) and len(value) > 1:
            yield ((name, None),)


def pairs(answers: Answers) -> Iterator[tuple[Piece, ...]]:
    pieces = [pieces[0] for pieces in single_pieces(answers)]
    yield from combinations(pieces, 2)


def irreducible(answers: Answers, survivors: Survivors) -> Iterator[Relaxation]:
    """Leaves everything open, then takes back each answer that does no harm."""
    opened_names = dict(answers)
    back = survivors({})
    for name in answers:
        fewer = opened_names.keys() - {name}
        if still := survivors({key: value for key, value in answers.items() if key not in fewer}):
            back = still
            del opened_names[name]
    if back:
        yield Relaxation(leaves_open=opened_names, brings_back=back)


def without(answers: Answers, pieces: tuple[Piece, ...]) -> dict[str, Answer]:
    left = dict(answers)
    for name, choice in pieces:
        value = left.get(name)
        kept = tuple(each for each in value if each != choice) if isinstance(value, tuple) else ()
        if choice is not None and kept:
            left[name] = kept
        else:
            left.pop(name, None)
    return left


def opened(answers: Answers, pieces: tuple[Piece, ...]) -> dict[str, Answer]:
    """What is left open, as it was answered."""
    found: dict[str, Answer] = {}
    for name, choice in pieces:
        if choice is None:
            found[name] = answers[name]
        else:
            before = found.get(name, ())
            found[name] = (*(before if isinstance(before, tuple) else ()), choice)
    return found
