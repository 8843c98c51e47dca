"""What a rule leaves of the combinations and of the systems beside them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from advisor.facts import Facts
from advisor.space import Node, Space
from knowledge.schema import Rule, Slot


class Survivors(NamedTuple):
    """What is left: combinations as bits, and systems beside the product."""

    alive: int
    beside: tuple[Node, ...]


def cut(
    rule: Rule, left: Survivors, space: Space, keeps: Mapping[str, Callable[[str], bool]]
) -> Survivors:
    """`keeps` tells, for each way a rule may judge a GAN as a whole, whether the GAN stays."""
    alive, beside = left
    for selector in rule.excludes:
        alive &= ~space.where(selector)
        beside = tuple(node for node in beside if not node.fits(selector))
    if rule.keeps_documented:
        alive &= documented(rule.keeps_documented, space)
    for slot in rule.keeps_default:
        alive = defaults(slot, alive, space)
    if rule.keeps:
        keep = keeps[rule.keeps]
        alive &= sum(mask for gan, mask in space.owners.items() if keep(gan))
        beside = tuple(node for node in beside if keep(node.gan.id))
    return Survivors(alive, beside)


def documented(slot: Slot, space: Space) -> int:
    """The combinations whose option in this slot a source reports for their GAN."""
    mask = space.all
    for seat in space.seats(slot):
        if reported := space.reported(slot, seat):
            mask &= ~seat.combinations | space.having(slot, *reported)
    return mask


def defaults(slot: Slot, alive: int, space: Space) -> int:
    """Where a GAN's usual option survives, its other options in that slot go."""
    for seat in space.seats(slot):
        own = alive & seat.combinations
        for option in space.usual(slot, seat):
            if kept := own & space.having(slot, option):
                alive &= ~own | kept
                break
    return alive


def holds(rule: Rule, facts: Facts) -> bool:
    """A fact that nobody knows makes no rule fire, and silences none."""
    wanted = all(known(facts, name, values) for name, values in rule.when.items())
    return wanted and not any(known(facts, name, values) for name, values in rule.unless.items())


def known(facts: Facts, name: str, values: tuple[object, ...]) -> bool:
    """Of several given answers any may be the wanted one."""
    value = facts.get(name)
    return any(each in values for each in value) if isinstance(value, tuple) else value in values
