"""What somebody means by a combination: a GAN, options, or both, with the rest left open."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from advisor.advise import Advice
from advisor.cutting import Survivors
from advisor.kb.names import names_of
from knowledge.library import Library, plain
from knowledge.reading import InvalidData, Problem, nearest
from knowledge.schema import SLOTS, Gan, Slot

Choice = tuple[Slot, str]  # an option of an axis


class Place(NamedTuple):
    """A point of the combination space, or all points that have some options in common."""

    gan: Gan | None
    options: Mapping[Slot, str]
    points: Survivors  # what it comes to in the space of the task, before any rule

    @property
    def says(self) -> str:
        return " + ".join([*([self.gan.name] if self.gan else []), *self.options.values()])

    @property
    def size(self) -> int:
        return self.points.alive.bit_count() + len(self.points.beside)


def place(words: str, advice: Advice) -> Place:
    """`wgan-gp`, `wgan-gp+batch-norm` or `loss=wgan-gp,normalization=batch-norm`.

    A slot that is not named is left open. Raises InvalidData.
    """
    if words.strip() == "baseline" and advice.control_point:
        return located(None, advice.control_point, advice)
    playing = {*advice.space.owners, *(node.gan.id for node in advice.everything.beside)}
    gan: Gan | None = None
    options: dict[Slot, str] = {}
    for word in (part.strip() for part in words.replace(",", "+").split("+")):
        named, choice = meaning(word, advice.library)
        if named and not gan and (named.id in playing or not choice):
            gan = named
        elif choice and not (named and gan and not advice.space.of_systems and choice[0] == "loss"):
            slot, option = choice
            if options.setdefault(slot, option) != option:
                raise wrong(words, f"{options[slot]} and {option}: a combination has one {slot}")
        else:
            raise wrong(words, f"{gan and gan.name} and {word}: a combination is of one GAN")
    return located(gan, options, advice)


def located(gan: Gan | None, options: Mapping[Slot, str], advice: Advice) -> Place:
    """Every point of the space that has these options and, if one is named, is this GAN's."""
    alive, beside = advice.everything
    alive &= advice.space.point(options)
    beside = tuple(node for node in beside if options.items() <= dict(node.gan.combination).items())
    if gan:
        alive &= advice.space.owners.get(gan.id, 0)
        beside = tuple(node for node in beside if node.gan.id == gan.id)
    return Place(gan, options, Survivors(alive, beside))


def meaning(word: str, library: Library) -> tuple[Gan | None, Choice | None]:
    """The GAN and the option that a word may stand for. Raises InvalidData where there is none.

    Some words are both: `dcgan` is a GAN and an architecture, `lsgan` a GAN and a loss.
    """
    slot_name, equals, name = word.partition("=")
    if equals:
        return None, chosen(slot_name.strip(), name.strip(), library)
    gans = called(word, {gan.id: (gan.id, *names_of(gan)) for gan in library.gans.values()})
    choices = [(slot, option) for slot in SLOTS for option in called(word, names(slot, library))]
    if len(choices) > 1 and gans:  # a system and its own networks bear one name
        choices = [choice for choice in choices if choice[0] != "architecture"][:1]
    if len(gans) > 1 or len(choices) > 1:
        ways = (*gans, *("=".join(choice) for choice in choices))
        raise wrong(word, f"it may mean {' or '.join(ways)}")
    if not gans and not choices:
        raise wrong(word, f"no GAN and no option of an axis{nearest(word, known_words(library))}")
    return library.gans[gans[0]] if gans else None, choices[0] if choices else None


def chosen(slot_name: str, name: str, library: Library) -> Choice:
    slot = next((slot for slot in SLOTS if slot == slot_name), None)
    if slot is None:
        raise wrong(slot_name, f"no such axis{nearest(slot_name, SLOTS)}")
    known = names(slot, library)
    found = called(name, known)
    if len(found) > 1:
        raise wrong(name, f"it may mean {' or '.join(found)}")
    if not found:
        raise wrong(name, f"no such {slot}{nearest(name, known)}")
    return slot, found[0]


def names(slot: Slot, library: Library) -> dict[str, tuple[str, ...]]:
    return {option.id: (option.id, option.name) for option in library.axes[slot].options}


def called(word: str, known: Mapping[str, Iterable[str]]) -> list[str]:
    """The ids of what bears this name: by id, else by name, else by its letters alone.

    So LSGAN is not LS-GAN, though some call it that.
    """
    for key in known:
        if word.casefold() == key.casefold():
            return [key]
    for spelt in (str.casefold, plain):
        if found := [key for key, said in known.items() if spelt(word) in map(spelt, said)]:
            return found
    return []


def known_words(library: Library) -> Iterator[str]:
    yield from library.gans
    yield from (option.id for axis in library.axes.values() for option in axis.options)


def wrong(what: str, says: str) -> InvalidData:
    return InvalidData([Problem(f"combination {what!r}", None, says)])
