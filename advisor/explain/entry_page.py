"""The page of a rule or of a claim."""

from collections.abc import Iterable, Iterator, Mapping

from advisor.explain.entry import ClaimExplained, RuleExplained
from advisor.explain.words import premise, source
from advisor.kb.page import Block, Fields, Inline, Item, Items, Page
from advisor.kb.pages import claims, sections
from advisor.recommendation import Citation
from advisor.wording import all_named, named

Rows = Iterable[tuple[str, Inline]]


def explained(found: RuleExplained | ClaimExplained, names: Mapping[str, str]) -> Page:
    return rule(found, names) if isinstance(found, RuleExplained) else claim(found, names)


def rule(found: RuleExplained, names: Mapping[str, str]) -> Page:
    each = found.rule
    return Page(
        f"{each.says} ({each.id}, {each.layer})",
        each.because,
        sections(
            ("", [Fields(tuple(about_rule(found)))]),
            ("Who says so", quotations(found.citations, found.sources)),
            ("The other side", quotations(found.counter, ())),
            ("With these answers", [Fields(tuple(in_this_case(found, names)))]),
        ),
    )


def about_rule(found: RuleExplained) -> Rows:
    each = found.rule
    yield "asked in", (f"the stage {each.stage}",)
    if each.when:
        wanted = (f"{name} = {' or '.join(map(str, values))}" for name, values in each.when.items())
        yield "fires when", (" and ".join(wanted),)
    if each.unless:
        silent = (
            f"{name} = {' or '.join(map(str, values))}" for name, values in each.unless.items()
        )
        yield "unless", (" or ".join(silent),)
    if not each.when:
        yield "fires", ("always",)
    for verb, selectors in (("cuts", each.excludes), ("remarks on", each.notes)):
        for selector in selectors:
            words = (
                f"{slot} {' or '.join(said_tag(w) for w in tags)}"
                for slot, tags in selector.items()
            )
            yield verb, (" with ".join(words),)
    if each.instead:
        yield "instead", (each.instead,)
    if found.questions:
        yield "hangs on", (f"the answers to {', '.join(found.questions)}",)
    if found.alone:
        yield "alone", (f"would cut {found.alone} of {found.space} combinations",)


def said_tag(word: str) -> str:
    return f"not {word[1:]}" if word.startswith("!") else word


def in_this_case(found: RuleExplained, names: Mapping[str, str]) -> Rows:
    if found.fires is None:
        yield "silent", (f"nobody has said {' or '.join(found.missing)}",)
        return
    if not found.fires:
        known = "; ".join(map(premise, found.since))
        yield "silent", (f"it does not apply: {known}",)
        return
    if found.since:
        yield "fires", ("; ".join(map(premise, found.since)),)
    if found.before is not None:
        yield "in its turn", (f"{found.before} combinations before, {found.after} after",)
    if found.dropped:
        yield "drops", (all_named(found.dropped, names),)
    if found.remarks_on:
        yield "remarks on", (all_named(found.remarks_on, names),)
    if found.enters or found.leaves:
        entering = f"{all_named(found.enters, names)} in" if found.enters else ""
        leaving = f"{all_named(found.leaves, names)} out" if found.leaves else ""
        yield "without it", ("; ".join(filter(None, (entering, leaving))),)
    elif found.before is not None:
        yield "without it", ("the shortlist would hold the same candidates",)


def claim(found: ClaimExplained, names: Mapping[str, str]) -> Page:
    return Page(
        f"{found.quoted.claim.id} (claim)",
        found.quoted.claim.says,
        sections(
            ("Who says so", claims([found.quoted])),
            ("What hangs on it", [Fields(tuple(uses(found, names)))]),
        ),
    )


def uses(found: ClaimExplained, names: Mapping[str, str]) -> Rows:
    if found.behind:
        yield "rules on it", (", ".join(found.behind),)
    if found.against:
        yield "rules against it", (", ".join(found.against),)
    if found.needs:
        yield "speaks to", (", ".join(found.needs),)
    if found.why_not_heard:
        yield "no vote here", (found.why_not_heard,)
    for gan, vote in found.votes.items():
        yield "votes here", (f"{('a draw for', 'for', 'against')[vote]} {named(gan, names)}",)
    if found.votes and found.with_it:
        says = f"shares one vote for each need with {', '.join(found.with_it)}: one lineage"
        yield "", (says,)


def quotations(citations: tuple[Citation, ...], also: tuple[str, ...]) -> Iterator[Block]:
    items = [Item(c.says, cite=(f"{source(c)}; {c.claim}",), notes=c.checks) for c in citations]
    items += [Item(short) for short in also]
    if items:
        yield Items(tuple(items))
