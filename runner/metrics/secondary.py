"""What else the features tell that the distance was worked out from."""

from collections.abc import Collection

from runner.metrics.errors import MetricError
from runner.metrics.frechet import Features
from runner.metrics.neighbours import ROBUST
from runner.metrics.points import Cloud
from runner.metrics.references import Reference

KERNEL = ("kid", "kid-sd")
NEIGHBOURS = ("precision", "recall", "density", "coverage")
SECONDARY = (*KERNEL, *NEIGHBOURS)


def secondary_of(
    features: Features, reference: Reference, names: Collection[str] = SECONDARY
) -> dict[str, float]:
    """Those named, in the order of SECONDARY, without what so few images or points do not have.

    "kid" is over subsets, and "kid-sd" its standard deviation between them; the rest are shares,
    but "density", which is 1 between equals and can be more. Raises MetricError for another name.
    """
    if unknown := sorted(set(names) - set(SECONDARY)):
        raise MetricError(f"There is no {unknown[0]!r} beside a score: {', '.join(SECONDARY)}.")
    few = min(len(features), reference.count)
    found: dict[str, float] = {}
    # A kernel without a scale says something of a network's features, but not of coordinates.
    if not isinstance(reference.target, Cloud) and few >= 4 and {*KERNEL} & {*names}:
        found |= zip(KERNEL, reference.kernel.distance(features), strict=True)
    if few > ROBUST and {*NEIGHBOURS} & {*names}:
        found |= reference.neighbourhoods.shares(features, recall="recall" in names)
    return {name: found[name] for name in SECONDARY if name in names and name in found}
