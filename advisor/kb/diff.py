"""What an overlay changes: entries field by field, and recommendations."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from advisor.advise import recommend
from advisor.profile import read_profile
from advisor.recommendation import Recommendation
from knowledge.library import Entry, Library
from knowledge.schema import Record


class Field(NamedTuple):
    name: str
    before: Any
    after: Any


class Change(NamedTuple):
    """An entry that is new (no fields) or says something else than below."""

    entry: Entry
    is_new: bool
    fields: tuple[Field, ...] = ()


class Advised(NamedTuple):
    """A profile's shortlist without and with the overlay."""

    profile: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    remarks: tuple[str, ...]  # what else is different: ranks, picks, refusals

    @property
    def came(self) -> tuple[str, ...]:
        return tuple(name for name in self.after if name not in self.before)

    @property
    def went(self) -> tuple[str, ...]:
        return tuple(name for name in self.before if name not in self.after)

    @property
    def differs(self) -> bool:
        return self.before != self.after or bool(self.remarks)


class Difference(NamedTuple):
    entries: tuple[Change, ...]
    advice: tuple[Advised, ...]


def diff(below: Library, above: Library, profiles: Sequence[Path]) -> Difference:
    """`above` is `below` with one more overlay."""
    known = {*below.added, *below.overridden}
    new = [Change(entry, True) for entry in above.added if entry not in known]
    changed = [
        Change(entry, False, tuple(fields(text(below, entry), text(above, entry))))
        for entry in above.overridden
        if entry not in known
    ]
    advice = tuple(advised(path, below, above) for path in profiles)
    return Difference((*new, *changed), advice)


def text(library: Library, entry: Entry) -> Mapping[str, Any]:
    """An entry's fields as plain data. One that is a single text has the field `says`."""
    found = look_up(library, entry.kind, entry.id)
    return found.model_dump(mode="json") if isinstance(found, Record) else {"says": found}


def look_up(library: Library, kind: str, name: str) -> Record | str:
    axis, _, inner = name.partition(":")
    settings, words = library.hyperparameters, library.vocabulary
    match kind:
        case "axis":
            return library.axes[axis]  # type: ignore[index]
        case "option":
            return next(o for o in library.axes[axis].options if o.id == inner)  # type: ignore[index]
        case "tag":
            return library.axes[axis].tags[inner]  # type: ignore[index]
        case "rule":
            return next(rule for rule in library.rules if rule.id == name)
        case "baseline":
            return library.baseline
        case "survey-row":
            return next(row for row in library.survey_table_1 if row.gan == name)
        case "published" | "search" | "study":
            listed: Sequence[Any] = {
                "published": settings.published,
                "search": settings.searches,
                "study": settings.studies,
            }[kind]
            return next(each for each in listed if each.id == name)  # type: ignore[no-any-return]
    by_id: Mapping[str, Mapping[str, Any]] = {
        "gan": library.gans, "claim": library.claims, "source": library.sources,
        "dataset": library.datasets, "question": library.questions, "results": library.results,
        "metric": library.metrics, "technique": library.techniques, "variant": library.variants,
        "conflict": library.conflicts, "aspect": words.aspects, "issue": words.issues,
        "task": words.tasks,
    }  # fmt: skip
    return by_id[kind][name]  # type: ignore[no-any-return]


def fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Field]:
    for name in dict.fromkeys((*before, *after)):
        if in_order(before.get(name)) != in_order(after.get(name)):
            yield Field(name, before.get(name), after.get(name))


def in_order(value: Any) -> Any:  # noqa: ANN401 - plain data of any shape
    """Tags are a set: their order says nothing."""
    words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return sorted(value) if words else value


def advised(profile: Path, below: Library, above: Library) -> Advised:
    before, after = (recommend(read_profile(profile, each), each) for each in (below, above))
    return Advised(profile.stem, shortlist(before), shortlist(after), tuple(remarks(before, after)))


def shortlist(found: Recommendation) -> tuple[str, ...]:
    return tuple(candidate.id for candidate in found.candidates)


def remarks(before: Recommendation, after: Recommendation) -> Iterator[str]:
    ranks = {candidate.id: candidate.rank for candidate in before.candidates}
    for candidate in after.candidates:
        if ranks.get(candidate.id, candidate.rank) != candidate.rank:
            yield f"{candidate.id} from rank {ranks[candidate.id]} to {candidate.rank}"
    kept = {candidate.id: candidate for candidate in before.candidates}
    for candidate in after.candidates:
        if candidate.id in kept and candidate.recipe != kept[candidate.id].recipe:
            yield f"{candidate.id} is trained otherwise"
        if candidate.id in kept and candidate.combination != kept[candidate.id].combination:
            yield f"{candidate.id} stands elsewhere on the axes"
    picks: tuple[Literal["conservative", "bold"], ...] = ("conservative", "bold")
    for pick in picks:
        was, now = getattr(before, pick), getattr(after, pick)
        if was != now:
            yield f"{pick} pick: {was or 'none'} → {now or 'none'}"
    if bool(before.refusal) != bool(after.refusal):
        yield "is refused now" if after.refusal else "is no longer refused"
    if before.control and after.control and before.control.recipe != after.control.recipe:
        yield "another control arm"
