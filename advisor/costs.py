"""What training a candidate takes, and where it is known to fail."""

from collections.abc import Iterator, Sequence
from math import prod

from advisor.recommendation import Cost, Trouble
from advisor.space import Combination
from knowledge.library import Library
from knowledge.schema import SLOTS, Gan, Option, Recipe

# A generator's turn beside a critic's, in time: measured by tests/benchmarks/costs.py.
GENERATOR_TURN = 0.8
MORE_NETWORKS = {  # beyond a generator and a critic, at any one stage of training
    "auto-encoder-critic": 0,
    "auxiliary-classifier": 0,
    "codes": 0,
    "conditional": 0,
    "cycle": 2,  # the way back, and its critic
    "domains": 0,
    "encoder": 1,
    "growing": 0,
    "joint-matching": 2,  # a generator each way, and two critics
    "label-noise": 0,
    "multi-scale": 0,
    "paired": 0,
    "pyramid": 0,
    "semantic": 0,
    "semi-supervised": 0,
    "single-image": 0,
    "tokens": 2,  # an encoder, and the network that learns the order of tokens
    "vae": 0,  # an encoder and a decoder, and no critic
    "vae-gan": 1,
}
MORE_BY_SETTING = {"critics": 1, "styles": 2}  # a second critic; a mapping and a style encoder
ALTERNATIVES = 3  # named for each trouble


def cost(combination: Combination, recipe: Recipe, library: Library) -> Cost:
    """Beside a plain DCGAN with one critic step, from the measured costs of the options.

    Of networks that a system brings along nobody measured them: they are those of similar ones.
    """
    steps = recipe.optimizer.critic_steps
    return Cost(
        time=two_digits(time_per_image(combination, steps, library)),
        memory=two_digits(prod(o.relative_memory for o in options(combination, library))),
        networks=networks(recipe),
        critic_steps=steps,
        estimated=not measured(combination["architecture"], library),
    )


def two_digits(value: float) -> float:
    """More would claim a precision that another machine does not bear out."""
    return float(f"{value:.2g}")


def networks(recipe: Recipe) -> int:
    structure = recipe.structure
    by_setting = (n for name, n in MORE_BY_SETTING.items() if structure.settings.get(name))
    return 2 + MORE_NETWORKS.get(structure.name, 0) + sum(by_setting)


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


def critic_steps(gan: Gan, optimizer: str) -> int:
    """For each generator step, as the GAN's recipe will have it."""
    used = [each.change for each in gan.settings if each.optimizer in (None, optimizer)]
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
