"""What stands against a combination: each rule that would remove it, and what that rests on."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from advisor.advise import Advice
from advisor.cutting import Survivors
from advisor.evidence import citations
from advisor.explain.place import Place
from advisor.facts import DERIVED, ingredients
from advisor.recommendation import Answer, Citation
from advisor.space import Combination, Seat
from knowledge.schema import Gan, Layer, Record, Rule, Slot, Stage

LAYERS: tuple[Layer, ...] = ("hard", "recommended", "undocumented", "tie-break")


class Since(Record):
    """A fact that made a rule fire, and the answers it follows from."""

    fact: str
    value: Answer
    answers: dict[str, Answer]
    dataset: str | None = None  # it is known of this data set, nobody had to say it


class Obstacle(Record):
    """A rule that removes what was asked about."""

    rule: str
    stage: Stage
    layer: Layer
    says: str
    because: str
    since: tuple[Since, ...] = ()  # empty: it holds whatever the answers are
    here: tuple[str, ...] = ()  # what it comes to for this very combination
    instead: str | None = None
    citations: tuple[Citation, ...] = ()
    counter: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()
    by_definition: bool = False  # of a hard rule: it says what belongs to a published system
    silent: tuple[str, ...] = ()  # needs on which nobody speaks for it, nor against it


class Against(NamedTuple):
    closest: Combination | None  # that point of a place against which least can be said
    gan: Gan | None
    obstacles: tuple[Obstacle, ...]


def against(place: Place, advice: Advice) -> Against:
    """The rules that no point of the place escapes, and the point that falls to no other.

    Rules are tried in the order of their weight, so the point breaks no hard rule if any
    point of the place breaks none.
    """
    left, blocking = place.points, []
    for rule, before, _ in sorted(advice.trail(), key=lambda cut: LAYERS.index(cut[0].layer)):
        kept = spared(rule, before, left, advice)
        if kept.alive or kept.beside:
            left = kept
        else:
            blocking.append(rule)
    combination, gan = representative(left, advice)
    in_order = sorted(blocking, key=advice.rules.index)
    return Against(combination, gan, tuple(obstacle(r, combination, gan, advice) for r in in_order))


def spared(rule: Rule, before: Survivors, asked: Survivors, advice: Advice) -> Survivors:
    """Which of the points asked about a rule would leave, had they come as far as that."""
    present = {node.gan.id for node in before.beside}
    newcomers = tuple(node for node in asked.beside if node.gan.id not in present)
    after = advice.cut(rule, Survivors(before.alive | asked.alive, (*before.beside, *newcomers)))
    kept = {node.gan.id for node in after.beside}
    beside = tuple(node for node in asked.beside if node.gan.id in kept)
    return Survivors(after.alive & asked.alive, beside)


def representative(points: Survivors, advice: Advice) -> tuple[Combination | None, Gan | None]:
    if points.alive:
        combination = advice.space.combination(next(advice.space.members(points.alive)))
        return combination, advice.library.gans[advice.space.owner(combination)]
    if points.beside:
        gan = points.beside[0].gan
        return dict(gan.combination), gan
    return None, None


def obstacle(
    rule: Rule, combination: Combination | None, gan: Gan | None, advice: Advice
) -> Obstacle:
    claims = dict.fromkeys(rule.claims)
    if rule.keeps == "serves-the-task" and gan:  # what it says of others is no reason here
        said = advice.library.claims
        claims = {
            each: None for each in claims if gan.id in (said[each].subject, said[each].object)
        }
    witnesses: tuple[Citation, ...] = ()
    silent: tuple[str, ...] = ()
    if combination and gan:
        claims |= dict.fromkeys(c for d in tie_breaks(rule, combination, advice) for c in d[2])
        if rule.keeps == "meets-a-need":
            testimony = advice.evidence.testimony(gan.id)
            witnesses = tuple(w.citation for w in testimony if w.vote < 0)
            support = advice.evidence.support(testimony)
            if not any(each.for_ or each.against for each in support):
                silent = tuple(each.need for each in support)
    return Obstacle(
        rule=rule.id,
        stage=rule.stage,
        layer=rule.layer,
        says=rule.says,
        because=rule.because,
        since=tuple(since(fact, advice) for fact in rests_on(rule, advice)),
        here=tuple(here(rule, combination, gan, advice)) if combination and gan else (),
        instead=rule.instead,
        citations=(*citations(claims, advice.library), *dict.fromkeys(witnesses)),
        counter=citations(rule.counter, advice.library),
        sources=tuple(advice.library.sources[source].short for source in rule.sources),
        by_definition=rule.layer == "hard" and rule.by_definition,
        silent=silent,
    )


def here(rule: Rule, combination: Combination, gan: Gan, advice: Advice) -> Iterator[str]:
    """What a rule that speaks of every GAN says of this one."""
    if slot := rule.keeps_documented:
        for seat in seats(slot, combination, advice):
            reported = " and ".join(advice.space.reported(slot, seat))
            yield f"sources report {gan.name} with {reported}, not with {combination[slot]}"
    for taken, because, _ in tie_breaks(rule, combination, advice):
        yield f"for {gan.name} the usual one is {taken}: {because}"
    if rule.keeps == "serves-the-task":
        if "task" not in advice.facts:
            yield f"task = {advice.task} (taken for granted where nobody says otherwise)"
        served = ", ".join(gan.tasks) or "no task that the base knows"
        yield f"{gan.name} serves {served}"
    if rule.keeps == "compared-on-dataset":
        compared = ", ".join(compared_on(gan, advice))
        yield f"the base compares {gan.name} on {compared or 'no data set by name'}"
    if rule.keeps == "meets-a-need":
        for each in advice.evidence.support(advice.evidence.testimony(gan.id)):
            sources = "1 source" if each.for_ == 1 else f"{each.for_ or 'no'} sources"
            yield f"{each.need}: {sources} for {gan.name}, {each.against or 'none'} against"


def tie_breaks(
    rule: Rule, combination: Combination, advice: Advice
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The option that is taken instead, why, and the claims behind that."""
    for slot in rule.keeps_default:
        for seat in seats(slot, combination, advice):
            usual = advice.space.usual(slot, seat)
            if not usual or usual[0] == combination[slot]:
                continue
            defaults = (gan.defaults.get(slot) for gan in seat.gans)
            own = next((each for each in defaults if each and each.option == usual[0]), None)
            yield usual[0], own.because if own else "as published", own.claims if own else ()


