"""Answers and library in, a reasoned shortlist out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from math import prod
from typing import NamedTuple

from advisor.compose import compose
from advisor.evidence import Evidence, cite
from advisor.explain.relax import relaxations
from advisor.facts import Facts, derive
from advisor.recommendation import (
    Answer,
    Candidate,
    Citation,
    Recommendation,
    Refusal,
    Remark,
    Standing,
    Step,
    Support,
)
from advisor.space import Combination, Node, Space, nodes
from knowledge import __version__
from knowledge.library import Library
from knowledge.schema import SLOTS, Rule, Slot

HANDFUL = 6


class Survivors(NamedTuple):
    """What is left: combinations as bits, and systems beside the product."""

    alive: int
    beside: tuple[Node, ...]


def recommend(answers: Mapping[str, Answer], library: Library) -> Recommendation:
    """At most six candidates and the control arm, with the funnel that led to them.

    `answers` are checked ones (`advisor.profile.checked`). An answer that nobody gave makes no
    rule fire. A recommendation without candidates names the answers to relax, or a refusal.
    """
    found = Advice(answers, library).recommendation()
    if found.candidates or found.refusal:
        return found

    def survivors(fewer: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(each.id for each in Advice(fewer, library).recommendation().candidates)

    return found.model_copy(update={"relaxations": relaxations(answers, survivors)})


class Advice:
    """One profile judged by one library."""

    def __init__(self, answers: Mapping[str, Answer], library: Library) -> None:
        self.answers, self.library = dict(answers), library
        self.facts = derive(answers, library)
        self.evidence = Evidence(library, self.facts)
        if self.evidence.dataset:
            self.facts["dataset_evidence"] = "studied" if self.evidence.studied else "none"
        self.space = Space(library)
        self.gan_of = {
            option.id: option.gan or option.id for option in library.axes["loss"].options
        }
        self.rules = [rule for rule in library.rules if holds(rule, self.facts)]

    def recommendation(self) -> Recommendation:
        refusal = next((rule for rule in self.rules if rule.refuses), None)
        steps: list[Step] = []
        left = self.everything
        for rule, before, left in self.trail() if not refusal else ():
            if left != before:
                steps.append(self.step(rule, before, left))
        judged = [] if refusal else self.judge(left)
        control = None if refusal else self.control()
        handful = ranked([each for each in judged if each.combination != self.control_point])
        asked = {name for rule in self.library.rules for name in rule.when}
        return Recommendation(
            advisor_version=__version__,
            answers=self.answers,
            facts=self.facts,
            funnel=tuple(steps),
            candidates=tuple(handful[:HANDFUL]),
            control=control,
            crowded_out=tuple(candidate.id for candidate in handful[HANDFUL:]),
            conservative=conservative(handful[:HANDFUL]),
            bold=bold(handful[:HANDFUL]),
            refusal=self.refusal(refusal) if refusal else None,
            unknown=tuple(sorted(asked - self.facts.keys())),
            serving=tuple(g.name for g in self.library.gans.values() if self.serves_the_task(g.id)),
        )

    @property
    def control_point(self) -> Combination:
        return self.library.baseline.combination

    # Cutting ---------------------------------------------------------------------------------

    @property
    def everything(self) -> Survivors:
        return Survivors(self.space.all, nodes(self.space, self.library))

    def trail(self) -> Iterator[tuple[Rule, Survivors, Survivors]]:
        """Every rule in force, with what it found and what it left."""
        left = self.everything
        for rule in self.rules:
            before, left = left, self.cut(rule, left)
            yield rule, before, left

    def cut(self, rule: Rule, left: Survivors) -> Survivors:
        """What a rule leaves."""
        alive, beside = left
        for selector in rule.excludes:
            alive &= ~self.space.where(selector)
            beside = tuple(node for node in beside if not node.fits(selector))
        if rule.keeps_documented:
            alive &= self.documented(rule.keeps_documented)
        for slot in rule.keeps_default:
            alive = self.defaults(slot, alive)
        if rule.keeps:
            keep = {
                "serves-the-task": self.serves_the_task,
                "compared-on-dataset": self.evidence.compared_on_dataset,
                "meets-a-need": self.meets_a_need,
            }[rule.keeps]
            alive &= self.space.having("loss", *(o for o, gan in self.gan_of.items() if keep(gan)))
            beside = tuple(node for node in beside if keep(node.gan.id))
        if rule.keeps == "serves-the-task":
            alive &= self.space.having("architecture", *self.architectures)
            beside = tuple(
                n for n in beside if n.gan.combination["architecture"] in self.architectures
            )
        return Survivors(alive, beside)

    def documented(self, slot: Slot) -> int:
        """The combinations whose option in this slot a source reports for their GAN."""
        mask = 0
        for option, gan in self.gan_of.items():
            reported = self.library.gans[gan].documented.get(slot)
            loss = self.space.having("loss", option)
            mask |= loss & self.space.having(slot, *reported) if reported else loss
        return mask

    def defaults(self, slot: Slot, alive: int) -> int:
        """Where a GAN's default option survives, its other options in that slot go."""
        for option, gan in self.gan_of.items():
            own = alive & self.space.having("loss", option)
            default = self.library.gans[gan].defaults.get(slot)
            kept = own & self.space.having(slot, default.option) if default else own
            if kept:
                alive &= ~own | kept
        return alive

    def serves_the_task(self, gan: str) -> bool:
        task = self.facts.get("task")
        return task is None or task in self.library.gans[gan].tasks

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """The combination space of a task is made of the architectures that serve it."""
        task = self.facts.get("task")
        options = self.library.axes["architecture"].options
        return tuple(o.id for o in options if task is None or not o.tasks or task in o.tasks)

    def meets_a_need(self, gan: str) -> bool:
        """Some need has a claim for it, and on none do more sources speak against than for."""
        if not self.evidence.needs:
            return True
        testimony = self.evidence.testimony(gan)
        support = self.evidence.support(testimony)
        return any(witness.vote > 0 for witness in testimony) and all(s.net >= 0 for s in support)

    def step(self, rule: Rule, before: Survivors, after: Survivors) -> Step:
        gone = (
            gan
            for option, gan in self.gan_of.items()
            if before.alive & (own := self.space.having("loss", option)) and not after.alive & own
        )
        nodes_gone = (node.gan.id for node in before.beside if node not in after.beside)
        return Step(
            rule=rule.id,
            stage=rule.stage,
            layer=rule.layer,
            says=rule.says,
            because=rule.because,
            instead=rule.instead,
            before=before.alive.bit_count(),
            after=after.alive.bit_count(),
            beside_before=len(before.beside),
            beside_after=len(after.beside),
            dropped=(*gone, *nodes_gone),
            citations=self.citations(rule.claims),
            counter=self.citations(rule.counter),
            sources=tuple(self.library.sources[source].short for source in rule.sources),
        )

    def refusal(self, rule: Rule) -> Refusal:
        return Refusal(
            rule=rule.id,
            because=rule.because,
            instead=rule.instead,
            citations=self.citations(rule.claims),
        )

    def citations(self, claims: Iterable[str]) -> tuple[Citation, ...]:
        return tuple(cite(self.library.claims[claim], self.library) for claim in claims)

    # Judging what is left ---------------------------------------------------------------------

    def judge(self, left: Survivors) -> list[Candidate]:
        combinations = [self.space.combination(i) for i in self.space.members(left.alive)]
        by_loss = defaultdict(list)
        for combination in combinations:
            by_loss[combination["loss"]].append(combination)
        found = []
        for loss, own in by_loss.items():
            gan = self.gan_of[loss]
            for combination in own:
                name = gan if len(own) == 1 else "+".join((gan, *differing(combination, own)))
                found.append(self.candidate(name, gan, combination))
        found += [
            self.candidate(node.gan.id, node.gan.id, dict(node.gan.combination))
            for node in left.beside
        ]
        return found

    def candidate(self, name: str, gan_id: str, combination: Combination) -> Candidate:
        gan = self.library.gans[gan_id]
        recipe, settings = compose(combination, gan, gan.settings, self.library)
        testimony = self.evidence.testimony(gan_id)
        support = self.evidence.support(testimony)
        return Candidate(
            id=name,
            name=gan.name,
            gan=gan_id,
            year=gan.year,
            role="candidate",
            combination=combination,
            recipe=recipe,
            rank=0,
            standing=standing(support),
            support=support,
            testimony=testimony,
            remarks=self.remarks(combination, gan.tags),
            settings=settings,
            fails=gan.fails,
            relative_cost=self.relative_cost(combination),
        )

    def control(self) -> Candidate:
        """The named baseline, which is trained whatever the answers are."""
        baseline = self.library.baseline
        gan = self.gan_of[baseline.combination["loss"]]
        recipe, settings = compose(baseline.combination, None, baseline.settings, self.library)
        return Candidate(
            id="baseline",
            name=baseline.name,
            gan=gan,
            year=self.library.gans[gan].year,
            role="control",
            combination=baseline.combination,
            recipe=recipe,
            rank=0,
            standing="plausible",
            remarks=self.remarks(baseline.combination, frozenset()),
            settings=settings,
            because=baseline.because,
            relative_cost=self.relative_cost(baseline.combination),
        )

    def remarks(self, combination: Combination, own: frozenset[str]) -> tuple[Remark, ...]:
        tags = {slot: self.space.tags[slot].get(combination[slot], set()) for slot in SLOTS}
        node = Node(self.library.gans["gan"], {**tags, "loss": tags["loss"] | own})
        return tuple(
            Remark(
                rule=rule.id,
                layer=rule.layer,
                says=rule.says,
                because=rule.because,
                citations=self.citations(rule.claims),
                counter=self.citations(rule.counter),
            )
            for rule in self.rules
            if any(node.fits(selector) for selector in rule.notes)
        )

    def relative_cost(self, combination: Combination) -> float:
        options = (self.library.option(slot, combination[slot]) for slot in SLOTS)
        return round(prod(option.relative_cost for option in options if option), 2)


