"""The sentences of a recommendation, before they are a terminal's or a Markdown page's."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from advisor.recommendation import (
    Answer,
    Candidate,
    Citation,
    Cost,
    Recommendation,
    Refusal,
    Remark,
    Robustness,
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


def lines(each: Candidate, *, full: bool = False) -> Iterator[Line]:
    """Everything that is said of a candidate, what speaks for it first."""
    if each.because:
        yield Line("because", each.because)
    yield from ledger(each, full=full)
    for remark in each.remarks:
        notes = tuple(f"but: {c.says} [{brief(c)}]" for c in remark.counter[:1])
        label = "must" if remark.layer == "hard" else "heed"
        yield Line(label, f"{remark.says}. {remark.because}", notes=notes)
    for setting in each.settings:
        yield Line("settings", setting.what, f"{setting.short}, {setting.locator}")
    yield Line("costs", costs(each.cost))
    for fails in each.fails:
        yield Line("fails", fails)
    for trouble in each.troubles:
        then = f" Then try {listed(trouble.then)}." if trouble.then else ""
        yield Line("fails", f"{trouble.says}{then}")
    if each.robustness:
        yield Line("robust", robust(each.robustness))


def ledger(each: Candidate, *, full: bool) -> Iterator[Line]:
    """What speaks for it, what against, and what is not known."""
    quoted: set[str] = set()  # what others found out about a claim is said once
    for side, vote in (("for", 1), ("against", -1)):
        for witness in witnesses(each, vote, full=full):
            cited = witness.citation
            checks = tuple(check for check in cited.checks if check not in quoted)
            quoted.update(checks)
            cite = f"{brief(cited)}; {cited.claim}"
            yield Line(side, f"{witness.need}: {cited.says}", cite, checks)
        better = [rival for rival in each.apart if (rival.ratio < 1) == (vote > 0)]
        if better:
            names = listed([f"{rival.gan} (×{rival.ratio:g})" for rival in better])
            says = f"numbers: {'lower' if vote > 0 else 'higher'} Fréchet distance than {names}"
            measured = dict.fromkeys(source for rival in better for source in rival.sources)
            yield Line(side, says, ", ".join(measured) or "by way of third GANs")
    if each.role == "control":
        return
    if not any(witness.vote < 0 for witness in each.testimony):
        yield Line("against", "no claim in scope speaks against it")
    silent = [s.need for s in each.support if not (s.for_ or s.against or s.equal)]
    if silent:
        yield Line("unknown", f"no claim in scope on {listed(silent)}")


def witnesses(each: Candidate, vote: int, *, full: bool) -> list[Testimony]:
    """For each need the claims measured on this data set first; a claim is quoted once."""
    chosen: dict[str, Testimony] = {}
    for need in dict.fromkeys(witness.need for witness in each.testimony):
        own = [w for w in each.testimony if w.need == need and w.vote == vote]
        own.sort(key=lambda witness: not witness.direct)
        for witness in own if full else own[:WITNESSES]:
            chosen.setdefault(witness.citation.claim, witness)
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
    named = (option for option in each.combination.values() if option != each.gan)
    return ", ".join(name for name in named if name not in ("none", "native"))


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
    "for:against, one vote for each lineage of sources; cost: time for one image on a processor, "
    "a plain DCGAN is 1×; stays: on the shortlist in so many of the runs that leave out one "
    "source; = marks ties"
)


def cut_line(step: Step) -> Line:
    says = f"{step.says} ({step.layer})"
    if step.dropped:
        says += f"; drops {', '.join(step.dropped)}"
    notes = tuple(f"but: {citation.says} [{brief(citation)}]" for citation in step.counter[:1])
    return Line(str(step.after), says, sources_of(step), notes)


def sources_of(step: Step) -> str:
    """Each source once, with the places in it."""
    places: dict[str, dict[str, None]] = {name: {} for name in step.sources}
    for citation in step.citations:
        places.setdefault(citation.short, {})[passage(citation)] = None
    return "; ".join(", ".join((name, *where)) for name, where in places.items())


def passage(citation: Citation) -> str:
    """Where in the source, without the sentence: "Table 3"."""
    return citation.locator.split(", row")[0].split(", statement")[0]


def brief(citation: Citation) -> str:
    return f"{citation.short}, {passage(citation)}"


def nothing_left(found: Recommendation) -> Iterator[str]:
    yield "No combination survives these answers."
    for each in found.relaxations:
        answers = (f"{name} = {said_answer(value)}" for name, value in each.leaves_open.items())
        yield f"Without {' and '.join(answers)}: {', '.join(each.brings_back)}"
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
    yield from map(advice, found.advice)
    names = {each.id: each.name for each in found.candidates}
    if found.conservative and found.bold:
        says = f"Conservative pick: {names[found.conservative]} (most sources behind it). "
        yield says + f"Bold pick: {names[found.bold]} (the newest)."
    if others := found.crowded_out:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        yield f"Also possible, below these: {', '.join(others[:NAMED])}{more}."
    if found.unknown:
        yield f"Knowing this would sharpen the advice: {', '.join(found.unknown)}."
    yield (
        "Published gaps are largely gaps of tuning and budget (Lucic et al. 2017): train the "
        "shortlist before you believe the order."
    )


def advice(remark: Remark) -> str:
    """What is to be heeded whichever candidate is taken."""
    instead = f" Consider {remark.instead}." if remark.instead else ""
    cited = dict.fromkeys((*remark.sources, *map(brief, remark.citations)))
    return f"{remark.says}. {remark.because}{instead} [{'; '.join(cited)}]"


def said_answer(value: Answer) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def listed(names: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
