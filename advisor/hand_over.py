"""Advice written out: what `advise` found, as the recommendation that people and programs read."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from advisor.compose import compose, published
from advisor.costs import cost, troubles
from advisor.cutting import Survivors
from advisor.evidence import citations, counted
from advisor.failures import failures
from advisor.overlays import used
from advisor.ranking import HANDFUL, Arm, bold, conservative, spread, standing
from advisor.recommendation import (
    Candidate,
    Published,
    Recommendation,
    Refusal,
    Remark,
    Rival,
    Step,
)
from advisor.space import Combination
from advisor.unknown import unknown
from knowledge import __version__
from knowledge.library import Library
from knowledge.schema import Rule

if TYPE_CHECKING:
    from advisor.advise import Advice


def recommendation(advice: "Advice", top: int = HANDFUL) -> Recommendation:
    """The shortlist with its reasons, without what other runs would have to tell."""
    library, refusing = advice.library, advice.refused_by
    arms = [] if refusing else advice.arms
    handful = spread(arms, top)
    candidates = [candidate(arm, handful, advice) for arm in handful]
    shown = {arm.id for arm in handful}
    advised = [rule for rule in advice.rules if rule.advises and not refusing]
    return Recommendation(
        advisor_version=__version__,
        answers=advice.answers,
        facts=advice.facts,
        funnel=funnel(advice),
        candidates=tuple(candidates),
        control=None if refusing else control(advice),
        crowded_out=tuple(arm.id for arm in arms if arm.id not in shown),
        conservative=conservative(candidates),
        bold=bold(candidates),
        advice=tuple(remark(rule, library) for rule in advised),
        refusal=refused(advice),
        unknown=() if refusing else unknown(advice),
        serving=tuple(g.name for g in library.gans.values() if advice.serves_the_task(g.id)),
        names=library.names,
        overlays=used(library),
    )


# The way down --------------------------------------------------------------------------------


def refused(advice: "Advice") -> Refusal | None:
    rule, library = advice.refused_by, advice.library
    if rule is None:
        return None
    return Refusal(
        rule=rule.id,
        because=rule.because,
        instead=rule.instead,
        citations=citations(rule.claims, library),
        sources=tuple(library.sources[source].short for source in rule.sources),
    )


def funnel(advice: "Advice") -> tuple[Step, ...]:
    """The rules that cut something; none where the answers are refused."""
    trail = () if advice.refused_by else advice.trail()
    return tuple(step(rule, before, left, advice) for rule, before, left in trail if left != before)


def step(rule: Rule, before: Survivors, after: Survivors, advice: "Advice") -> Step:
    owners, library = advice.space.owners.items(), advice.library
    gone = [gan for gan, own in owners if before.alive & own and not after.alive & own]
    kept = {node.gan.id for node in after.beside}
    gone += [node.gan.id for node in before.beside if node.gan.id not in kept]
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
        dropped=() if rule.keeps == "serves-the-task" else tuple(gone),  # never in question
        citations=citations(rule.claims, library),
        counter=citations(rule.counter, library),
        sources=tuple(library.sources[source].short for source in rule.sources),
    )


# Who is left ---------------------------------------------------------------------------------


def candidate(arm: Arm, shortlist: Sequence[Arm], advice: "Advice") -> Candidate:
    library = advice.library
    gan = library.gans[arm.gan]
    settings_for = published(gan, arm.combination, library)
    recipe, settings = compose(arm.combination, gan, settings_for, library)
    return Candidate(
        id=arm.id,
        name=gan.name,
        gan=gan.id,
        year=gan.year,
        role="candidate",
        combination=arm.combination,
        recipe=recipe,
        rank=arm.rank,
        standing=standing(arm.support, measured=arm.gan in advice.measured_here),
        support=arm.support,
        testimony=counted(arm.testimony),
        remarks=remarks(arm.combination, gan.tags, advice),
        settings=settings,
        fails=failures(arm.combination, gan, advice),
        troubles=troubles(gan, library, [each.gan for each in shortlist], advice.task),
        cost=cost(arm.combination, recipe, library),
        apart=rivals(arm.gan, shortlist, advice),
        published=numbers_of(arm.gan, advice),
    )


def numbers_of(gan: str, advice: "Advice") -> tuple[Published, ...]:
    """The lowest one of each source."""
    library = advice.library
    found: dict[str, Published] = {}
    for each, run in advice.measured_here.get(gan, ()):
        value = run.value
        if value is not None and (each.source not in found or value < found[each.source].value):
            found[each.source] = Published(
                value=value,
                dataset=library.datasets[each.dataset].name,
                source=library.sources[each.source].short,
                own_method=run.own_method,
            )
    return tuple(found.values())


def rivals(gan: str, shortlist: Iterable[Arm], advice: "Advice") -> tuple[Rival, ...]:
    """Those of the shortlist from which published numbers tell a GAN apart."""
    numbers, sources = advice.numbers, advice.library.sources
    others = dict.fromkeys(arm.gan for arm in shortlist)
    gaps = {other: gap for other in others if (gap := numbers.apart(gan, other))}
    return tuple(
        Rival(
            gan=other,
            ratio=round(gap.ratio, 2),
            sources=tuple(sources[each].short for each in numbers.sources(gan, other)),
        )
        for other, gap in gaps.items()
    )


def control(advice: "Advice") -> Candidate | None:
    """The named baseline, which is trained whatever the answers are."""
    library, point = advice.library, advice.control_point
    if point is None:
        return None
    baseline, gan = library.baseline, advice.space.owner(point)
    recipe, settings = compose(point, None, baseline.settings, library)
    return Candidate(
        id="baseline",
        name=baseline.name,
        gan=gan,
        year=library.gans[gan].year,
        role="control",
        combination=point,
        recipe=recipe,
        rank=0,
        standing="plausible",
        remarks=remarks(point, frozenset(), advice),
        settings=settings,
        because=baseline.because,
        sources=tuple(library.sources[source].short for source in baseline.sources),
        fails=failures(point, None, advice),
        cost=cost(point, recipe, library),
    )


def remarks(combination: Combination, own: frozenset[str], advice: "Advice") -> tuple[Remark, ...]:
    noted = advice.noting(combination, own, advice.rules)
    return tuple(remark(rule, advice.library) for rule in noted if not rule.fails)


def remark(rule: Rule, library: Library) -> Remark:
    return Remark(
        rule=rule.id,
        layer=rule.layer,
        says=rule.says,
        because=rule.because,
        instead=rule.instead,
        citations=citations(rule.claims, library),
        counter=citations(rule.counter, library),
        sources=tuple(library.sources[source].short for source in rule.sources),
    )
