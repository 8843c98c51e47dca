"""What all profiles together can reach: which rules ever matter, which options ever survive."""

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from itertools import combinations, product
from typing import NamedTuple

from advisor.advise import Advice
from advisor.cutting import Survivors, holds
from advisor.facts import DERIVED, Facts, derive, settling
from advisor.recommendation import Answer
from advisor.space import nodes
from knowledge.library import Library
from knowledge.schema import Question, Rule, Slot

Given = frozenset[tuple[str, Answer]]  # answers; a question that is not in it was left open

# Numbers between which every threshold of a derived fact should fall.
PROBES = sorted({base * 10**power for base in (1, 2, 3, 5) for power in range(8)}
                | {2**power for power in range(14)})  # fmt: skip


LIMIT = 2  # answers in a profile, the task apart; more where a single rule asks for more


class Left(NamedTuple):
    """Survivors that can be members of a set: systems beside the product by their ids."""

    alive: int
    beside: frozenset[str]


class State(NamedTuple):
    """Where profiles stand: what later rules still ask of them, and what is left."""

    given: Given
    answered: int
    left: Left


class Reach(NamedTuple):
    """What some profile of a few answers leads to; several needs are one answer."""

    fires: frozenset[str]  # rules whose condition some profile meets
    matters: frozenset[str]  # rules that cut, remark on or refuse something in some profile
    options: frozenset[tuple[Slot, str]]  # in what survives all rules, or in the control arm
    beside: frozenset[str]  # systems that survive all rules

    def joined(self, other: "Reach") -> "Reach":
        return Reach(
            self.fires | other.fires,
            self.matters | other.matters,
            self.options | other.options,
            self.beside | other.beside,
        )


def reach(library: Library) -> Reach:
    """Each task with one more answer; then two answers without a task, if something is missing.

    Quick, for profiles that no later rule tells apart are followed as one. What has a waiver is not
    searched for any longer.
    """
    found = Reach(frozenset(), frozenset(), frozenset(), frozenset())
    tasks = ("", *(choice.id for choice in library.questions["task"].choices))
    for limit in range(1, LIMIT + 1):
        for task in tasks if limit == 1 else tasks[:1]:
            found = found.joined(Walk(library, task, limit).reach())
        if not missing(library, found):
            break
    return found


