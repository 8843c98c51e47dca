"""Systems side by side: axes, what is claimed between them, numbers of one protocol, conflicts."""

from itertools import combinations
from typing import Literal

from advisor.kb.related import (
    Disagreement,
    Quoted,
    claims_between,
    disagreements,
    protocol,
    quote,
)
from advisor.recommendation import REMEMBERED
from knowledge.library import Library
from knowledge.numbers import Result
from knowledge.schema import SLOTS, Failure, Gan, Record

FIELDS = ("year", "kind", "loss", "critic", "generator", "regularization", "normalization",
          "optimizer", "divergence", "datasets", "metrics", "issues_addressed", "issues_open",
          "tasks", "constraints", "limits", "fails")  # fmt: skip


class Between(Record):
    """What is claimed of two of them, in both directions."""

    one: str
    other: str
    claims: tuple[Quoted, ...]


class Numbers(Record):
    """Numbers that may stand side by side, best first."""

    dataset: str
    metric: str
    polarity: Literal["lower", "higher"] | None
    protocol: str
    short: str
    results: tuple[Result, ...]


class Comparison(Record):
    schema_version: Literal[1] = 1
    gans: tuple[str, ...]
    names: dict[str, str]
    fields: dict[str, dict[str, tuple[str, ...]]]  # field -> system -> what is said of it
    between: tuple[Between, ...]
    numbers: tuple[Numbers, ...]
    not_comparable: dict[str, int]  # how many further numbers stand under a protocol of their own
    disagreements: tuple[Disagreement, ...]


def compare(gans: tuple[str, ...], library: Library) -> Comparison:
    """Two or more systems, by id."""
    systems = [library.gans[gan] for gan in gans]
    said = {field: {g.id: words(g, field, library) for g in systems} for field in FIELDS}
    said |= {f"axis: {slot}": {g.id: on_axis(g, slot, library) for g in systems}
             for slot in SLOTS}  # fmt: skip
    numbers = side_by_side(gans, library)
    shown = {result.id for group in numbers for result in group.results}
    every = [number for number in library.archive.numbers if number.model in gans]
    return Comparison(
        gans=gans,
        names={g.id: g.name for g in systems},
        fields={field: row for field, row in said.items() if any(row.values())},
        between=tuple(
            Between(one=one, other=other,
                    claims=tuple(quote(c, library) for c in claims_between(library, one, other)))
            for one, other in combinations(gans, 2)
        ),
        numbers=numbers,
        not_comparable={
            gan: sum(n.model == gan and n.id not in shown for n in every) for gan in gans
        },
        disagreements=tuple(disagreements(library, *gans)),
    )  # fmt: skip


def words(gan: Gan, field: str, library: Library) -> tuple[str, ...]:
    value = getattr(gan, field)
    if value is None or value == ():
        return ()
    if not isinstance(value, tuple):
        return (str(value),)
    if field == "datasets":
        return tuple(library.datasets[each].name for each in value)
    if field == "metrics":
        return tuple(library.archive.metrics[each].name for each in value)
    return tuple(how(each) if isinstance(each, Failure) else each for each in value)


def how(failure: Failure) -> str:
    return failure.says if failure.verified else f"{failure.says} ({REMEMBERED})"


def on_axis(gan: Gan, slot: str, library: Library) -> tuple[str, ...]:
    """Its options on this axis: fixed for a composite, else those that a source reports."""
    fixed = {str(name): option for name, option in gan.combination.items()}
    if slot in fixed:
        return (fixed[slot],)
    if slot == "loss":
        return tuple(o.id for o in library.axes["loss"].options if o.gan == gan.id)
    reported = {str(name): options for name, options in gan.documented.items()}
    default = {str(name): chosen for name, chosen in gan.defaults.items()}.get(slot)
    options = reported.get(slot, (default.option,) if default else ())
    marked = default.option if default and len(options) > 1 else None
    return tuple(f"{o} (default)" if o == marked else o for o in options)


def side_by_side(gans: tuple[str, ...], library: Library) -> tuple[Numbers, ...]:
    """Groups of equal protocol that hold at least two of the systems."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for number in library.archive.numbers:
        if number.model in gans:
            groups.setdefault(protocol(number), []).append(number)
    return tuple(
        Numbers(
            dataset=group[0].dataset,
            metric=group[0].metric,
            polarity=group[0].polarity,
            protocol=in_words(group[0]),
            short=library.sources[group[0].source].short,
            results=tuple(sorted(group, key=best_first)),
        )
        for group in sorted(groups.values(), key=lambda g: (g[0].dataset, g[0].metric))
        if len({number.model for number in group}) > 1
    )


def best_first(number: Result) -> float:
    if number.value is None:
        return float("inf")  # the run failed
    return -number.value if number.polarity == "higher" else number.value


def in_words(number: Result) -> str:
    """The whole protocol in a line."""
    parts = [number.protocol]
    if number.resolution:
        parts.append(f"{number.resolution} px")
    if number.conditional is not None:
        parts.append("conditional" if number.conditional else "unconditional")
    if number.budget_images:
        parts.append(f"{number.budget_images / 1e6:g}M images shown to the critic")
    if number.taken != "reported":
        parts.append(f"the {number.taken} of its checkpoints")
    if number.setting:
        parts.append(number.setting)
    return "; ".join(parts)
