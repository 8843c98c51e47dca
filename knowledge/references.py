"""Every reference of the library, and those that lead nowhere."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from knowledge.layers import Place
from knowledge.library import Library
from knowledge.reading import Problem, nearest
from knowledge.schema import SLOTS, Gan, Rule

# kind of the entry, its id, the word that refers, the known words, what the word should be
Reference = tuple[str, str, str, Iterable[str], str]


def dangling(library: Library, places: Mapping[tuple[str, str], Place]) -> Iterator[Problem]:
    """References that lead nowhere, with file, line and what was probably meant."""
    for kind, entry, word, known, what in references(library):
        if word not in known:
            says = f"{entry}: no {what} {word!r}{nearest(word, known)}"
            yield problem(places.get((kind, entry)), word, says)
    for gan in library.gans.values():
        if missing := incomplete(library, gan):
            says = f"{gan.id}: its loss is no option of axes/loss.yaml, so `change` names {missing}"
            yield problem(places.get(("gan", gan.id)), "combination", says)


def problem(place: Place | None, word: str, says: str) -> Problem:
    """At the line below the entry's first on which the word stands."""
    if place is None:
        return Problem("?", None, says)
    lines = place.path.read_text(encoding="utf-8").splitlines()
    own = re.compile(rf"(?<![\w:-]){re.escape(word)}(?![\w-])")
    start = (place.line or 1) - 1
    found = next((i for i in range(start, len(lines)) if own.search(lines[i])), start)
    return Problem(place.file, found + 1, says)


def references(library: Library) -> Iterator[Reference]:
    return chain(
        of_axes(library),
        chain.from_iterable(of_gan(library, gan) for gan in library.gans.values()),
        of_claims(library),
        chain.from_iterable(of_rule(library, rule) for rule in library.rules),
        of_questions_and_baseline(library),
        of_archive(library),
        of_numbers(library),
    )


def of_axes(library: Library) -> Iterator[Reference]:
    for axis in library.axes.values():
        for option in axis.options:
            entry = f"{axis.id}:{option.id}"
            for tag in option.tags:
                yield "option", entry, tag, axis.tags, "tag"
            for task in option.tasks:
                yield "option", entry, task, library.vocabulary.tasks, "task"
            if option.gan:
                yield "option", entry, option.gan, library.gans, "GAN"
        for tag in axis.waivers:
            yield "axis", axis.id, tag, axis.tags, "tag"


def of_gan(library: Library, gan: Gan) -> Iterator[Reference]:
    sources = [gan.source] if gan.source else []
    sources += [settings.source for settings in gan.settings]
    sources += [fact.source for fact in gan.facts] + [failure.source for failure in gan.fails]
    sources += [variation.source for variation in gan.variations.values()]
    for source in sources:
        yield "gan", gan.id, source, library.sources, "source"
    for dataset in gan.datasets:
        yield "gan", gan.id, dataset, library.datasets, "data set"
    for metric in gan.metrics:
        yield "gan", gan.id, metric, library.metrics, "metric"
    for issue in (*gan.issues_addressed, *gan.issues_open):
        yield "gan", gan.id, issue, library.vocabulary.issues, "issue"
    for task in gan.tasks:
        yield "gan", gan.id, task, library.vocabulary.tasks, "task"
    for part in gan.composed_of:
        yield "gan", gan.id, part, library.gans, "GAN"
    for tag in gan.tags:
        yield "gan", gan.id, tag, library.axes["loss"].tags, "tag"
    for tag in gan.network.tags if gan.network else ():
        yield "gan", gan.id, tag, library.axes["architecture"].tags, "tag"
    architectures = [option.id for option in library.axes["architecture"].options]
    if gan.network:
        yield "gan", gan.id, gan.network.like, architectures, "architecture"
    if gan.covered:
        yield "gan", gan.id, gan.covered.by, (*library.gans, *architectures), "GAN"
    for slot in SLOTS:
        options = [option.id for option in library.axes[slot].options]
        default = gan.defaults.get(slot)
        for name in (*gan.documented.get(slot, ()), *([default.option] if default else [])):
            yield "gan", gan.id, name, options, f"{slot} option"
        for claim in default.claims if default else ():
            yield "gan", gan.id, claim, library.claims, "claim"
        if gan.combination:  # its loss may be its own, and so may its networks
            own = slot == "loss" or (slot == "architecture" and gan.network)
            known = [*options, gan.id] if own else options
            yield "gan", gan.id, gan.combination[slot], known, f"{slot} option"


