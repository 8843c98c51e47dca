"""Which question comes next, what hangs on it, and when nothing does any more. No input or output."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import NamedTuple

from advisor.advise import Advice
from advisor.cutting import Survivors
from advisor.evidence import vote_of
from advisor.explain.alternatives import others
from advisor.facts import of_dataset, settling
from advisor.recommendation import Answer
from knowledge.library import Library
from knowledge.schema import STAGES, Question, Rule, Stage

FREE = frozenset({"task", "dataset", "needs"})  # they tell in which space and by whom we judge


class Answers(NamedTuple):
    """Where somebody stands in the questionnaire. A new one is made at every step."""

    given: Mapping[str, Answer] = {}
    left_open: frozenset[str] = frozenset()  # asked, and not known
    trail: tuple[str, ...] = ()  # what was asked, in order
    before: Mapping[str, Answer | None] = {}  # what was said to questions that are asked again

    @property
    def closed(self) -> AbstractSet[str]:
        return self.given.keys() | self.left_open

    @property
    def kept(self) -> dict[str, Answer | None]:
        """Everything that was said, for a file; None: asked, and not known."""
        return {**self.before, **dict.fromkeys(self.left_open), **self.given}

    def say(self, question: str, answer: Answer | None) -> "Answers":
        """`answer` None: I don't know."""
        others = {name: value for name, value in self.given.items() if name != question}
        return Answers(
            others if answer is None else {**others, question: answer},
            self.left_open - {question} | ({question} if answer is None else set()),
            (*self.trail, question),
            {name: value for name, value in self.before.items() if name != question},
        )

    def back(self) -> "Answers | None":
        """As it was before the last question; what was said to it stays in mind."""
        if not self.trail:
            return None
        *trail, last = self.trail
        others = {name: value for name, value in self.given.items() if name != last}
        before = {**self.before, last: self.given.get(last)}
        return Answers(others, self.left_open - {last}, tuple(trail), before)


class Turn(NamedTuple):
    """What to ask now, and what was passed over because nothing hangs on it."""

    question: Question | None
    passed_over: tuple[Question, ...]
    still: int = 0  # questions on which something hangs, this one included


class Consequence(NamedTuple):
    """What one way of answering would come to."""

    says: str  # "256 or more"
    refused: bool
    shortlist: tuple[str, ...]
    joins: tuple[str, ...]
    leaves: tuple[str, ...]
    reordered: bool


