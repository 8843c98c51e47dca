"""The sentences of a recommendation, before they are a terminal's or a Markdown page's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from advisor.recommendation import (
    NO_VOTE,
    REMEMBERED,
    Answer,
    Candidate,
    Citation,
    Cost,
    Failure,
    Recommendation,
    Refusal,
    Remark,
    Robustness,
    Setting,
    Step,
    Testimony,
)

WITNESSES = 2  # shown for each need and side, unless everything is asked for
NAMED = 6  # survivors beside the shortlist are named up to here, then counted


class Line(NamedTuple):
    """A word, what is said under it, where it stands, and what others say to it."""

    label: str
    says: str
    cite: str = ""
    notes: tuple[str, ...] = ()


def candidates(
    found: Recommendation, *, full: bool = False
) -> Iterator[tuple[Candidate, tuple[Line, ...]]]:
    """What is said of each. Reasons that several share are given at the first of them."""
    heard: set[str] = set()
    for each in found.arms:
        yield each, tuple(lines(each, found.names, heard, full=full))


def lines(
    each: Candidate, names: Mapping[str, str], heard: set[str], *, full: bool = False
) -> Iterator[Line]:
    """Everything that is said of a candidate, what speaks for it first.

    `heard` are the rules that were explained before; they are named then, and no more.
    """
    if each.because:
        yield Line("because", each.because, "; ".join(each.sources))
    yield from ledger(each, names, full=full)
    for remark in each.remarks:
        yield heeded(remark, heard)
    yield from map(setting, each.settings)
    if not each.settings:
        yield Line("settings", "no published ones in the base: those of the runner are taken")
    yield Line("costs", costs(each.cost))
    for failure in each.fails:
        yield failing(failure, heard)
    for trouble in each.troubles:
        others = listed([named(gan, names) for gan in trouble.then])
        yield Line("fails", f"{trouble.says}{f' Then try {others}.' if others else ''}")
    if each.robustness:
        yield Line("robust", robust(each.robustness))


def heeded(remark: Remark, heard: set[str]) -> Line:
    label = "must" if remark.layer == "hard" else "heed"
    if remark.rule in heard:
        return Line(label, f"{remark.says} (as above).")
    heard.add(remark.rule)
    notes = tuple(f"but: {c.says} [{brief(c)}]" for c in remark.counter[:1])
    cite = gathered(remark.sources, remark.citations)
    return Line(label, f"{remark.says}. {remark.because}", cite, notes)


def failing(failure: Failure, heard: set[str]) -> Line:
    if failure.rule in heard:
        return Line("fails", f"{failure.says.split('. ')[0]} (as above).")
    if failure.rule:
        heard.add(failure.rule)
    then = f" Then try {failure.then}." if failure.then else ""
    return Line("fails", f"{failure.says}{then}", gathered(failure.sources, failure.citations))


def setting(each: Setting) -> Line:
    unchecked = "" if each.verified else f" ({REMEMBERED})"
    return Line("settings", f"{each.what}{unchecked}", f"{each.short}, {each.locator}")


def ledger(each: Candidate, names: Mapping[str, str], *, full: bool) -> Iterator[Line]:
    """What speaks for it, what against, and what is not known."""
    quoted: set[str] = set()  # what others found out about a claim is said once
    said: set[str] = set()
    for side, vote in (("for", 1), ("against", -1)):
        for those in witnesses(each, vote, full=full):
            cited = those[0].citation
            checks = tuple(check for check in cited.checks if check not in quoted)
            quoted.update(checks)
            said.add(side)
            behind = f"{cited.behind} in " if cited.behind else ""
            cite = f"{behind}{brief(cited)}; {cited.claim}"
            yield Line(side, f"{on(those, names)}: {cited.says}{why_no_vote(those)}", cite, checks)
        better = [rival for rival in each.apart if (rival.ratio < 1) == (vote > 0)]
        if better:
            said.add(side)
            others = listed([f"{named(rival.gan, names)} (×{rival.ratio:g})" for rival in better])
            says = f"numbers: {'lower' if vote > 0 else 'higher'} Fréchet distance than {others}"
            measured = dict.fromkeys(source for rival in better for source in rival.sources)
            yield Line(side, says, ", ".join(measured) or "by way of third GANs")
    for number in each.published[:WITNESSES]:
        own = " by its authors" if number.own_method else ""
        says = f"a Fréchet distance of {number.value:g} was published on {number.dataset}{own}"
        yield Line("number", says, number.source)
    if each.role == "control" or not each.support:
        return
    silent = [s.need for s in each.support if not (s.for_ or s.against or s.equal)]
    if "against" not in said and len(silent) < len(each.support):
        yield Line("against", "nothing that the base knows")
    if silent:
        yield Line("unknown", f"the base has no comparison of it on {listed(silent)}")


def on(those: Sequence[Testimony], names: Mapping[str, str]) -> str:
    """The needs; and the other GAN, where the sentence does not name it."""
    witness = those[0]
    rival = named(witness.rival, names) if witness.rival else ""
    needs = listed([each.need for each in those])
    return f"{needs}, beside {rival}" if unnamed(rival, witness) else needs


def why_no_vote(those: Sequence[Testimony]) -> str:
    """In brackets, on all needs or on some; nothing where it counts on all of them."""
    why = dict.fromkeys(each.uncounted for each in those if each.uncounted)
    says = []
    for reason in why:
        needs = [each.need for each in those if each.uncounted == reason]
        where = "" if len(needs) == len(those) else f" on {listed(needs)}"
        says.append(f"{NO_VOTE[reason]}{where}")
    return f" ({'; '.join(says)})" if says else ""


def unnamed(rival: str, witness: Testimony) -> bool:
    return bool(rival) and rival.casefold() not in witness.citation.says.casefold()


def witnesses(each: Candidate, vote: int, *, full: bool) -> list[list[Testimony]]:
    """For each need the votes first, those measured on this data set before others.

    A claim is quoted once, with all its needs.
    """
    side = [witness for witness in each.testimony if witness.vote == vote]
    chosen: dict[str, list[Testimony]] = {}
    for need in dict.fromkeys(witness.need for witness in each.testimony):
        own = [witness for witness in side if witness.need == need]
        own.sort(key=lambda witness: (bool(witness.uncounted), not witness.direct))
        for witness in own if full else own[:WITNESSES]:
            chosen.setdefault(witness.citation.claim, [])
    for witness in side:
        if witness.citation.claim in chosen:
            chosen[witness.citation.claim].append(witness)
    return list(chosen.values())


def costs(cost: Cost) -> str:
    steps = "1 critic step" if cost.critic_steps == 1 else f"{cost.critic_steps} critic steps"
    about = "about " if cost.estimated else ""
    return (
        f"{about}{cost.time:g}× the time for an image and {cost.memory:g}× the memory of a plain DCGAN"
        f"{' (estimated from networks like its own)' if cost.estimated else ''}; "
        f"{cost.networks} networks, {steps} for each of the generator"
    )


def robust(robustness: Robustness) -> str:
    says = (
        f"on the shortlist in {robustness.kept} of {robustness.runs} runs that leave out one source"
    )
    if robustness.lost_without:
        says += f"; not without {listed(robustness.lost_without)}"
    if not robustness.stands_without_praise:
        says += "; not when authors' words on their own method are left out"
    return says


def place(each: Candidate) -> str:
    """What it is made of, beside what its name says already."""
    system = each.combination["architecture"] == each.gan
    parts = (
        f"loss of {option}" if system and slot == "loss" else option
        for slot, option in each.combination.items()
        if option not in (each.gan, "none", "native")
    )
    return ", ".join(parts)


def about(each: Candidate) -> str:
    """Its id and year, or what the control arm is made of."""
    return "the control arm" if each.role == "control" else f"{each.id}, {each.year}"


def tied(each: Candidate, found: Recommendation) -> str:
    if each.role == "control":
        return "control"
    same = sum(other.rank == each.rank for other in found.candidates)
    return f"{each.rank}=" if same > 1 else str(each.rank)


def votes(each: Candidate, needs: Sequence[str]) -> tuple[str, ...]:
    """For and against on each need; the control arm does not stand for election."""
    by_need = {s.need: f"{s.for_}:{s.against}" for s in each.support if each.role != "control"}
    return tuple(by_need.get(need, "") for need in needs)


def stays(each: Candidate) -> str:
    return f"{each.robustness.kept}/{each.robustness.runs}" if each.robustness else ""


LEGEND = (
    "a:b, so many sources for it and against it, of which those with the same authors behind them "
    "count once; cost: time for one image on a processor, a plain DCGAN is 1×; stays: on the "
    "shortlist in so many of the runs that leave out one source; = marks ties"
)


def cut_line(step: Step, names: Mapping[str, str]) -> Line:
    says = f"{step.says} ({step.layer})"
    gone = step.beside_before - step.beside_after
    if step.dropped:
        says += f"; drops {', '.join(named(gan, names) for gan in step.dropped)}"
    elif step.before == step.after:
        says += f"; {own_systems(gone)} {'goes' if gone == 1 else 'go'}"
    notes = tuple(f"but: {citation.says} [{brief(citation)}]" for citation in step.counter[:1])
    return Line(str(step.after), says, sources_of(step), notes)


def own_systems(number: int) -> str:
    """What is no combination on paper, since it joins several or has networks of its own."""
    return f"{number} published {'system' if number == 1 else 'systems'} beside the combinations"


def sources_of(step: Step) -> str:
    return gathered(step.sources, step.citations)


def gathered(sources: Iterable[str], citations: Iterable[Citation]) -> str:
    """Each source once, with the places in it."""
    places: dict[str, dict[str, None]] = {name: {} for name in sources}
    for citation in citations:
        places.setdefault(citation.short, {})[passage(citation)] = None
    return "; ".join(", ".join((name, *where)) for name, where in places.items())


def passage(citation: Citation) -> str:
    """Where in the source, without the sentence: "Table 3"."""
    return citation.locator.split(", row")[0].split(", statement")[0]


def brief(citation: Citation) -> str:
    return f"{citation.short}, {passage(citation)}"


def nothing_left(found: Recommendation) -> Iterator[str]:
    yield "No combination survives these answers."
    last = found.funnel[-1] if found.funnel else None
    if last and not last.after and not last.beside_after:
        instead = f" Use instead: {last.instead}." if last.instead else ""
        yield f"{last.says}. {last.because}{instead}"
    for each in found.relaxations:
        answers = (f"{name} = {said_answer(value)}" for name, value in each.leaves_open.items())
        back = (named(arm, found.names) for arm in each.brings_back)
        yield f"Without {' and '.join(answers)}: {', '.join(back)}."
    task = found.answers.get("task")
    if task and found.serving:
        yield f"Systems that sources report for {task}: {', '.join(found.serving)}."


def refused(refusal: Refusal) -> Iterator[Line]:
    yield Line("", "This is not a GAN problem.")
    yield Line("", refusal.because, "; ".join(refusal.sources))
    for citation in refusal.citations:
        yield Line("", citation.says, f"{citation.short}, {citation.locator}")
    if refusal.instead:
        yield Line("", f"Use {refusal.instead}.")


def closing(found: Recommendation) -> Iterator[str]:
    if len(found.candidates) > 1:
        yield handful(found)
    yield from map(advice, found.advice)
    yield from picks(found)
    if others := found.crowded_out:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        shown = ", ".join(named(arm, found.names) for arm in others[:NAMED])
        yield f"Also possible, below these: {shown}{more}."
    if found.unknown:
        yield (
            f"Still open, and able to change this advice: {', '.join(found.unknown)} "
            "(answer with --set QUESTION=ANSWER, or in gan-advisor ask)."
        )
    if found.overlays:
        laid = (f"{each.name} ({each.fingerprint})" for each in found.overlays)
        yield f"The knowledge base was extended with {listed(list(laid))}."
    yield (
        "Published gaps are largely gaps of tuning and budget (Lucic et al. 2017), and on tables that "
        "it had not seen this order did no better than chance: train the "
        f"{'shortlist' if len(found.candidates) > 1 else 'candidate and its control arm'} "
        "before you believe it."
        if len(found.arms) > 1
        else "Train it, and measure, before you believe any of this."
    )


def handful(found: Recommendation) -> str:
    """All of them in a line, since the ledger between is long."""
    ties = groupby(found.candidates, lambda each: each.rank)
    order = ", ".join(" = ".join(each.name for each in alike) for _, alike in ties)
    beside = f"; beside them {found.control.name}, the control arm" if found.control else ""
    return f"The shortlist: {order}{beside}."


def picks(found: Recommendation) -> Iterator[str]:
    """Which of them to take for which reason; and where there is nothing to choose by."""
    if len(found.candidates) == 1:
        yield "Nothing else in the base fits these answers, so this is no choice between rivals."
        return
    needs = [support.need for support in found.candidates[0].support]
    votes = (s for each in found.candidates for s in each.support)
    if needs and not any(s.for_ or s.against or s.equal for s in votes):
        yield (
            f"No source compares these on {listed(needs)}: they stand in the order of published "
            "numbers where there are any, then of cost."
        )
    names = {each.id: each.name for each in found.candidates}
    if found.conservative and found.conservative == found.bold:
        yield f"Conservative and bold pick alike: {names[found.bold]} (best supported, and newest)."
        return
    says = []
    if found.conservative:
        says.append(
            f"Conservative pick: {names[found.conservative]} (most sources for it, less those "
            "against it)."
        )
    if found.bold:
        says.append(f"Bold pick: {names[found.bold]} (the newest).")
    if says:
        yield " ".join(says)


def advice(remark: Remark) -> str:
    """What is to be heeded whichever candidate is taken."""
    instead = f" Consider {remark.instead}." if remark.instead else ""
    cited = gathered(remark.sources, remark.citations)
    return f"{remark.says}. {remark.because}{instead} [{cited}]"


def named(arm: str, names: Mapping[str, str]) -> str:
    """A GAN as people write it, with the options that tell this arm of it from others."""
    gan, *options = arm.split("+")
    return " ".join([names.get(gan, gan), *([f"({', '.join(options)})"] if options else [])])


def all_named(arms: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(named(arm, names) for arm in arms)


def said_answer(value: Answer) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def listed(names: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
