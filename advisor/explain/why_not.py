"""Why a combination is not in the shortlist, and the smallest change that would bring it in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Literal

from advisor.advise import Advice
from advisor.cutting import Survivors
from advisor.explain.alternatives import Alternative, alternatives, judged
from advisor.explain.place import Place, located, place
from advisor.explain.reasons import Obstacle, against, decisive
from advisor.facts import behind
from advisor.hand_over import refused
from advisor.ranking import Arm
from advisor.recommendation import Answer, Refusal, Support
from advisor.space import Combination
from knowledge.library import Library
from knowledge.recipes import hard_rules
from knowledge.schema import SLOTS, Record, Rule

Verdict = Literal["recommended", "control", "below the shortlist", "cut", "refused", "nowhere"]


class Change(Record):
    """Answers that, given otherwise, let a combination survive."""

    ways: dict[str, tuple[str, ...]]  # question -> each answer that would do, in words
    answers: dict[str, Answer | None]  # the best of them; None: left open
    rank: int | None  # in the shortlist then; None: below it


class Instead(Record):
    """The candidate that is nearest to what was asked about."""

    id: str
    name: str
    rank: int
    combination: Combination


class WhyNot(Record):
    schema_version: Literal[1] = 1
    asked: str
    verdict: Verdict
    points: int  # of the combination space that the words cover
    closest: Combination | None = None  # the one of them against which least can be said
    obstacles: tuple[Obstacle, ...] = ()
    hard: Literal["always", "here", "no"] = "no"  # whether a definition or mathematics forbids it
    despite: tuple[str, ...] = ()  # what a recipe names to be built in spite of all that is hard
    changes: tuple[Change, ...] = ()  # each would be enough, and none is larger than it must be
    instead: Instead | None = None
    rank: int | None = None  # where it survives
    support: tuple[Support, ...] = ()
    ahead: tuple[str, ...] = ()  # who comes before it then
    task: str | None = None
    serves: tuple[str, ...] = ()  # tasks, of a GAN that is for others than this one
    covered_by: str | None = None  # the GAN or option that stands for it
    covered_because: str | None = None
    refusal: Refusal | None = None


def why_not(words: str, answers: Mapping[str, Answer], library: Library) -> WhyNot:
    """`answers` are checked ones. Raises InvalidData where `words` name no combination."""
    advice = Advice(answers, library)
    asked = place(words, advice)
    found = WhyNot(asked=asked.says, verdict="cut", points=asked.size)
    if advice.refused_by:
        return found.model_copy(update={"verdict": "refused", "refusal": refused(advice)})
    if not asked.size:
        found = found.model_copy(
            update={"verdict": "nowhere", "changes": changes(asked, (), advice)}
        )
        return found.model_copy(update=absent(asked, advice))
    if alive := surviving(asked, advice):
        return found.model_copy(update=survivor(alive, advice))
    closest, gan, obstacles = against(asked, advice)
    control = dict(asked.options) == advice.control_point
    elsewhere = asked.gan and not advice.serves_the_task(asked.gan.id)
    return found.model_copy(
        update={
            "task": advice.task if elsewhere else None,
            "serves": asked.gan.tasks if asked.gan and elsewhere else (),
            "verdict": "control" if control else "cut",
            "closest": closest,
            "obstacles": obstacles,
            "hard": hardness(asked, obstacles, advice),
            "despite": overridden(obstacles, advice),
            "changes": changes(asked, obstacles, advice),
            "instead": instead(closest, gan.id if gan else None, advice),
        }
    )


def absent(asked: Place, advice: Advice) -> dict[str, object]:
    """Why the space of the task does not hold it."""
    if asked.gan is None:
        return {"task": advice.task}
    covered = asked.gan.covered
    by = advice.library.gans.get(covered.by) if covered else None
    return {
        "task": advice.task,
        "serves": asked.gan.tasks,
        "covered_by": by.name if by else covered.by if covered else None,
        "covered_because": covered.because if covered else None,
    }


def surviving(asked: Place, advice: Advice) -> Survivors | None:
    kept = {node.gan.id for node in advice.left.beside}
    beside = tuple(node for node in asked.points.beside if node.gan.id in kept)
    alive = Survivors(advice.left.alive & asked.points.alive, beside)
    return alive if alive.alive or alive.beside else None


def survivor(alive: Survivors, advice: Advice) -> dict[str, object]:
    """Where what survives stands: in the shortlist, below it, or apart as the control arm."""
    shortlist = advice.shortlist()
    for each in advice.arms:
        if covers(alive, each, advice):
            chosen = each in shortlist
            before = [arm for arm in shortlist if arm.rank < each.rank or not chosen]
            return {
                "verdict": "recommended" if chosen else "below the shortlist",
                "closest": each.combination,
                "rank": each.rank,
                "support": each.support,
                "ahead": tuple(name(arm, advice) for arm in before),
            }
    return {"verdict": "control", "closest": advice.control_point}


def covers(points: Survivors, arm: Arm, advice: Advice) -> bool:
    if arm.gan in {node.gan.id for node in points.beside}:
        return True
    return bool(points.alive & advice.space.point(arm.combination))


def name(arm: Arm, advice: Advice) -> str:
    return advice.library.gans[arm.gan].name


# What to use, and what to change --------------------------------------------------------------


def instead(closest: Combination | None, gan: str | None, advice: Advice) -> Instead | None:
    """Of the same GAN, else what is made of it; else the most alike, the better one first."""
    shortlist = advice.shortlist()
    if closest is None or not shortlist or (gan and not advice.serves_the_task(gan)):
        return None  # what serves another task is no choice between these

    def likeness(arm: Arm) -> tuple[bool, bool, int, int]:
        same = sum(arm.combination[slot] == closest[slot] for slot in SLOTS)
        made_of_it = gan in advice.library.gans[arm.gan].composed_of
        return arm.gan == gan, made_of_it, same, -arm.rank

    nearest = max(shortlist, key=likeness)
    return Instead(
        id=nearest.id,
        name=name(nearest, advice),
        rank=nearest.rank,
        combination=nearest.combination,
    )


def changes(asked: Place, obstacles: Iterable[Obstacle], advice: Advice) -> tuple[Change, ...]:
    """Every answer that would do, given otherwise; else every pair of those in the way.

    In a pair the data set is only left open: another one is rarely anybody's to choose.
    """
    if any(impossible(rule, asked, advice) for rule in advice.rules if out_of_reach(rule)):
        return ()
    single = list(alternatives(advice.answers, advice.library))
    found = list(those_that_help(((each,) for each in single), asked, advice))
    if not found:
        blocking = {each.rule for each in obstacles}
        rules = (rule for rule in advice.rules if rule.id in blocking)
        facts = (fact for rule in rules for fact in decisive(rule, advice))
        blamed = {question for fact in facts for question in (*behind(fact), "dataset")}
        in_the_way = [
            each
            for each in single
            if each.question in blamed and (each.question != "dataset" or each.value is None)
        ]
        pairs = combinations(in_the_way, 2)
        different = (pair for pair in pairs if pair[0].question != pair[1].question)
        found = list(those_that_help(different, asked, advice))
    return tuple(found)


def hardness(
    asked: Place, obstacles: Iterable[Obstacle], advice: Advice
) -> Literal["always", "here", "no"]:
    always = [rule for rule in advice.rules if rule.layer == "hard" and out_of_reach(rule)]
    if any(impossible(rule, asked, advice) for rule in always):
        return "always"
    return "here" if any(each.layer == "hard" for each in obstacles) else "no"


def overridden(obstacles: Iterable[Obstacle], advice: Advice) -> tuple[str, ...]:
    """The rules that a recipe may break on purpose, where nothing else that is hard is in the way."""
    against = {each.rule for each in obstacles if each.layer == "hard"}
    may = {rule.id for rule in hard_rules(advice.library) if rule.excludes}
    return tuple(sorted(against)) if against <= may else ()


def out_of_reach(rule: Rule) -> bool:
    """No answer changes what it cuts. (A tie-break may fall otherwise once its winner is gone.)"""
    return not (rule.when or rule.unless or rule.keeps or rule.keeps_default)


def impossible(rule: Rule, asked: Place, advice: Advice) -> bool:
    """Whether a rule removes every point of the place by itself."""
    kept = advice.cut(rule, asked.points)
    return not kept.alive and not kept.beside


def those_that_help(
    tried: Iterable[tuple[Alternative, ...]], asked: Place, advice: Advice
) -> Iterator[Change]:
    """Those after which the combination survives, the ways to answer one question together."""
    ways: dict[tuple[str, ...], list[tuple[float, tuple[Alternative, ...]]]] = defaultdict(list)
    for changed in tried:
        answers = advice.answers
        for each in changed:
            answers = each.laid_over(answers)
        rank = rank_in(judged(answers, advice), asked)
        if rank is not None:
            ways[tuple(each.question for each in changed)].append((rank, changed))
    for questions, each_way in ways.items():
        best, changed = min(each_way, key=lambda way: way[0])
        yield Change(
            ways={
                question: tuple(dict.fromkeys(way[nth].says for _, way in each_way))
                for nth, question in enumerate(questions)
            },
            answers={each.question: each.value for each in changed},
            rank=int(best) if best < BELOW else None,
        )


BELOW = float("inf")  # survives, but not into the shortlist


def rank_in(other: Advice, asked: Place) -> float | None:
    """None: it does not survive. Another task has another space, where the words are looked up."""
    alive = None if other.refused_by else surviving(located(asked.gan, asked.options, other), other)
    if alive is None:
        return None
    return next((arm.rank for arm in other.shortlist() if covers(alive, arm, other)), BELOW)
