"""Explanations as pages. Each says because of what, who says so and where, and what to do instead."""

from collections.abc import Iterator, Mapping

from advisor.explain.reasons import Obstacle
from advisor.explain.sensitivity import Sensitivity, Turn
from advisor.explain.what_if import Cut, Difference, Move, Turned
from advisor.explain.why_not import Change, WhyNot
from advisor.explain.words import (
    assigned,
    listed,
    ordinal,
    premise,
    rank,
    refused,
    several,
    source,
    spot,
    unknown_or,
    votes,
)
from advisor.kb.page import Block, Fields, Grid, Inline, Item, Items, Note, Page, Section
from advisor.kb.pages import sections
from advisor.recommendation import Citation, Support
from advisor.wording import all_named, named

QUOTED = 3  # claims of one kind that are quoted; the others are counted

# Why not -------------------------------------------------------------------------------------


def why_not(found: WhyNot) -> Page:
    obstacles = found.obstacles
    weighty = [each for each in obstacles if each.layer != "tie-break"] or obstacles
    ties = [each for each in obstacles if each.layer == "tie-break" and each not in weighty]
    return Page(
        f"Why not {found.asked}?",
        verdict(found),
        (
            *sections(("", where(found))),
            *(Section(f"{each.says} ({each.rule}, {each.layer})", (blocked(each),)) for each in weighty),
            *sections(
                ("After that, tie-breaks", listed(f"{t.says}: {'; '.join(t.here)}" for t in ties)),
                ("What would change it", listed(ways_in(found))),
            ),
        ),
    )  # fmt: skip


def verdict(found: WhyNot) -> str:
    match found.verdict:
        case "recommended":
            after = f", after {', '.join(found.ahead)}" if found.ahead else ""
            return f"It is in the shortlist: {ordinal(found.rank)}{after}."
        case "below the shortlist":
            ahead = ", ".join(found.ahead)
            return f"No rule removes it, but it stands {ordinal(found.rank)}, below {ahead}."
        case "control":
            candidate = "As a candidate it would fall to this:" if found.obstacles else ""
            return f"It is the control arm, trained beside every shortlist. {candidate}".strip()
        case "refused":
            return refused(found.refusal)
        case "nowhere":
            return nowhere(found)
        case "cut":
            return fallen(found)


def fallen(found: WhyNot) -> str:
    if found.serves:
        more = ", and more speaks against it" if len(found.obstacles) > 1 else ""
        return f"It is made for {' and '.join(found.serves)}; the task here is {found.task}{more}."
    layers = {each.layer for each in found.obstacles}
    if found.hard != "no":
        if found.hard == "here":
            return "Not for these answers: no GAN with it is made for this task."
        if all(each.by_definition for each in found.obstacles if each.layer == "hard"):
            return (
                "Not for anybody: it would not be that GAN any more. Its definition says otherwise."
            )
        return "Incoherent for everybody: its parts do not go together."
    if "recommended" in layers:
        weighed = [each for each in found.obstacles if each.layer == "recommended"]
        if all(each.silent for each in weighed):
            needs = " or ".join(weighed[0].silent)
            return f"It could be built, but no source in the base speaks for it on {needs}."
        return "It could be built, but evidence speaks against it here."
    if "undocumented" in layers:
        return "Nothing speaks against it, but no source in the base reports it."
    return "Nothing speaks against it: a tie-break took another form of the same GAN."


def nowhere(found: WhyNot) -> str:
    says = f"{found.asked} has no place among the combinations for {found.task or 'this task'}."
    if found.covered_by:
        says += f" {found.covered_by} stands in its place. {found.covered_because}"
    if found.serves:
        says += f" Sources report it for {', '.join(found.serves)}."
    return says


def where(found: WhyNot) -> Iterator[Block]:
    if found.closest:
        lead = "closest" if found.points > 1 and found.obstacles else "as"
        rows: list[tuple[str, Inline]] = [(lead, (spot(found.closest),))]
        if found.points > 1 and found.obstacles:
            says = f"the words cover {found.points} combinations, of which this one breaks the fewest rules"
            rows.append(("", (says,)))
        rows += [(each.need, (votes(each),)) for each in found.support]
        yield Fields(tuple(rows))


def blocked(each: Obstacle) -> Fields:
    rows: list[tuple[str, Inline]] = [("because", (each.because,))]
    if each.since:
        rows.append(("here", ("; ".join(map(premise, each.since)),)))
    rows += [("here", (line,)) for line in each.here]
    rows += evidence("says", each.citations)
    if each.sources:
        rows.append(("see", (", ".join(each.sources),)))
    rows += evidence("but", each.counter)
    if not each.counter and each.layer == "recommended":
        rows.append(("but", ("no counter-evidence in the base",)))
    if each.instead:
        rows.append(("instead", (each.instead,)))
    return Fields(tuple(rows))


def evidence(label: str, citations: tuple[Citation, ...]) -> Iterator[tuple[str, Inline]]:
    for each in citations[:QUOTED]:
        yield label, (f"{each.says} [{source(each)}; {each.claim}]",)
        for check in each.checks[:1]:
            yield "", (check,)
    if more := [each.claim for each in citations[QUOTED:]]:
        yield label, (f"and {len(more)} more: {', '.join(more)}",)


