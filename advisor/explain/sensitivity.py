"""Which single answers would change the shortlist, and how."""

from collections.abc import Mapping
from itertools import groupby
from typing import Literal

from advisor.advise import Advice
from advisor.explain.alternatives import alternatives, judged
from advisor.recommendation import Answer
from knowledge.library import Library
from knowledge.schema import Record

Effect = Literal["another shortlist", "another order", "no candidate", "not a GAN problem", "none"]


class Turn(Record):
    """What one other answer would do."""

    says: tuple[str, ...]  # the answers that do the same: "left open", "256 or more"
    effect: Effect
    enters: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    first: tuple[str, ...] = ()  # who is best then, where that is somebody else


class Lever(Record):
    """A question, and what other answers to it would do."""

    question: str
    asks: str
    answer: Answer | None  # None: nobody has answered it
    turns: tuple[Turn, ...]


class Sensitivity(Record):
    schema_version: Literal[1] = 1
    shortlist: tuple[str, ...]  # as it is
    levers: tuple[Lever, ...]  # questions that matter, those that change most first
    idle: tuple[str, ...]  # questions of which no other single answer changes anything


def sensitivity(answers: Mapping[str, Answer], library: Library) -> Sensitivity:
    """Every single answer given otherwise. `answers` are checked ones."""
    now = Advice(answers, library)
    levers, idle = [], []
    for question, tried in groupby(alternatives(answers, library), lambda each: each.question):
        turns: dict[Turn, list[str]] = {}
        for each in tried:
            other = judged(each.laid_over(answers), now)
            turns.setdefault(turn(now, other), []).append(each.says)
        found = [t.model_copy(update={"says": tuple(s)}) for t, s in turns.items()]
        telling = [t for t in found if t.effect != "none"]
        if not telling:
            idle.append(question)
            continue
        asks = library.questions[question].asks
        levers.append(
            Lever(
                question=question,
                asks=asks,
                answer=answers.get(question),
                turns=tuple(sorted(telling, key=weight)),
            )
        )
    untried = [name for name in library.questions if name not in {e.question for e in levers}]
    return Sensitivity(
        shortlist=tuple(arm.id for arm in now.shortlist()),
        levers=tuple(sorted(levers, key=lambda lever: weight(lever.turns[0]))),
        idle=tuple(untried),
    )


def turn(now: Advice, other: Advice) -> Turn:
    old, new = now.shortlist(), other.shortlist()
    before, after = [arm.id for arm in old], [arm.id for arm in new]
    first = tuple(arm.id for arm in new if arm.rank == 1)
    return Turn(
        says=(),
        effect=effect(now, other),
        enters=tuple(name for name in after if name not in before),
        leaves=tuple(name for name in before if name not in after),
        first=first if set(first) != {arm.id for arm in old if arm.rank == 1} else (),
    )


def effect(now: Advice, other: Advice) -> Effect:
    if now.refused_by != other.refused_by:
        return "not a GAN problem" if other.refused_by else "another shortlist"
    ranks, others = ({arm.id: arm.rank for arm in a.shortlist()} for a in (now, other))
    if ranks == others:
        return "none"
    if not others:
        return "no candidate"
    return "another order" if ranks.keys() == others.keys() else "another shortlist"


ORDER: tuple[Effect, ...] = (
    "not a GAN problem",
    "no candidate",
    "another shortlist",
    "another order",
    "none",
)


def weight(turn: Turn) -> tuple[int, int]:
    """Small for what changes much."""
    return ORDER.index(turn.effect), -len(turn.enters) - len(turn.leaves)