class Questionnaire:
    """The questions of a library, asked in order, as long as something hangs on them."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def turn(self, answers: Answers) -> Turn:
        """The first question that can still change the advice."""
        advice = Advice(answers.given, self.library)
        possible = self.possible(advice, answers.closed)
        matter, passed_over = [], []
        for question in self.library.questions.values():
            if question.id not in answers.closed:
                if self.matters(question, advice, possible, answers.closed):
                    matter.append(question)
                elif not matter:
                    passed_over.append(question)
        return Turn(matter[0] if matter else None, tuple(passed_over), len(matter))

    def suggestion(self, question: Question, answers: Answers) -> Answer | None:
        """What Enter stands for: the answer before, or what is usual. None: I don't know."""
        if question.id in answers.before:
            return answers.before[question.id]
        return question.default

    def published(self, question: Question, answers: Answers) -> Answer | None:
        """What the named data set answers by itself."""
        return of_dataset(answers.given.get("dataset"), self.library).get(question.id)

    def consequences(self, question: Question, answers: Answers) -> Iterator[Consequence]:
        """What each way to answer would come to, all other answers as they are."""
        now = shortlist(Advice(answers.given, self.library))
        for other in others(question, answers.given, self.library):
            advice = Advice(other.laid_over(answers.given), self.library)
            then = shortlist(advice)
            yield Consequence(
                other.says,
                advice.refused_by is not None,
                then,
                tuple(name for name in then if name not in now),
                tuple(name for name in now if name not in then),
                then != now,
            )

    # Whether anything hangs on a question ------------------------------------------------------

    def matters(
        self, question: Question, advice: Advice, possible: Survivors, closed: AbstractSet[str]
    ) -> bool:
        """Whether some way to answer it could change the advice, whatever is answered later."""
        if any(rule.refuses and self.settled(rule, closed) for rule in advice.rules):
            return False
        if question.id in FREE and (possible.alive or possible.beside):
            return True
        if any(self.heard(gan, question, advice) for gan in advice.gans_of(possible)):
            return True
        return any(
            question.id in self.asked_by[rule.id]
            and self.may_fire(rule, advice, closed)
            and bears(rule, advice, possible)
            for rule in self.library.rules
        )

    def heard(self, gan: str, question: Question, advice: Advice) -> bool:
        """Whether an answer would call a witness for or against this GAN."""
        aspects = {aspect for each in question.aspects.values() for aspect in each}
        return any(
            aspects & set(claim.aspects) and vote_of(claim, gan) is not None
            for claim in advice.evidence.by_gan[gan]
        )

    def possible(self, advice: Advice, closed: AbstractSet[str]) -> Survivors:
        """All that can survive, however the open questions are answered.

        Only what no later answer takes back is cut: not tie-breaks, which depend on what
        else is left, and not the judgement of witnesses, who are called by answers.
        """
        left = advice.everything
        for rule in advice.rules:
            final = not rule.keeps_default and rule.keeps in (None, "serves-the-task")
            if final and self.settled(rule, closed):
                left = advice.cut(rule, left)
        return left

    def settled(self, rule: Rule, closed: AbstractSet[str]) -> bool:
        """Whether no later answer can make the rule fire, or silence it."""
        return self.asked_by[rule.id] <= closed

    def may_fire(self, rule: Rule, advice: Advice, closed: AbstractSet[str]) -> bool:
        """Whether what is known for good leaves room for the rule."""

        def given(name: str, values: tuple[object, ...]) -> bool | None:
            """None: not known for good."""
            if not self.behind(name) <= closed:
                return None
            value = advice.facts.get(name)
            return any(each in values for each in (value if isinstance(value, tuple) else (value,)))

        wanted = all(given(name, values) is not False for name, values in rule.when.items())
        return wanted and not any(given(name, values) for name, values in rule.unless.items())

    @cached_property
    def asked_by(self) -> dict[str, frozenset[str]]:
        """Rule -> the questions whose answers make it fire, or silence it."""
        return {
            rule.id: frozenset(
                question for name in (*rule.when, *rule.unless) for question in self.behind(name)
            )
            | (frozenset({"task"}) if rule.keeps == "serves-the-task" else frozenset())
            for rule in self.library.rules
        }

    def behind(self, fact: str) -> frozenset[str]:
        """The questions whose answers settle a fact."""
        if fact not in self._behind:
            self._behind[fact] = settling(fact, self.library)
        return self._behind[fact]

    @cached_property
    def _behind(self) -> dict[str, frozenset[str]]:
        return {}


def bears(rule: Rule, advice: Advice, possible: Survivors) -> bool:
    """Whether the rule would cut, remark on, or say anything."""
    if rule.refuses or rule.advises:
        return True
    if not possible.alive and not possible.beside:
        return False
    if rule.keeps or rule.keeps_default or advice.cut(rule, possible) != possible:
        return True
    control = advice.space.point(advice.library.baseline.combination)
    return any(
        (possible.alive | control) & advice.space.where(selector)
        or any(node.fits(selector) for node in possible.beside)
        for selector in rule.notes
    )


def shortlist(advice: Advice) -> tuple[str, ...]:
    return tuple(arm.id for arm in advice.shortlist())


def funnel(advice: Advice) -> tuple[tuple[Stage, int], ...]:
    """How much every stage that cut anything left."""
    left: dict[Stage, int] = {}
    if advice.refused_by is None:
        for rule, before, after in advice.trail():
            if after != before:
                left[rule.stage] = size(after)
    return tuple((stage, left[stage]) for stage in STAGES if stage in left)


def size(survivors: Survivors) -> int:
    return survivors.alive.bit_count() + len(survivors.beside)