def incomplete(library: Library, gan: Gan) -> str:
    """What a node with a loss of its own has to set, and does not."""
    if not gan.combination or library.option("loss", gan.combination["loss"]):
        return ""
    return " and ".join(part for part in ("divergence", "loss") if not getattr(gan.change, part))


def of_claims(library: Library) -> Iterator[Reference]:
    for claim in library.claims.values():
        for end in (claim.subject, claim.object):
            if ":" not in end and end != "self":
                yield "claim", claim.id, end, library.gans, "GAN"
        for source in (claim.source, claim.lineage):
            yield "claim", claim.id, source, library.sources, "source"
        for aspect in claim.aspects:
            yield "claim", claim.id, aspect, library.vocabulary.aspects, "aspect"
        for dataset in claim.datasets:
            yield "claim", claim.id, dataset, library.datasets, "data set"


def of_rule(library: Library, rule: Rule) -> Iterator[Reference]:
    for claim in (*rule.claims, *rule.counter):
        yield "rule", rule.id, claim, library.claims, "claim"
    for source in rule.sources:
        yield "rule", rule.id, source, library.sources, "source"
    for selector in (*rule.excludes, *rule.notes):
        for slot, words in selector.items():
            axis = library.axes[slot]
            known = {*axis.tags, *(option.id for option in axis.options)}
            for word in words:
                yield "rule", rule.id, word.removeprefix("!"), known, f"{slot} tag"


def of_questions_and_baseline(library: Library) -> Iterator[Reference]:
    for question in library.questions.values():
        for aspects in question.aspects.values():
            for aspect in aspects:
                yield "question", question.id, aspect, library.vocabulary.aspects, "aspect"
    baseline = library.baseline
    for slot, name in baseline.combination.items():
        known = [option.id for option in library.axes[slot].options]
        yield "baseline", "baseline", name, known, f"{slot} option"
    for source in (*baseline.sources, *(settings.source for settings in baseline.settings)):
        yield "baseline", "baseline", source, library.sources, "source"
    for claim in baseline.claims:
        yield "baseline", "baseline", claim, library.claims, "claim"
    networks = [gan.id for gan in library.gans.values() if gan.network]
    for task, name in baseline.architectures.items():
        yield "baseline", "baseline", task, library.vocabulary.tasks, "task"
        yield "baseline", "baseline", name, networks, "GAN with networks of its own"


def of_archive(library: Library) -> Iterator[Reference]:
    for dataset in library.datasets.values():
        if dataset.source:
            yield "dataset", dataset.id, dataset.source, library.sources, "source"
    for name, metric in library.metrics.items():
        for source in metric.sources:
            yield "metric", name, source, library.sources, "source"
    for name, technique in library.techniques.items():
        for source in technique.sources:
            yield "technique", name, source, library.sources, "source"
        for gan in technique.used_by:
            yield "technique", name, gan, models(library), "GAN"
    for conflict in library.conflicts.values():
        for gan in conflict.gans:
            yield "conflict", conflict.id, gan, models(library), "GAN"
    for row in library.survey_table_1:
        yield "survey-row", row.gan, row.gan, library.gans, "GAN"
        for dataset_id in row.datasets:
            yield "survey-row", row.gan, dataset_id, library.datasets, "data set"
        for metric_id in row.metrics:
            yield "survey-row", row.gan, metric_id, library.metrics, "metric"
        for issue in row.issues_addressed:
            yield "survey-row", row.gan, issue, library.vocabulary.issues, "issue"


def of_numbers(library: Library) -> Iterator[Reference]:
    known = models(library)
    for result in library.archive.numbers:
        yield "result", result.id, result.model, known, "GAN or variant"
        yield "result", result.id, result.dataset, library.datasets, "data set"
        yield "result", result.id, result.metric, library.metrics, "metric"
        yield "result", result.id, result.source, library.sources, "source"
    settings = library.hyperparameters
    for published in settings.published:
        yield "published", published.id, published.model, known, "GAN or variant"
        yield "published", published.id, published.source, library.sources, "source"
        if published.dataset:
            yield "published", published.id, published.dataset, library.datasets, "data set"
    for search in settings.searches:
        yield "search", search.id, search.source, library.sources, "source"
        if search.model:
            yield "search", search.id, search.model, known, "GAN or variant"
    for study in settings.studies:
        yield "study", study.id, study.source, library.sources, "source"


def models(library: Library) -> frozenset[str]:
    """What a number can be of."""
    return frozenset((*library.gans, *(f"variant:{name}" for name in library.variants)))