def ways_in(found: WhyNot) -> Iterator[str]:
    for each in found.changes:
        yield change(each)
    if found.verdict == "cut":
        if not found.changes:
            yield "No other answer, and no pair of answers, would bring it in."
        if found.hard == "no":
            yield "It survives `recommend --strict`, which cuts only what is impossible."
        if found.despite:
            names = ", ".join(found.despite)
            yield f"`despite: [{names}]` in a recipe builds it all the same, for gan-runner to train."
    if found.instead and found.verdict == "cut":
        where_it_is = f"{ordinal(found.instead.rank)} in the shortlist"
        yield f"Use {found.instead.name} instead, {where_it_is}: {spot(found.instead.combination)}."


def change(each: Change) -> str:
    ways = (f"{name}: {several(answers)}" for name, answers in each.ways.items())
    then = (
        f"{ordinal(each.rank)} in the shortlist" if each.rank else "survives, below the shortlist"
    )
    best = (
        f" for {assigned(each.answers)}"
        if sum(map(len, each.ways.values())) > len(each.ways)
        else ""
    )
    return f"{' and '.join(ways)} ({then}{best})"


# What if -------------------------------------------------------------------------------------


def what_if(found: Difference, names: Mapping[str, str]) -> Page:
    changed = assigned({each.name: each.after for each in found.answers})
    return Page(
        f"What if {changed or 'nothing changes'}?",
        outcome(found, names),
        sections(
            ("Shortlist", moves(found, names)),
            ("What follows from the answers", listed(map(turned, found.facts))),
            ("Cuts that are others now", listed(cut(each, names) for each in found.cuts)),
        ),
    )


def outcome(found: Difference, names: Mapping[str, str]) -> str:
    if found.refusal and not found.refusal_before:
        return refused(found.refusal)
    counts = f"{found.combinations_before} survivors before, {found.combinations_after} after."
    if found.nothing:
        return f"The shortlist stays as it is. {counts}"
    if not found.combinations_after:
        return f"Nothing survives. {counts}"
    entering = [each.id for each in found.moves if each.before is None]
    leaving = [each.id for each in found.moves if each.after is None]
    says = [f"{all_named(arms, names)} {verb}." for arms, verb in
            ((entering, "would enter"), (leaving, "would leave")) if arms]  # fmt: skip
    return " ".join([*says, *(["Only the order changes."] if not says else []), counts])


def moves(found: Difference, names: Mapping[str, str]) -> Iterator[Block]:
    if found.moves:
        rows = tuple(
            (named(m.id, names), rank(m.before), rank(m.after), tuple(because(m)))
            for m in found.moves
        )
        yield Grid(("system", "before", "after", "why"), rows, wide=True)
    if found.stays:
        yield Note(f"In the same place: {all_named(found.stays, names)}.")


def because(each: Move) -> Iterator[Item]:
    kept_out = "it was kept out by" if each.before is None else "it falls to"
    weighty = [o for o in each.obstacles if o.layer != "tie-break"] or each.obstacles
    for obstacle in weighty:
        rule = f"“{obstacle.says}” ({obstacle.rule})"
        yield Item(f"{kept_out} {rule}. {obstacle.because}", notes=obstacle.here)
    if each.serves:
        when = "before had" if each.before is None else "then has"
        yield Item(f"the task {when} no place for it: it is for {' and '.join(each.serves)}")
    if each.crowded_out:
        which = "was" if each.before is None else "is"
        yield Item(f"it survives either way, but {which} below the shortlist")
    if not (each.obstacles or each.crowded_out or each.serves):
        yield Item(reordered(each))


def reordered(each: Move) -> str:
    before = {support.need: support for support in each.support_before}
    after = {support.need: support for support in each.support_after}
    heard = [
        f"{need}: {tally(before.get(need))}, then {tally(after.get(need))}"
        for need in dict.fromkeys((*before, *after))
        if before.get(need) != after.get(need)
    ]
    return "; ".join(heard) or "the same votes; others moved"


def tally(support: Support | None) -> str:
    return f"{support.for_} for and {support.against} against" if support else "not asked for"


def cut(each: Cut, names: Mapping[str, str]) -> str:
    verb = {"on": "cuts now", "off": "cuts nothing any more", "other": "cuts otherwise"}[each.turns]
    drops = f"; drops {all_named(each.drops, names)}" if each.drops else ""
    spares = f"; spares {all_named(each.spares, names)}" if each.spares else ""
    return f"“{each.says}” ({each.rule}) {verb}{drops}{spares}"


def turned(each: Turned) -> str:
    return f"{each.name}: {unknown_or(each.before)}, then {unknown_or(each.after)}"


# Sensitivity ---------------------------------------------------------------------------------


def sensitivity(found: Sensitivity, names: Mapping[str, str]) -> Page:
    return Page(
        "Which single answers would change the shortlist?",
        f"As it is: {all_named(found.shortlist, names) or 'empty'}.",
        (
            *(
                Section(
                    f"{lever.question}: {lever.asks} (now: {unknown_or(lever.answer)})",
                    (Items(tuple(turn(each, names) for each in lever.turns)),),
                )
                for lever in found.levers
            ),
            *sections(("No other single answer changes anything", listed(idle(found)))),
        ),
    )


def turn(each: Turn, names: Mapping[str, str]) -> Item:
    says = [f"{all_named(arms, names)} {verb}" for arms, verb in
            ((each.enters, "in"), (each.leaves, "out")) if arms]  # fmt: skip
    if each.first:
        says.append(f"first: {all_named(each.first, names)}")
    if each.effect == "no candidate":
        says = ["no candidate survives"]
    if each.effect == "not a GAN problem":
        says = ["not a GAN problem"]
    return Item("; ".join(says) or each.effect, several(each.says))


def idle(found: Sensitivity) -> Iterator[str]:
    if found.idle:
        yield ", ".join(found.idle)
