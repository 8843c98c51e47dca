"""How an answer, a place or a source is said in a sentence."""

from collections.abc import Iterable, Iterator, Mapping

from advisor.explain.reasons import Since
from advisor.kb.page import Block, Item, Items
from advisor.recommendation import Answer, Citation, Refusal, Support
from knowledge.schema import SLOTS, Slot

NAMED = 8  # answers that do the same are named up to here, more are counted


def source(each: Citation) -> str:
    return f"{each.short}, {each.locator.split(', row')[0].split(', statement')[0]}"


def premise(each: Since) -> str:
    fact = f"{each.fact} = {said(each.value)}"
    if each.dataset:
        return f"{fact} (known of {each.dataset})"
    follows = {name: value for name, value in each.answers.items() if name != each.fact}
    return f"{fact} (from {assigned(follows)})" if follows else f"{fact} (your answer)"


def listed(lines: Iterable[str]) -> Iterator[Block]:
    if items := tuple(Item(line) for line in lines):
        yield Items(items)


def refused(refusal: Refusal | None) -> str:
    if refusal is None:
        return "Not a GAN problem."
    use = f" Use {refusal.instead}." if refusal.instead else ""
    return f"Not a GAN problem. {refusal.because}{use}"


def votes(each: Support) -> str:
    return f"{each.for_} for, {each.against} against; one vote for each lineage of sources"


def spot(combination: Mapping[Slot, str]) -> str:
    """The options of a point, without those that say nothing."""
    named = (combination[slot] for slot in SLOTS)
    return ", ".join(option for option in named if option not in ("none", "native"))


def rank(place: int | None) -> str:
    return ordinal(place) if place else "–"


def ordinal(number: int | None) -> str:
    if number is None:
        return "unranked"
    ending = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"


def several(answers: tuple[str, ...]) -> str:
    more = f" / {len(answers) - NAMED} others" if len(answers) > NAMED + 1 else ""
    return " / ".join(answers[:NAMED] if more else answers) + more


def assigned(answers: Mapping[str, Answer | None]) -> str:
    return ", ".join(
        f"{name} left open" if value is None else f"{name} = {said(value)}"
        for name, value in answers.items()
    )


def unknown_or(value: Answer | None) -> str:
    return "unknown" if value is None else said(value)


def said(value: Answer) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return (
        f"{value:,}"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
    )
