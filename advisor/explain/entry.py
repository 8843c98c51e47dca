"""One rule or one claim: what it says, what it rests on, and what it does with these answers."""

from collections.abc import Mapping
from typing import Literal

from advisor.advise import Advice
from advisor.cutting import Survivors
from advisor.evidence import citations
from advisor.explain.reasons import Since, rests_on, since
from advisor.facts import behind
from advisor.hand_over import recommendation, step
from advisor.kb.names import find
from advisor.kb.related import Quoted, quote
from advisor.recommendation import Answer, Citation
from knowledge.library import Library
from knowledge.schema import Claim, Record, Rule


class RuleExplained(Record):
    schema_version: Literal[1] = 1
    rule: Rule
    citations: tuple[Citation, ...]
    counter: tuple[Citation, ...]
    sources: tuple[str, ...]
    questions: tuple[str, ...]  # whose answers make it fire; empty: it always does
    fires: bool | None  # None: a fact is missing that nobody gave
    since: tuple[Since, ...]
    missing: tuple[str, ...]  # those facts
    space: int  # combinations of the task, systems beside the product included
    alone: int  # how many of them it cuts, were it the only rule
    before: int | None = None  # in its turn, with these answers
    after: int | None = None
    dropped: tuple[str, ...] = ()  # GANs that it removed altogether
    remarks_on: tuple[str, ...] = ()  # candidates that carry it as a remark
    enters: tuple[str, ...] = ()  # who would be in the shortlist without it
    leaves: tuple[str, ...] = ()  # and who would not


class ClaimExplained(Record):
    schema_version: Literal[1] = 1
    quoted: Quoted
    behind: tuple[str, ...]  # rules that rest on it
    against: tuple[str, ...]  # rules that it speaks against
    needs: tuple[str, ...]  # that it is heard on, of all that can be asked for
    stated: tuple[str, ...]  # of these, the needs of this profile
    heard: bool
    why_not_heard: str | None
    votes: dict[str, int]  # GAN -> 1 for, -1 against, 0 a draw
    with_it: tuple[str, ...]  # claims of the same lineage on a stated need: they share its vote


def explained(
    name: str, answers: Mapping[str, Answer], library: Library
) -> RuleExplained | ClaimExplained:
    """Raises Unclear where no rule and no claim is called so."""
    record = find(library, name, ("rule", "claim")).record
    advice = Advice(answers, library)
    return explained_rule(record, advice) if isinstance(record, Rule) else said(record, advice)


# Rules ---------------------------------------------------------------------------------------


def explained_rule(rule: Rule, advice: Advice) -> RuleExplained:
    missing = tuple(name for name in (*rule.when, *rule.unless) if name not in advice.facts)
    fires = rule in advice.rules
    everything = advice.everything
    found = RuleExplained(
        rule=rule,
        citations=citations(rule.claims, advice.library),
        counter=citations(rule.counter, advice.library),
        sources=tuple(advice.library.sources[source].short for source in rule.sources),
        questions=tuple(dict.fromkeys(q for f in rule.when for q in behind(f))),
        fires=True if fires else None if missing else False,
        since=tuple(since(fact, advice) for fact in rests_on(rule, advice)),
        missing=missing,
        space=size(everything),
        alone=size(everything) - size(advice.cut(rule, everything)),
    )
    return found.model_copy(update=effect(rule, advice)) if fires else found


def effect(rule: Rule, advice: Advice) -> dict[str, object]:
    """What the rule cut in its turn, and what the shortlist would be without it."""
    if advice.refused_by:
        return {}
    turn = next((cut for cut in advice.trail() if cut[0].id == rule.id), None)
    if turn is None:
        return {}
    _, before, after = turn
    without = Advice(advice.answers, advice.library, strict=advice.strict, like=advice)
    without.rules = [each for each in without.rules if each.id != rule.id]
    now, then = ([arm.id for arm in each.shortlist()] for each in (advice, without))
    candidates = recommendation(advice).arms if rule.notes else ()
    return {
        "before": size(before),
        "after": size(after),
        "dropped": step(rule, before, after, advice).dropped,
        "remarks_on": tuple(
            each.id for each in candidates if any(r.rule == rule.id for r in each.remarks)
        ),
        "enters": tuple(name for name in then if name not in now),
        "leaves": tuple(name for name in now if name not in then),
    }


def size(points: Survivors) -> int:
    return points.alive.bit_count() + len(points.beside)


# Claims --------------------------------------------------------------------------------------


def said(claim: Claim, advice: Advice) -> ClaimExplained:
    library, ledger = advice.library, advice.evidence
    needs = [
        choice
        for question in library.questions.values()
        for choice, aspects in question.aspects.items()
        if set(aspects) & set(claim.aspects)
    ]
    testimony = {
        gan: [w for w in ledger.testimony(gan) if w.citation.claim == claim.id]
        for gan in (claim.subject, claim.object)
        if gan in library.gans
    }
    stated = {w.need for own in testimony.values() for w in own}
    return ClaimExplained(
        quoted=quote(claim, library),
        behind=tuple(rule.id for rule in library.rules if claim.id in rule.claims),
        against=tuple(rule.id for rule in library.rules if claim.id in rule.counter),
        needs=tuple(dict.fromkeys(needs)),
        stated=tuple(sorted(stated)),
        heard=bool(stated),
        why_not_heard=None if stated else silence(claim, needs, advice),
        votes={gan: own[0].vote for gan, own in testimony.items() if own},
        with_it=tuple(sorted(sharing(claim, stated, advice))),
    )


def silence(claim: Claim, needs: list[str], advice: Advice) -> str:
    """Why a claim has no vote."""
    if claim.refuted:
        return "other published evidence contradicts it, so it has no vote"
    if claim.misplaced:
        return "it is doubtful whether it speaks of its subject at all, so it has no vote"
    if not needs:
        return f"no need that can be asked for is about {' or '.join(claim.aspects)}"
    if not set(needs) & set(advice.evidence.needs):
        return f"it speaks to {', '.join(dict.fromkeys(needs))}, which was not asked for"
    if not advice.evidence.in_scope(claim):
        seen = [advice.library.datasets[name].name for name in claim.datasets]
        own = advice.evidence.dataset
        here = f" rather than on {own.name}" if own else ""
        return f"it was measured on {', '.join(seen)}{here}"
    return "it ranks nothing that can be chosen here"


def sharing(claim: Claim, stated: set[str], advice: Advice) -> set[str]:
    """Claims that have one vote together with this one."""
    return {
        witness.citation.claim
        for gan in (claim.subject, claim.object)
        if gan in advice.library.gans
        for witness in advice.evidence.testimony(gan)
        if witness.need in stated and witness.lineage == claim.lineage
    } - {claim.id}