def seats(slot: Slot, combination: Combination, advice: Advice) -> Iterator[Seat]:
    point = advice.space.point(combination)
    return (seat for seat in advice.space.seats(slot) if seat.combinations & point)


def compared_on(gan: Gan, advice: Advice) -> list[str]:
    datasets = advice.library.datasets
    seen = (name for claim in advice.evidence.by_gan[gan.id] for name in claim.datasets)
    return [datasets[name].name for name in dict.fromkeys(seen)]


# What a rule rests on -------------------------------------------------------------------------


def rests_on(rule: Rule, advice: Advice) -> tuple[str, ...]:
    """The known facts that decide whether a rule fires and what it keeps."""
    return tuple(fact for fact in decisive(rule, advice) if fact in advice.facts)


def decisive(rule: Rule, advice: Advice) -> tuple[str, ...]:
    """Those facts, known or not."""
    questions = advice.library.questions.values()
    needs = (question.id for question in questions if question.aspects)
    judged: dict[str | None, tuple[str, ...]] = {
        "serves-the-task": ("task",),
        "meets-a-need": (*needs, "dataset"),
    }
    return tuple(dict.fromkeys((*rule.when, *rule.unless, *judged.get(rule.keeps, ()))))


def since(fact: str, advice: Advice) -> Since:
    behind = dict.fromkeys(answers_behind(fact, advice.answers))
    dataset = advice.evidence.dataset if "dataset" in behind and fact != "dataset" else None
    return Since(
        fact=fact,
        value=advice.facts[fact],
        answers={name: advice.answers[name] for name in behind if name in advice.answers},
        dataset=dataset.name if dataset else None,
    )


def answers_behind(fact: str, answers: Mapping[str, Answer]) -> Iterator[str]:
    """The answers that a fact follows from; what nobody answered is known of the data set."""
    if fact in answers:
        yield fact
    elif fact in DERIVED:
        for each in ingredients(fact):
            yield from answers_behind(each, answers)
    else:
        yield "dataset"
