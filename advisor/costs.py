"""What training a candidate takes, and where it is known to fail."""

from collections.abc import Iterator, Sequence
from math import prod

from advisor.compose import published
from advisor.recommendation import Cost, Trouble
from advisor.space import Combination
from knowledge.library import Library
from knowledge.schema import SLOTS, Gan, Option, Recipe

# A generator's turn beside a critic's, in time: measured by tests/benchmarks/costs.py.
GENERATOR_TURN = 0.8
ALTERNATIVES = 3  # named for each trouble


def cost(combination: Combination, recipe: Recipe, library: Library) -> Cost:
    """Beside a plain DCGAN with one critic step, from the measured costs of the options.

    Of networks that a system brings along nobody measured them: they are those of similar ones.
    """
    steps = recipe.optimizer.critic_steps
    return Cost(
        time=two_digits(time_per_image(combination, steps, library)),
        memory=two_digits(prod(o.relative_memory for o in options(combination, library))),
        networks=networks(combination, library),
        critic_steps=steps,
        estimated=not measured(combination["architecture"], library),
    )


def two_digits(value: float) -> float:
    """More would claim a precision that another machine does not bear out."""
    return float(f"{value:.2g}")


def networks(combination: Combination, library: Library) -> int:
    """As many as the system brings; in the product, as the GAN does whose loss needs further ones."""
    system = library.gans.get(combination["architecture"])
    if system is None or system.network is None:
        loss = library.option("loss", combination["loss"])
        wired = loss is not None and loss.change.structure is not None
        system = library.gans.get(loss.gan or loss.id) if loss and wired else None
    return system.network.networks if system and system.network else 2


def measured(architecture: str, library: Library) -> bool:
    return any(option.id == architecture for option in library.axes["architecture"].options)


def time_per_image(combination: Combination, steps: int, library: Library) -> float:
    """For each real image shown to the critic; the generator moves after every so many steps."""
    turns = (1 + GENERATOR_TURN / steps) / (1 + GENERATOR_TURN)
    return prod(option.relative_cost for option in options(combination, library)) * turns


def options(combination: Combination, library: Library) -> Iterator[Option]:
    for slot in SLOTS:
        if option := library.option(slot, combination[slot]):
            yield option


def critic_steps(gan: Gan, combination: Combination, library: Library) -> int:
    """For each generator step, as the candidate's recipe will have it."""
    settings = published(gan, combination, library)
    used = [each.change for each in settings if each.optimizer in (None, combination["optimizer"])]
    stated = [change.optimizer.get("critic_steps") for change in (gan.change, *used)]
    return next((int(steps) for steps in reversed(stated) if steps), 1)


def troubles(
    gan: Gan, library: Library, gans: Sequence[str], task: str | None
) -> tuple[Trouble, ...]:
    """The weaknesses that sources leave with a GAN, each with what is reported to address it.

    `gans` are those still in the game, best first; they are named before others of the task.
    """
    others = [id_ for id_, g in library.gans.items() if task is None or task in g.tasks]
    in_order = [name for name in dict.fromkeys([*gans, *others]) if name != gan.id]
    found = []
    for issue in gan.issues_open:
        then = [name for name in in_order if issue in library.gans[name].issues_addressed]
        says = library.vocabulary.issues.get(issue, issue)
        found.append(Trouble(issue=issue, says=says, then=tuple(then[:ALTERNATIVES])))
    return tuple(found)