def holds(rule: Rule, facts: Facts) -> bool:
    """A fact that nobody knows makes no rule fire."""
    return all(name in facts and facts[name] in wanted for name, wanted in rule.when.items())


def differing(combination: Combination, others: list[Combination]) -> list[str]:
    return [combination[s] for s in SLOTS if len({other[s] for other in others}) > 1]


def standing(support: tuple[Support, ...]) -> Standing:
    if support and all(each.net > 0 for each in support):
        return "well supported"
    return "plausible" if any(each.for_ for each in support) else "untested here"


def merit(candidate: Candidate) -> tuple[float, ...]:
    """Lexicographic: needs won, needs with a witness, net votes, measured here; then cost."""
    return (
        -sum(each.net > 0 for each in candidate.support),
        -sum(each.for_ > 0 for each in candidate.support),
        -sum(each.net for each in candidate.support),
        -len({w.need for w in candidate.testimony if w.direct and w.vote > 0}),
        candidate.relative_cost,
    )


def ranked(candidates: list[Candidate]) -> list[Candidate]:
    """Best first; candidates of equal merit share a rank."""
    ordered: list[Candidate] = []
    in_order = sorted(candidates, key=lambda each: (merit(each), each.id))
    for _, equals in groupby(in_order, merit):
        rank = len(ordered) + 1
        ordered += [each.model_copy(update={"rank": rank}) for each in equals]
    return ordered


def conservative(candidates: list[Candidate]) -> str | None:
    """The one that most independent sources speak for."""
    by_sources = sorted(candidates, key=lambda c: (-sum(s.for_ for s in c.support), c.rank))
    return by_sources[0].id if by_sources else None


def bold(candidates: list[Candidate]) -> str | None:
    """The newest one."""
    by_year = sorted(candidates, key=lambda c: (-c.year, c.rank))
    return by_year[0].id if by_year else None
