"""What all profiles together can reach: which rules ever matter, which options ever survive."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import combinations, product
from typing import NamedTuple

from advisor.advise import Advice, Survivors, holds
from advisor.facts import DERIVED, derive, of_dataset
from advisor.recommendation import Answer
from advisor.space import Space, nodes
from knowledge.library import Library
from knowledge.schema import Question, Rule, Slot

Given = frozenset[tuple[str, Answer]]  # answers; a question that is not in it was left open

# Numbers between which every threshold of a derived fact should fall.
PROBES = sorted({base * 10**power for base in (1, 2, 3, 5) for power in range(8)}
                | {2**power for power in range(14)})  # fmt: skip


class Left(NamedTuple):
    """Survivors that can be members of a set: systems beside the product by their ids."""

    alive: int
    beside: frozenset[str]


class Reach(NamedTuple):
    """Over every profile; needs of one question at a time: singly, in pairs and all together."""

    fires: frozenset[str]  # rules whose condition some profile meets
    matters: frozenset[str]  # rules that cut, remark on or refuse something in some profile
    options: frozenset[tuple[Slot, str]]  # in what survives all rules, or in the control arm
    beside: frozenset[str]  # systems beside the product that survive all rules


def reach(library: Library) -> Reach:
    """Exact, and quick: profiles that no later rule tells apart are followed as one."""
    return Walk(library).reach()


class Judge(Advice):
    """Advice that remembers what it found out about a GAN, for it is asked again and again."""

    @cached_property
    def verdicts(self) -> dict[str, bool]:
        return {}

    def meets_a_need(self, gan: str) -> bool:
        if gan not in self.verdicts:
            self.verdicts[gan] = super().meets_a_need(gan)
        return self.verdicts[gan]


class Walk:
    """Profiles in the order of the rules: they part where a rule asks, and join when none does."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.space = Space(library)
        self.node = {node.gan.id: node for node in nodes(self.space, library)}
        self.rules = sorted(library.rules, key=turn)
        self.advice: dict[Given, Judge] = {}
        self.known: dict[tuple[str, Given, Left], Left] = {}

    def reach(self) -> Reach:
        fires: set[str] = set()
        matters: set[str] = set()
        everything = Left(self.space.all, frozenset(self.node))
        states: set[tuple[Given, Left]] = {(frozenset(), everything)}
        for place, rule in enumerate(self.rules):
            later = {question for other in self.rules[place + 1 :] for question in self.asks(other)}
            passed: set[tuple[Given, Left]] = set()
            for given, left in self.parted(states, self.asks(rule)):
                seen = only(given, self.asks(rule))
                after = left
                if holds(rule, self.judge(seen).facts):
                    fires.add(rule.id)
                    after = self.after(rule, seen, left)
                    if rule.refuses or after != left or self.remarks(rule, left):
                        matters.add(rule.id)
                    if rule.refuses:
                        continue
                passed.add((only(given, later), after))
            states = passed
        ends = {left for _, left in states}
        return Reach(
            frozenset(fires),
            frozenset(matters),
            frozenset(self.options(ends)),
            frozenset(name for left in ends for name in left.beside),
        )

    def parted(
        self, states: set[tuple[Given, Left]], asked: frozenset[str]
    ) -> Iterator[tuple[Given, Left]]:
        """Each state once for every way to answer what is asked first here."""
        for given, left in states:
            if not left.alive and not left.beside:
                yield given, left  # nothing to part over
                continue
            fresh = sorted(asked - {name for name, _ in given})
            for values in product(*(self.answers[name] for name in fresh)):
                answered = given | set(zip(fresh, values, strict=True))
                if sum(value != "" and name in self.speak for name, value in answered) <= 1:
                    yield answered, left

    def judge(self, given: Given) -> Judge:
        if given not in self.advice:
            answers = {name: value for name, value in given if value != ""}
            self.advice[given] = Judge(answers, self.library)
        return self.advice[given]

    def after(self, rule: Rule, given: Given, left: Left) -> Left:
        key = (rule.id, given if rule.keeps else frozenset(), left)
        if key not in self.known:
            before = Survivors(left.alive, tuple(self.node[name] for name in left.beside))
            alive, beside = self.judge(given).cut(rule, before)
            self.known[key] = Left(alive, frozenset(node.gan.id for node in beside))
        return self.known[key]

    def remarks(self, rule: Rule, left: Left) -> bool:
        """Whether it has something to say on what is left, or on the control arm."""
        control = self.mask(self.library.baseline.combination)
        return any(
            (left.alive | control) & self.space.where(selector)
            or any(self.node[name].fits(selector) for name in left.beside)
            for selector in rule.notes
        )

    def mask(self, combination: Mapping[Slot, str]) -> int:
        mask = self.space.all
        for slot, option in combination.items():
            mask &= self.space.having(slot, option)
        return mask

    def options(self, ends: set[Left]) -> Iterator[tuple[Slot, str]]:
        alive = self.mask(self.library.baseline.combination)
        for left in ends:
            alive |= left.alive
            for name in left.beside:
                yield from self.node[name].gan.combination.items()
        yield from (option for option, mask in self.space.masks.items() if mask & alive)

    # Which answers a rule depends on, and what they can be --------------------------------------

    def asks(self, rule: Rule) -> frozenset[str]:
        return self.asked_by[rule.id]

    @cached_property
    def asked_by(self) -> dict[str, frozenset[str]]:
        return {
            rule.id: frozenset(
                question
                for name in (*rule.when, *self.kept_by(rule))
                for question in self.behind(name)
                if question in self.library.questions
            )
            for rule in self.rules
        }

    def kept_by(self, rule: Rule) -> Iterable[str]:
        """The questions that the evidence behind `keeps` depends on."""
        match rule.keeps:
            case "serves-the-task":
                return ("task",)
            case "compared-on-dataset":
                return ("dataset",)
            case "meets-a-need":
                return ("dataset", *self.speak)
        return ()

    @cached_property
    def speak(self) -> frozenset[str]:
        """The questions whose answers call claims as witnesses: they state needs."""
        return frozenset(name for name, each in self.library.questions.items() if each.aspects)

    def behind(self, fact: str) -> set[str]:
        """The questions whose answers settle a fact."""
        if fact == "dataset_evidence":
            return {"dataset"}
        settled = {fact}
        if fact in DERIVED:
            for name in inspect.signature(DERIVED[fact]).parameters:
                settled |= self.behind(name)
        elif fact in self.told_by_datasets:
            settled.add("dataset")
        return settled

    @cached_property
    def told_by_datasets(self) -> set[str]:
        return {
            name for dataset in self.library.datasets for name in of_dataset(dataset, self.library)
        }

    @cached_property
    def answers(self) -> dict[str, tuple[Answer, ...]]:
        """For each question its answers; "" stands for none."""
        return {name: ("", *self.ways(each)) for name, each in self.library.questions.items()}

    def ways(self, question: Question) -> Iterator[Answer]:
        choices = [choice.id for choice in question.choices]
        match question.answer:
            case "choice":
                yield from choices
            case "choices":
                yield from ((choice,) for choice in choices)
                yield from combinations(choices, 2)
                if len(choices) > 2:
                    yield tuple(choices)
            case "dataset":
                yield from self.library.datasets
            case "number":
                yield from self.numbers(question)

    def numbers(self, question: Question) -> Iterator[Answer]:
        """One for each combination of facts that a number can lead to."""
        seen = set()
        for number in PROBES:
            facts = derive({question.id: number}, self.library)
            drawn = tuple(sorted((n, str(v)) for n, v in facts.items() if n != question.id))
            if drawn not in seen:
                seen.add(drawn)
                yield number


def only(given: Given, questions: frozenset[str] | set[str]) -> Given:
    return frozenset((name, value) for name, value in given if name in questions)


def turn(rule: Rule) -> int:
    """Refusals are looked at first, remarks last: they cut nothing."""
    cuts = rule.excludes or rule.keeps or rule.keeps_default or rule.keeps_documented
    return 0 if rule.refuses else 1 if cuts else 2
