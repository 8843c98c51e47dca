"""Answers and library in, a reasoned shortlist out."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from advisor.costs import critic_steps, time_per_image
from advisor.cutting import Survivors, cut, holds
from advisor.evidence import Evidence
from advisor.explain.relax import relaxations
from advisor.facts import Facts, derive, resolution_class
from advisor.hand_over import recommendation
from advisor.numbers import Numbers, Table, tables
from advisor.ranking import HANDFUL, Arm, ranked, spread
from advisor.recommendation import Answer, Recommendation, Support, Testimony
from advisor.robustness import robustness
from advisor.space import Combination, Node, Space, default_task, nodes
from knowledge.distances import Measured, Run
from knowledge.library import Library
from knowledge.schema import SLOTS, Claim, Rule


def recommend(
    answers: Mapping[str, Answer],
    library: Library,
    *,
    top: int = HANDFUL,
    strict: bool = False,
    robust: bool = True,
) -> Recommendation:
    """At most `top` candidates and the control arm, with the funnel that led to them.

    `answers` are checked ones (`advisor.profile.checked`). An answer that nobody gave makes no
    rule fire. A recommendation without candidates names the answers to relax, or a refusal.
    `strict` cuts only what is impossible; `robust` leaves out one source at a time and says in
    how many of these runs a candidate stays.
    """
    advice = Advice(answers, library, strict=strict)
    found = recommendation(advice, top)
    if found.candidates and robust:
        stays = robustness(advice, top)
        candidates = (
            each.model_copy(update={"robustness": stays(each.gan)}) for each in found.candidates
        )
        return found.model_copy(update={"candidates": tuple(candidates)})
    if found.candidates or found.refusal:
        return found

    def survivors(fewer: Mapping[str, Answer]) -> tuple[str, ...]:
        return tuple(arm.id for arm in Advice(fewer, library, strict=strict).shortlist(top))

    return found.model_copy(update={"relaxations": relaxations(answers, survivors)})


FEWEST_COMPARED = 4  # placeholder: of fewer that serve a need, no choice is left


class Advice:
    """One profile judged by one library.

    `leaving_out` takes sources away, and the recommended rules that rest on nothing else; without
    `praise` nobody speaks of their own method. `like` lends what does not depend on either; where it
    judges the same answers, also what it heard of those of whom nobody falls silent.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer],
        library: Library,
        *,
        strict: bool = False,
        leaving_out: Collection[str] = (),
        praise: bool = True,
        like: "Advice | None" = None,
    ) -> None:
        self.answers, self.library, self.strict = dict(answers), library, strict
        self.leaving_out, self.like = frozenset(leaving_out), like
        self.same = like if like and like.answers == self.answers else None
        self.facts: Facts = dict(self.same.facts) if self.same else derive(answers, library)
        heard = self.same.evidence if self.same else None
        self.evidence: Evidence = Evidence(
            library, self.facts, leaving_out, praise=praise, like=heard
        )
        if self.evidence.dataset:
            self.facts["dataset_evidence"] = "studied" if self.evidence.studied else "none"
        self.space: Space = like.space if like else Space(library, self.task)
        self._cuts: dict[tuple[object, ...], Survivors] = like._cuts if like else {}
        self._heard: dict[str, tuple[tuple[Support, ...], tuple[Testimony, ...]]] = {}
        self.applying: list[Rule] = (
            self.same.applying
            if self.same and self.same.facts == self.facts
            else [rule for rule in library.rules if holds(rule, self.facts)]
        )
        self.rules = [rule for rule in self.applying if self.stands(rule)]

    def without(self, *sources: str, praise: bool = True) -> "Advice":
        """The same profile, judged without some sources."""
        silenced = self.leaving_out | set(sources)
        return Advice(
            self.answers, self.library, strict=self.strict, leaving_out=silenced, praise=praise,
            like=self,
        )  # fmt: skip

    def shortlist(self, top: int = HANDFUL) -> list[Arm]:
        """The candidates before they are written out."""
        return [] if self.refused_by else spread(self.arms, top)

    def shortlisted(self, top: int = HANDFUL) -> set[str]:
        """The GANs of the shortlist. Where all survivors fit, their order need not be known."""
        if self.refused_by or len(self.survivors) <= top:
            return set() if self.refused_by else {arm.gan for arm in self.survivors}
        return {arm.gan for arm in self.shortlist(top)}

    @property
    def refused_by(self) -> Rule | None:
        return next((rule for rule in self.rules if rule.refuses), None)

    def stands(self, rule: Rule) -> bool:
        """A recommended rule falls when all that it rests on is left out."""
        if rule.layer != "recommended" or not rule.claims:
            return True
        claims = self.library.claims
        rests_on = {*rule.sources, *(claims[claim].lineage for claim in rule.claims)}
        return not rests_on <= self.leaving_out

    @property
    def control_point(self) -> Combination | None:
        """Where the baseline stands among what serves the task; for some tasks there is none."""
        baseline = self.library.baseline
        if not self.space.of_systems:
            return baseline.combination
        architecture = baseline.architectures.get(str(self.task))
        return {**baseline.combination, "architecture": architecture} if architecture else None

    # Cutting ---------------------------------------------------------------------------------

    @cached_property
    def everything(self) -> Survivors:
        if self.like:
            return self.like.everything
        return Survivors(self.space.all, nodes(self.space, self.library))

    def trail(self) -> Iterator[tuple[Rule, Survivors, Survivors]]:
        """Every rule in force, with what it found and what it left."""
        left = self.everything
        for rule in self.rules:
            if self.strict and rule.layer != "hard":
                continue
            before, left = left, self.cut(rule, left)
            yield rule, before, left

    def cut(self, rule: Rule, left: Survivors) -> Survivors:
        """What a rule leaves. What rests on no evidence is cut once for all runs alike."""
        if rule.keeps in (None, "serves-the-task"):
            key = (rule.id, left.alive, tuple(node.gan.id for node in left.beside))
            if key not in self._cuts:
                self._cuts[key] = self.judged(rule, left)
            return self._cuts[key]
        return self.judged(rule, left)

    def judged(self, rule: Rule, left: Survivors) -> Survivors:
        keeps: dict[str, Callable[[str], bool]] = {
            "serves-the-task": self.serves_the_task,
            "compared-on-dataset": self.evidence.compared_on_dataset,
            "meets-a-need": self.meets_a_need,
        }
        rivals = self.gans_of(left)
        if self.space.of_systems:
            keeps["meets-a-need"] = self.stands_up_to(left)
        elif rule.keeps == "meets-a-need" and not any(map(self.spoken_for, rivals)):
            keeps["meets-a-need"] = self.loses_on_none  # silence on all tells nobody apart
        if rule.keeps == "compared-on-dataset":
            compared = filter(self.evidence.compared_on_dataset, rivals)
            if sum(map(self.meets_a_need, compared)) < FEWEST_COMPARED:
                return left  # silence on most tells hardly anybody apart
        return cut(rule, left, self.space, keeps)

    @property
    def task(self) -> str | None:
        task = self.facts.get("task", default_task(self.library))
        return None if task is None else str(task)

    def serves_the_task(self, gan: str) -> bool:
        return self.task is None or self.task in self.library.gans[gan].tasks

    def meets_a_need(self, gan: str) -> bool:
        """Some need has a claim for it, and on none do more sources speak against than for."""
        if not self.evidence.needs:
            return True
        return self.loses_on_none(gan) and self.spoken_for(gan)

    def stands_up_to(self, left: Survivors) -> Callable[[str], bool]:
        """Whether a system loses on no need, to those that are left; others are no reason to drop it.

        Of losses much is published. Of a system the sources may be silent, and that is no vote.
        """
        gone = self.library.gans.keys() - self.gans_of(left)
        claims = self.library.claims

        def stands(gan: str) -> bool:
            testimony = (
                witness
                for witness in self.heard(gan)[1]
                if witness.vote >= 0 or not gone & ends(claims[witness.citation.claim]) - {gan}
            )
            return all(each.net >= 0 for each in self.evidence.support(tuple(testimony)))

        return stands

    def loses_on_none(self, gan: str) -> bool:
        return all(each.net >= 0 for each in self.heard(gan)[0])

    def spoken_for(self, gan: str) -> bool:
        return any(witness.vote > 0 for witness in self.heard(gan)[1]) or gan in self.measured_here

    @cached_property
    def measured_here(self) -> dict[str, tuple[tuple[Measured, Run], ...]]:
        """GANs with a published distance on the data set, where no claims compare on it.

        Or at sizes like its own, where these are large and no data set is named: who writes of such
        images shows numbers and compares little.
        """
        named = self.evidence.dataset
        large = self.facts.get("resolution_class") == "high"
        found: dict[str, tuple[tuple[Measured, Run], ...]] = {}
        for each in () if self.evidence.studied else self.library.distances:
            here = each.dataset == named.id if named else large and self.is_large(each.dataset)
            if not here or each.source in self.leaving_out:
                continue
            for run in each.runs:
                if run.value is not None and run.model in self.library.gans:
                    found[run.model] = (*found.get(run.model, ()), (each, run))
        return found

    def is_large(self, dataset: str) -> bool:
        resolution = self.library.datasets[dataset].resolution
        return resolution is not None and resolution_class(resolution) == "high"

    # Judging what is left ---------------------------------------------------------------------

    @cached_property
    def left(self) -> Survivors:
        trail = list(self.trail())
        return trail[-1][2] if trail else self.everything

    @cached_property
    def arms(self) -> list[Arm]:
        """Everything that survives but the control arm, best first."""
        return ranked(self.survivors, self.before)

    @cached_property
    def survivors(self) -> list[Arm]:
        return [arm for arm in self.unranked() if arm.combination != self.control_point]

    def unranked(self) -> Iterator[Arm]:
        by_gan = defaultdict(list)
        for index in self.space.members(self.left.alive):
            combination = self.space.combination(index)
            by_gan[self.space.owner(combination)].append(combination)
        for gan, own in by_gan.items():
            differing = [slot for slot in SLOTS if len({each[slot] for each in own}) > 1]
            for each in own:
                yield self.arm("+".join((gan, *(each[slot] for slot in differing))), gan, each)
        for node in self.left.beside:
            yield self.arm(node.gan.id, node.gan.id, dict(node.gan.combination))

    def arm(self, name: str, gan: str, combination: Combination) -> Arm:
        steps = critic_steps(self.library.gans[gan], combination, self.library)
        time = time_per_image(combination, steps, self.library)
        support, testimony = self.heard(gan)
        own = self.library.gans[gan].tags
        behind = sum(1 for _ in self.noting(combination, own, self.putting_behind))
        return Arm(name, gan, combination, self.weighed(support), testimony, time, behind)

    def weighed(self, support: tuple[Support, ...]) -> tuple[Support, ...]:
        """Without what is needed, but was never stated as a need, where nobody left has a say on it.

        Wrong labels are no need of somebody whose GAN sees no labels: nobody is found wanting for it.
        """
        return tuple(each for each in support if each.need in self.needs)

    @cached_property
    def needs(self) -> frozenset[str]:
        stated = self.facts.get("needs")
        heard = (each for gan in self.gans_left for each in self.heard(gan)[0])
        told = (each.need for each in heard if each.for_ or each.against or each.equal)
        return frozenset((*(stated if isinstance(stated, tuple) else ()), *told))

    def heard(self, gan: str) -> tuple[tuple[Support, ...], tuple[Testimony, ...]]:
        if gan not in self._heard:
            if self.same and self.evidence.agrees(self.same.evidence, gan):
                self._heard[gan] = self.same.heard(gan)
            else:
                testimony = self.evidence.testimony(gan)
                self._heard[gan] = self.evidence.support(testimony), testimony
        return self._heard[gan]

    @cached_property
    def putting_behind(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.behind]

    def noting(
        self, combination: Combination, own: frozenset[str], rules: Sequence[Rule]
    ) -> Iterator[Rule]:
        """Those of the rules that have something to say of a combination."""
        if not rules:
            return
        tags = {slot: self.space.tags[slot].get(combination[slot], set()) for slot in SLOTS}
        node = Node(self.library.gans["gan"], {**tags, "loss": tags["loss"] | own})
        for rule in rules:
            if any(node.fits(selector) for selector in rule.notes):
                yield rule

    # Published numbers -----------------------------------------------------------------------

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        if self.like:
            lent = self.like.tables
            return tuple(table for table in lent if table.source not in self.leaving_out)
        needs = self.facts.get("needs")
        asked_for = needs if isinstance(needs, tuple) else ()
        every = tables(self.library, self.task, asked_for)
        return tuple(table for table in every if table.source not in self.leaving_out)

    @cached_property
    def numbers(self) -> Numbers:
        """Opened only where votes leave a tie."""
        dataset = self.evidence.dataset
        return Numbers(self.tables, dataset.id if dataset else None, self.gans_left)

    @property
    def gans_left(self) -> set[str]:
        return self.gans_of(self.left)

    def gans_of(self, left: Survivors) -> set[str]:
        product = {gan for gan, own in self.space.owners.items() if left.alive & own}
        return product | {node.gan.id for node in left.beside}

    def before(self, one: str, other: str) -> bool:
        return self.numbers.before(one, other)


def ends(claim: Claim) -> set[str]:
    return {claim.subject, claim.object}
