"""The published numbers that advice rests on: distances, by source and protocol."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # advice reads what was made of them, and starts the sooner
    from knowledge.numbers import Metric, Result


class Run(NamedTuple):
    """One model's number among those that it may be compared with; lower is better."""

    model: str  # a GAN's id, or variant:name as in variants.yaml
    value: float | None  # None: the run failed
    own_method: bool  # the source introduced the model
    needs: tuple[str, ...]  # that the number speaks to


class Measured(NamedTuple):
    """What one source measured under one protocol."""

    source: str
    dataset: str
    protocol: str
    conditional: bool
    runs: tuple[Run, ...]


def measured(results: Iterable["Result"], metrics: Mapping[str, "Metric"]) -> Iterator[Measured]:
    """All distances that can be trusted. Whether labels were used must be said."""
    by_protocol: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for result in results:
        if result.polarity == "lower" and result.conditional is not None and trusted(result):
            by_protocol[protocol(result)].append(result)
    for found in by_protocol.values():
        first = found[0]
        runs = tuple(run(result, metrics.get(result.metric)) for result in found)
        yield Measured(first.source, first.dataset, first.protocol, bool(first.conditional), runs)


def run(result: "Result", metric: "Metric | None") -> Run:
    needs = result.needs or (metric.needs if metric else ())
    return Run(result.model, result.value, result.own_method, needs)


def trusted(result: "Result") -> bool:
    return not result.superseded and result.confidence != "low"


def protocol(result: "Result") -> tuple[object, ...]:
    """All that has to agree before two numbers are compared."""
    return (
        result.source, result.dataset, result.metric, result.protocol, result.taken,
        result.resolution, result.conditional, result.n_generated, result.n_reference,
        result.split, result.features, result.budget_images, result.network, result.setting,
    )  # fmt: skip
