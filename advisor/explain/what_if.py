"""What other answers would change: the facts, the cuts, and who enters or leaves the shortlist."""

from collections.abc import Mapping
from typing import Any, Literal

from advisor.advise import Advice
from advisor.explain.alternatives import judged
from advisor.explain.place import located
from advisor.explain.reasons import Obstacle, against
from advisor.explain.why_not import surviving
from advisor.hand_over import funnel, refused
from advisor.profile import checked
from advisor.ranking import Arm
from advisor.recommendation import Answer, Refusal, Support
from knowledge.library import Library
from knowledge.schema import Record


class Turned(Record):
    """An answer or a fact, before and after; None: nobody knows it."""

    name: str
    before: Answer | None
    after: Answer | None


class Cut(Record):
    """A rule whose cut is another one now."""

    rule: str
    says: str
    turns: Literal["on", "off", "other"]  # whether it finds anything to cut
    drops: tuple[str, ...]  # GANs that it removes now and did not before
    spares: tuple[str, ...]  # and the other way round


class Move(Record):
    """A candidate of either shortlist. Rank None: not in that one."""

    id: str
    name: str
    before: int | None
    after: int | None
    support_before: tuple[Support, ...] = ()
    support_after: tuple[Support, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()  # what kept it out before, or keeps it out now
    crowded_out: bool = False  # it survives all the same, below the shortlist
    serves: tuple[str, ...] = ()  # other tasks, where that of the other answers has no place for it


class Difference(Record):
    schema_version: Literal[1] = 1
    answers: tuple[Turned, ...]
    facts: tuple[Turned, ...]  # that follow from them
    cuts: tuple[Cut, ...]
    moves: tuple[Move, ...]  # those that changed place, in the order of the new shortlist
    stays: tuple[str, ...]  # candidates whose rank is the same
    combinations_before: int
    combinations_after: int
    refusal_before: Refusal | None = None
    refusal: Refusal | None = None

    @property
    def nothing(self) -> bool:
        return not self.moves and self.refusal == self.refusal_before


def what_if(
    changes: Mapping[str, Any], answers: Mapping[str, Answer], library: Library
) -> Difference:
    """`changes` are raw answers, None to leave one open. Raises InvalidData for a wrong one."""
    given = checked(changes, library)
    left_open = {name for name, value in changes.items() if value is None}
    others = {name: value for name, value in answers.items() if name not in left_open}
    before = Advice(answers, library)
    return difference(before, judged({**others, **given}, before))


def difference(before: Advice, after: Advice) -> Difference:
    old, new = ({arm.id: arm for arm in advice.shortlist()} for advice in (before, after))
    moved = [
        move(old.get(name), new.get(name), before, after)
        for name in (*new, *(name for name in old if name not in new))
        if name not in old or name not in new or old[name].rank != new[name].rank
    ]
    questions = before.library.questions
    facts = turned(before.facts, after.facts)
    return Difference(
        answers=turned(before.answers, after.answers),
        facts=tuple(each for each in facts if each.name not in questions),
        cuts=cuts(before, after),
        moves=tuple(moved),
        stays=tuple(n for n in new if n in old and old[n].rank == new[n].rank),
        combinations_before=survivors(before),
        combinations_after=survivors(after),
        refusal_before=refused(before),
        refusal=refused(after),
    )


def turned(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> tuple[Turned, ...]:
    return tuple(
        Turned(name=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def cuts(before: Advice, after: Advice) -> tuple[Cut, ...]:
    """Only the rules that start or stop to cut, or that spare or drop other GANs."""
    old, new = ({step.rule: step for step in funnel(advice)} for advice in (before, after))
    found = []
    for rule in before.library.rules:
        was, now = old.get(rule.id), new.get(rule.id)
        dropped_before = was.dropped if was else ()
        dropped_after = now.dropped if now else ()
        changed = Cut(
            rule=rule.id,
            says=rule.says,
            turns="other" if was and now else "on" if now else "off",
            drops=tuple(gan for gan in dropped_after if gan not in dropped_before),
            spares=tuple(gan for gan in dropped_before if gan not in dropped_after),
        )
        if (was is None) != (now is None) or changed.drops or changed.spares:
            found.append(changed)
    return tuple(found)


def move(old: Arm | None, new: Arm | None, before: Advice, after: Advice) -> Move:
    arm = new or old
    assert arm
    gan = after.library.gans[arm.gan]
    absent = before if new and not old else after
    survives = False
    obstacles: tuple[Obstacle, ...] = ()
    serves: tuple[str, ...] = ()
    if not (old and new) and not absent.refused_by:
        place = located(gan, arm.combination, absent)
        survives = surviving(place, absent) is not None
        if place.size and not survives:
            obstacles = against(place, absent).obstacles
        serves = () if place.size else gan.tasks
    return Move(
        id=arm.id,
        name=gan.name,
        before=old.rank if old else None,
        after=new.rank if new else None,
        support_before=old.support if old else (),
        support_after=new.support if new else (),
        obstacles=obstacles,
        crowded_out=survives,
        serves=serves,
    )


def survivors(advice: Advice) -> int:
    """Combinations and systems beside the product that no rule cuts."""
    return 0 if advice.refused_by else advice.left.alive.bit_count() + len(advice.left.beside)
