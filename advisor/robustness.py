"""Does a candidate stay on the shortlist when one source is left out? Robustness, not confidence."""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from advisor.evidence import vote_of
from advisor.recommendation import Robustness

if TYPE_CHECKING:
    from advisor.advise import Advice


def robustness(advice: "Advice", top: int) -> Callable[[str], Robustness]:
    """GAN -> in how many runs it stays; one run for each source that has a say in this advice."""
    sources = voices(advice)
    kept: Counter[str] = Counter()
    lost: dict[str, list[str]] = defaultdict(list)
    whole = advice.shortlisted(top)
    for source in sources:
        staying = advice.without(source).shortlisted(top)
        kept.update(whole & staying)
        for gan in whole - staying:
            lost[gan].append(advice.library.sources[source].short)
    unpraised = advice.without(praise=False).shortlisted(top)

    def of(gan: str) -> Robustness:
        return Robustness(
            kept=kept[gan],
            runs=len(sources),
            lost_without=tuple(lost[gan]),
            stands_without_praise=gan in unpraised,
        )

    return of


def voices(advice: "Advice") -> list[str]:
    """Sources whose silence could change the advice: all others are left out at no run's cost."""
    evidence = advice.evidence
    gans = {*advice.space.owners, *(node.gan.id for node in advice.everything.beside)}
    heard = {
        claim.lineage
        for gan in gans
        for claim in evidence.by_gan[gan]
        if evidence.direct(claim) or (evidence.speaks(claim) and vote_of(claim, gan) is not None)
    }
    for rule in advice.rules:
        if rule.layer == "recommended" and not rule.fails:  # how something fails drops nobody
            heard |= {advice.library.claims[claim].lineage for claim in rule.claims}
    heard |= {table.source for table in advice.numbers.tables}
    return sorted(heard)