def missing(library: Library, found: Reach) -> bool:
    rules = {rule.id for rule in library.rules if not rule.waiver}
    options = {
        (slot, option.id)
        for slot, axis in library.axes.items()
        for option in axis.options
        if not option.waiver
    }
    beside = {gan.id for gan in library.nodes}
    return bool(rules - found.matters or options - found.options or beside - found.beside)


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

    def __init__(self, library: Library, task: str = "", limit: int = LIMIT) -> None:
        self.library, self.task = library, task  # each task has combinations of its own
        self.limit = limit
        self.root = Judge({"task": task} if task else {}, library)
        self.space = self.root.space
        self.node = {node.gan.id: node for node in nodes(self.space, library)}
        self.rules = sorted(library.rules, key=turn)
        self.advice: dict[Given, Judge] = {}
        self.known: dict[tuple[str, Given, Left], Left] = {}

    def reach(self) -> Reach:
        fires: set[str] = set()
        matters: set[str] = set()
        everything = Left(self.space.all, frozenset(self.node))
        states = {State(frozenset(), 0, everything)}
        for place, rule in enumerate(self.rules):
            later = {question for other in self.rules[place + 1 :] for question in self.asks(other)}
            settled = self.asks(rule) - later
            passed: set[State] = set()
            for given, answered, left in self.parted(states, rule):
                seen = only(given, self.asks(rule))
                after = left
                if holds(rule, self.facts(seen)):
                    fires.add(rule.id)
                    after = self.after(rule, seen, left)
                    if rule.refuses or after != left or self.remarks(rule, left):
                        matters.add(rule.id)
                    if rule.refuses:
                        continue
                kept = only(given, later) if settled else given
                passed.add(State(kept, answered, after))
            states = passed
        ends = {state.left for state in states}
        return Reach(
            frozenset(fires),
            frozenset(matters),
            frozenset(self.options(ends)),
            frozenset(name for left in ends for name in (*left.beside, *self.owners(left))),
        )

    def parted(self, states: set[State], rule: Rule) -> Iterator[State]:
        """Each state once for every way to answer what the rule is the first to ask."""
        asked, limit = self.asks(rule), max(self.limit, len(rule.when))
        for given, answered, left in states:
            fresh = asked - {name for name, _ in given}
            if not left.alive and not left.beside:
                fresh = frozenset()  # nothing to part over
            for more in self.ways_to_answer(fresh, max(0, limit - answered)):
                count = sum(value != "" and name != "task" for name, value in more)
                yield State(given | more, answered + count, left)

    @cache  # noqa: B019 - a walk lives for one command
    def ways_to_answer(self, questions: frozenset[str], at_most: int) -> tuple[Given, ...]:
        """All answers to at most so many of the questions; the others stay open."""
        free = sorted(questions - {"task"})
        task = {("task", self.task)} if "task" in questions else set()
        return tuple(
            frozenset({*task, *((name, "") for name in free), *zip(chosen, values, strict=True)})
            - {(name, "") for name in chosen}
            for count in range(min(at_most, len(free)) + 1)
            for chosen in combinations(free, count)
            for values in product(*(self.answers[name][1:] for name in chosen))
        )

    @cache  # noqa: B019
    def facts(self, given: Given) -> Facts:
        dataset = only(given, frozenset({"dataset"}))
        known = self.judge(dataset).facts if dataset else {}
        evidence = {key: known[key] for key in ("dataset_evidence",) if key in known}
        return {**derive(self.profile(given), self.library), **evidence}

    def profile(self, given: Given) -> dict[str, Answer]:
        return {name: value for name, value in given | {("task", self.task)} if value != ""}

    def judge(self, given: Given) -> Judge:
        if given not in self.advice:
            self.advice[given] = Judge(self.profile(given), self.library, like=self.root)
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
        control = self.control
        return rule.advises or any(
            (left.alive | control) & self.space.where(selector)
            or any(self.node[name].fits(selector) for name in left.beside)
            for selector in rule.notes
        )

    @cached_property
    def control(self) -> int:
        point = self.root.control_point
        return self.space.point(point) if point else 0

    def owners(self, left: Left) -> Iterator[str]:
        return (gan for gan, own in self.space.owners.items() if left.alive & own)

    def options(self, ends: set[Left]) -> Iterator[tuple[Slot, str]]:
        alive = self.control
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
                for name in (*rule.when, *rule.unless, *self.kept_by(rule))
                for question in settling(name, self.library)
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

    @cached_property
    def answers(self) -> dict[str, tuple[Answer, ...]]:
        """For each question its answers; "" stands for none."""
        every = {name: ("", *self.ways(each)) for name, each in self.library.questions.items()}
        return every | {"task": (self.task,)}

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
                yield from self.datasets.values()
            case "number":
                yield from self.numbers(question)

    @cached_property
    def datasets(self) -> dict[object, str]:
        """One for each class that neither facts, nor rules, nor claims tell apart."""
        library = self.library
        named = {str(v) for rule in library.rules for v in rule.when.get("dataset", ())}
        named |= {dataset for claim in library.claims.values() for dataset in claim.datasets}
        classes: dict[object, str] = {}
        for name in library.datasets:
            facts = derive({"dataset": name}, library)
            drawn = frozenset((key, facts[key]) for key in DERIVED.keys() & facts.keys())
            classes.setdefault(name if name in named else drawn, name)
        return classes

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
    if not questions:
        return frozenset()
    return frozenset((name, value) for name, value in given if name in questions)


def turn(rule: Rule) -> int:
    """Refusals are looked at first, remarks last: they cut nothing."""
    cuts = rule.excludes or rule.keeps or rule.keeps_default or rule.keeps_documented
    return 0 if rule.refuses else 1 if cuts else 2
