"""How a candidate usually fails, and what to try then."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.evidence import citations
from advisor.recommendation import REMEMBERED, Failure
from advisor.space import Combination
from knowledge.schema import Gan

if TYPE_CHECKING:
    from advisor.advise import Advice


def failures(combination: Combination, gan: Gan | None, advice: "Advice") -> tuple[Failure, ...]:
    """What is known of the system itself, then of what it is made of."""
    own = gan.tags if gan else frozenset[str]()
    return (*of_system(gan, advice), *of_kind(combination, own, advice))


def of_system(gan: Gan | None, advice: "Advice") -> Iterator[Failure]:
    for each in gan.fails if gan else ():
        where = f"{advice.library.sources[each.source].short}, {each.locator}"
        yield Failure(
            says=each.says,
            then=each.then,
            sources=(where if each.verified else f"{where}, {REMEMBERED}",),
            verified=each.verified,
        )


def of_kind(combination: Combination, own: frozenset[str], advice: "Advice") -> Iterator[Failure]:
    for rule in advice.noting(combination, own, advice.rules):
        if rule.fails:
            yield Failure(
                says=f"{rule.says}. {rule.because}",
                then=rule.instead,
                rule=rule.id,
                citations=citations(rule.claims, advice.library),
                sources=tuple(advice.library.sources[source].short for source in rule.sources),
            )
