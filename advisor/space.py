"""All combinations of a handful of axes, as sets of bits: one bit a combination."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import prod
from typing import NamedTuple

from knowledge.library import Library
from knowledge.schema import SLOTS, Gan, Selector, Slot

Combination = dict[Slot, str]


class Space:
    """The product of the axes. A set of combinations is an integer; bit i is combination i."""

    def __init__(self, library: Library) -> None:
        self.axes = {slot: library.axes[slot].options for slot in SLOTS}
        self.size = prod(len(options) for options in self.axes.values())
        self.all = (1 << self.size) - 1
        self.tags = {
            slot: {option.id: {option.id, *option.tags} for option in options}
            for slot, options in self.axes.items()
        }

    @cached_property
    def masks(self) -> dict[tuple[Slot, str], int]:
        """(slot, option) -> the combinations that have it."""
        masks, stride = {}, self.size
        for slot, options in self.axes.items():
            period, stride = stride, stride // len(options)
            tile = self.all // ((1 << period) - 1)  # a one at the start of every period
            for index, option in enumerate(options):
                masks[slot, option.id] = (((1 << stride) - 1) << (index * stride)) * tile
        return masks

    def having(self, slot: Slot, *options: str) -> int:
        mask = 0
        for option in options:
            mask |= self.masks[slot, option]
        return mask

    def where(self, selector: Selector) -> int:
        """The combinations that match in every slot any of its words."""
        mask = self.all
        for slot, words in selector.items():
            matching = (o for o, tags in self.tags[slot].items() if any_fits(words, tags))
            mask &= self.having(slot, *matching)
        return mask

    def combination(self, index: int) -> Combination:
        found: Combination = {}
        stride = self.size
        for slot, options in self.axes.items():
            stride //= len(options)
            found[slot] = options[index // stride % len(options)].id
        return found

    def members(self, mask: int) -> Iterator[int]:
        while mask:
            lowest = mask & -mask
            yield lowest.bit_length() - 1
            mask ^= lowest


def any_fits(words: tuple[str, ...], tags: set[str]) -> bool:
    """`tag` fits where it stands, `!tag` where it does not."""
    return any((word[1:] not in tags) if word.startswith("!") else word in tags for word in words)


class Node(NamedTuple):
    """A system beside the product, such as a composite: judged by the same rules."""

    gan: Gan
    tags: Mapping[Slot, set[str]]

    def fits(self, selector: Selector) -> bool:
        return all(any_fits(words, self.tags[slot]) for slot, words in selector.items())


def nodes(space: Space, library: Library) -> tuple[Node, ...]:
    def tags(gan: Gan, slot: Slot) -> set[str]:
        own = space.tags[slot].get(gan.combination[slot], {gan.combination[slot]})
        return own | gan.tags if slot == "loss" else own

    return tuple(Node(gan, {slot: tags(gan, slot) for slot in SLOTS}) for gan in library.nodes)
