"""What the knowledge base says beforehand of the gallery's systems, and whether it came true.

Two kinds of statement can be held against what was measured: a claim that one system is better than,
worse than or equal to another, and a rule that speaks against something in a system, where there is
the same system without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Literal, NamedTuple

from knowledge.library import Library
from knowledge.recipes import excludes, readings, recipe_of
from knowledge.schema import Claim, Part, Recipe, Rule
from runner.game import build
from runner.scene import ImageShape
from tests.benchmarks.gallery_systems import GROUNDS, SYSTEMS, System, recipe_for

Aspect = Literal["quality", "diversity", "matching"]
Expected = Literal["better", "worse", "equal"]
Verdict = Literal["came true", "did not", "no difference", "cannot be told"]

# What is measured here of what claims speak of. Stability and speed want more seeds, and more time.
MEASURED: Mapping[str, Aspect] = {
    "quality": "quality",
    "diversity": "diversity",
    "mode-collapse": "diversity",
    "distribution-matching": "matching",
}
# From which ratio on two figures of one aspect are told apart; placeholders.
APART: Mapping[Aspect, float] = {"quality": 1.1, "diversity": 1.1, "matching": 1.5}
HERE = {"fashion-mnist", "gaussian-mixture"}  # claims of other data predict nothing for these
STUDIED = ("mm-gan", "ns-gan", "lsgan", "wgan", "wgan-gp", "dragan", "began")  # lucic2017
GROUPS = {"class:all-lucic-gans": STUDIED}


class Prediction(NamedTuple):
    system: str
    against: tuple[str, ...]  # the systems whose middle one it is held against
    aspect: Aspect
    expected: Expected
    by: str  # a claim's or a rule's id
    says: str
    condition: str | None = None


Figures = Mapping[Aspect, Mapping[str, float]]  # of every system that has them; lower is better


def verdict(prediction: Prediction, figures: Figures) -> Verdict:
    """A system that failed has the figure infinity."""
    of = figures[prediction.aspect]
    others = sorted(of[name] for name in prediction.against if name in of)
    if prediction.system not in of or not others:
        return "cannot be told"
    own, other = of[prediction.system], others[len(others) // 2]
    if own == other == inf:
        return "cannot be told"
    found = standing(own, other, APART[prediction.aspect])
    if found == prediction.expected:
        return "came true"
    return "no difference" if found == "equal" else "did not"


def standing(own: float, other: float, apart: float) -> Expected:
    if own == other:
        return "equal"
    if own * apart < other:
        return "better"
    return "worse" if own > other * apart else "equal"


def predictions(library: Library) -> tuple[Prediction, ...]:
    rows = rows_of(library)
    by_claims = (p for claim in library.claims.values() for p in by_claim(claim, rows))
    by_rules = (p for system in SYSTEMS for p in by_rule(system, library))
    order = {system.id: place for place, system in enumerate(SYSTEMS)}
    return tuple(sorted((*by_rules, *by_claims), key=lambda p: order[p.system]))


# Rules -------------------------------------------------------------------------------------------


def by_rule(system: System, library: Library) -> Iterator[Prediction]:
    recipe = recipe_for(system, GROUNDS[-1], library, as_trained=True)
    against = (system.healthy,) if system.healthy else ()
    for rule in warnings(recipe, library):
        for aspect in ("quality", "matching"):
            says = f"{rule.says}. {rule.because}"
            yield Prediction(system.id, against, aspect, "worse", rule.id, says)


def warnings(recipe: Recipe, library: Library) -> list[Rule]:
    """The rules for everybody, hard or recommended, that the recipe breaks as whatever it is read.

    Those that it breaks on purpose are among them. Rules speak of critics: a VAE has none.
    """
    if "critic" not in build(recipe, ImageShape(1, 32), 0).networks:
        return []
    for_all = [rule for rule in library.rules if not rule.when and rule.layer != "undocumented"]
    read = list(readings(recipe, library))
    return [rule for rule in for_all if read and all(excludes(rule, each) for each in read)]


# Claims ------------------------------------------------------------------------------------------


def by_claim(claim: Claim, rows: Mapping[str, tuple[str, ...]]) -> Iterator[Prediction]:
    if claim.refuted or claim.misplaced or claim.direction not in ("better", "worse", "equal"):
        return
    if claim.datasets and not HERE.intersection(claim.datasets):
        return
    aspects = dict.fromkeys(MEASURED[aspect] for aspect in claim.aspects if aspect in MEASURED)
    subjects, objects = rows.get(claim.subject, ()), rows.get(claim.object, ())
    if len(subjects) != 1 or not set(objects) - set(subjects):
        return
    against = tuple(name for name in objects if name != subjects[0])
    for aspect in aspects:
        yield Prediction(
            subjects[0], against, aspect, claim.direction, claim.id, claim.says, claim.condition
        )


def rows_of(library: Library) -> Mapping[str, tuple[str, ...]]:
    """What claims call a system -> the rows that stand for it.

    On networks that are the same for all, several systems may be one: GAN, DCGAN and NS GAN.
    """
    plain = {system.recipe: system.id for system in SYSTEMS if not system.change}
    shapes = {networkless(recipe_of(name, library)): row for name, row in plain.items()}
    rows: dict[str, tuple[str, ...]] = {}
    for gan in library.gans.values():
        if row := plain.get(gan.id) or shapes.get(shape_of(gan.id, library)):
            rows[gan.id] = (row,)
    for name, row in plain.items():
        if name.startswith("fgan:"):
            rows[f"divergence:{name.partition(':')[2]}"] = (row,)
    rows["divergence:gan"] = rows["divergence:jensen-shannon"] = (plain["fgan"],)
    return {**rows, **GROUPS}


def shape_of(gan: str, library: Library) -> str:
    try:
        return networkless(recipe_of(gan, library))
    except LookupError:  # nothing that can be trained
        return ""


def networkless(recipe: Recipe) -> str:
    same = {"backbone": Part(name="the same"), "batch_size": 1}
    return recipe.model_copy(update=same).model_dump_json()


def tally(of: Sequence[Verdict]) -> str:
    """For one cell of the table."""
    told = [verdict for verdict in of if verdict != "cannot be told"]
    return f"{told.count('came true')} of {len(told)}" if told else "–"
