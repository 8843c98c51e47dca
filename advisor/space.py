"""All combinations of a handful of axes, as sets of bits: one bit a combination."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import prod
from typing import NamedTuple

from knowledge.library import Library
from knowledge.schema import SLOTS, Gan, Option, Selector, Slot

Combination = dict[Slot, str]


class Seat(NamedTuple):
    """A part of the product, and the GANs that speak for it: the first where it has a say."""

    combinations: int
    gans: tuple[Gan, ...]


class Space:
    """The product of the axes. A set of combinations is an integer; bit i is combination i.

    Where the architectures of the review serve the task, a combination is of the GAN that its loss
    stands for. Where none of them does, the systems that serve it take their place: each
    brings its own networks and wiring, and any loss, regularization and so on may be tried on it.
    """

    def __init__(self, library: Library, task: str | None = None) -> None:
        self.library = library
        every = {slot: library.axes[slot].options for slot in SLOTS}
        plain = tuple(o for o in every["architecture"] if serves(o, task or default_task(library)))
        self.of_systems = not plain
        # 5040 is what the review counts; later systems take a few options more.
        self.axes: dict[Slot, tuple[Option, ...]] = {
            slot: options if self.of_systems else tuple(o for o in options if not o.beside)
            for slot, options in every.items()
        } | {"architecture": plain or tuple(hosts(library, task))}
        self._matching: dict[tuple[Slot, tuple[str, ...]], int] = {}
        self.size = prod(len(options) for options in self.axes.values())
        self.all = (1 << self.size) - 1
        self.tags = {
            slot: {option.id: {option.id, *option.tags} for option in (*every[slot], *own)}
            for slot, own in self.axes.items()
        }
        for gan in library.nodes:
            if gan.network:
                self.tags["architecture"][gan.id] = {gan.id, *gan.network.tags}

    @cached_property
    def masks(self) -> dict[tuple[Slot, str], int]:
        """(slot, option) -> the combinations that have it."""
        masks, stride = {}, self.size
        for slot, options in self.axes.items() if self.size else ():
            period, stride = stride, stride // len(options)
            tile = self.all // ((1 << period) - 1)  # a one at the start of every period
            for index, option in enumerate(options):
                masks[slot, option.id] = (((1 << stride) - 1) << (index * stride)) * tile
        return masks

    def having(self, slot: Slot, *options: str) -> int:
        """Options that are not in the product match nothing."""
        mask = 0
        for option in options:
            mask |= self.masks.get((slot, option), 0)
        return mask

    def where(self, selector: Selector) -> int:
        """The combinations that match in every slot any of its words."""
        mask = self.all
        for slot, words in selector.items():
            mask &= self.matching(slot, words)
        return mask

    def matching(self, slot: Slot, words: tuple[str, ...]) -> int:
        """Asked again for every profile and every source that is left out."""
        key = slot, words
        if key not in self._matching:
            options = (o for o, tags in self.tags[slot].items() if any_fits(words, tags))
            self._matching[key] = self.having(slot, *options)
        return self._matching[key]

    def point(self, combination: Mapping[Slot, str]) -> int:
        """The one combination, as a set; empty where the product does not hold it."""
        mask = self.all
        for slot, option in combination.items():
            mask &= self.having(slot, option)
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

    # Whose combination it is -------------------------------------------------------------------

    @cached_property
    def owners(self) -> dict[str, int]:
        """GAN -> its combinations."""
        slot: Slot = "architecture" if self.of_systems else "loss"
        found: dict[str, int] = {}
        for option in self.axes[slot] if self.size else ():
            gan = option.gan or option.id
            found[gan] = found.get(gan, 0) | self.having(slot, option.id)
        return found

    def owner(self, combination: Mapping[Slot, str]) -> str:
        slot: Slot = "architecture" if self.of_systems else "loss"
        option = self.library.option(slot, combination[slot])
        return option.gan or option.id if option else combination[slot]

    def seats(self, slot: Slot) -> Iterator[Seat]:
        """Who has a say on a slot. On a system the GAN of the loss is asked after the system."""
        gans = self.library.gans
        if not self.of_systems or slot == "loss":
            yield from (Seat(mask, (gans[gan],)) for gan, mask in self.owners.items())
        elif slot != "architecture":
            for gan, mask in self.owners.items():
                for loss in self.axes["loss"]:
                    own = mask & self.having("loss", loss.id)
                    yield Seat(own, (gans[gan], gans[loss.gan or loss.id]))

    def reported(self, slot: Slot, seat: Seat) -> tuple[str, ...]:
        """The options that a source reports there; none: nobody was asked."""
        own, *others = seat.gans
        if slot in own.documented or not self.of_systems:
            return own.documented.get(slot, ())
        if slot == "loss":
            return (own.combination[slot],)
        published = (own.combination[slot],) if self.as_published(seat) else ()
        return (*published, *(o for other in others for o in other.documented.get(slot, ())))

    def usual(self, slot: Slot, seat: Seat) -> tuple[str, ...]:
        """What is taken there where nothing tells the options apart, the first choice first."""
        own, *others = seat.gans
        chosen = [own.defaults[slot].option] if slot in own.defaults else []
        if self.of_systems and (slot == "loss" or self.as_published(seat)):
            chosen.append(own.combination[slot])
        return (*chosen, *(gan.defaults[slot].option for gan in others if slot in gan.defaults))

    def as_published(self, seat: Seat) -> bool:
        """Whether a system is played with the loss that its authors gave it."""
        loss = seat.gans[0].combination["loss"]
        return bool(seat.combinations & self.having("loss", loss))


def default_task(library: Library) -> str | None:
    """Without a word on the task, only what needs images and nothing else."""
    default = library.questions["task"].default
    return str(default) if default else None


def serves(option: Option, task: str | None) -> bool:
    return task is None or not option.tasks or task in option.tasks


def hosts(library: Library, task: str | None) -> Iterator[Option]:
    """Systems as options of the architecture axis: their own networks, but a loss of the space."""
    for gan in library.nodes:
        known = library.option("loss", gan.combination["loss"])
        option = library.option("architecture", gan.id)
        if option and task in gan.tasks and known:
            yield option


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
    """Every system with a place of its own that the product does not hold already."""

    def tags(gan: Gan, slot: Slot) -> set[str]:
        own = space.tags[slot].get(gan.combination[slot], {gan.combination[slot]})
        return own | gan.tags if slot == "loss" else own

    return tuple(
        Node(gan, {slot: tags(gan, slot) for slot in SLOTS})
        for gan in library.nodes
        if gan.id not in space.owners
    )
