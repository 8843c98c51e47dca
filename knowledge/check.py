"""python -m knowledge.check: every mistake in the knowledge base, with file and line."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.building import Built, attempt, in_order_of_files
from knowledge.library import HERE, Library
from knowledge.reading import Problem
from knowledge.references import problem


def main(overlays: Sequence[str]) -> int:
    """What can be told without the engine; `gan-advisor kb check` tells the rest too."""
    found, problems = attempt(HERE, [Path(folder) for folder in overlays])
    if found:
        problems += findings(found)
    for mistake in problems:
        print(mistake, file=sys.stderr)
    if problems or not found:
        print(f"{len(problems)} mistakes in the knowledge base", file=sys.stderr)
        return 1
    print(f"knowledge base: {summary(found.library)}, no mistakes")
    return 0


def summary(library: Library) -> str:
    return (
        f"{len(library.gans)} GANs, {len(library.claims)} claims, {len(library.archive.numbers)} "
        f"numbers, {len(library.rules)} rules, {len(library.sources)} sources"
    )


def findings(found: Built) -> list[Problem]:
    """Entries that are valid each by itself, and yet do not belong in a base like this."""
    checks = (
        uncited_sources,
        rules_that_cite_nothing,
        tags_no_rule_uses,
        numbers_of_no_protocol,
        left_to_fill_in,
    )
    return sorted((each for check in checks for each in check(found)), key=in_order_of_files)


def uncited_sources(found: Built) -> Iterator[Problem]:
    """A source counts as cited where any text names it, such as the place of a reprint."""
    library = found.library
    own = library.model_dump_json(exclude={"sources", "added", "overridden"})
    texts = own + library.archive.model_dump_json()
    cited = set(re.findall(r"[\w-]+", texts))
    for name in library.sources:
        if name not in cited:
            yield problem(found.places.get(("source", name)), name, f"nobody cites {name}")


def rules_that_cite_nothing(found: Built) -> Iterator[Problem]:
    for rule in found.library.rules:
        if not rule.claims and not rule.sources:
            says = f"{rule.id} cites neither a claim nor a source"
            yield problem(found.places.get(("rule", rule.id)), rule.id, says)


def tags_no_rule_uses(found: Built) -> Iterator[Problem]:
    used = {
        (slot, word.removeprefix("!"))
        for rule in found.library.rules
        for selector in (*rule.excludes, *rule.notes)
        for slot, words in selector.items()
        for word in words
    }
    for slot, axis in found.library.axes.items():
        for tag in axis.tags:
            place = found.places.get(("tag", f"{slot}:{tag}"))
            if (slot, tag) not in used and tag not in axis.waivers:
                yield problem(place, tag, f"no rule uses the {slot} tag {tag}")
            if (slot, tag) in used and tag in axis.waivers:
                yield problem(place, tag, f"the {slot} tag {tag} needs no waiver: a rule uses it")


def numbers_of_no_protocol(found: Built) -> Iterator[Problem]:
    """A score of samples without sample sizes has to say that its source does not state them."""
    numbers = found.library.archive.numbers
    of_samples = {result.metric for result in numbers if result.n_generated}
    for result in numbers:
        given = result.n_generated or result.n_reference or result.split
        if result.metric in of_samples and not given and "not stated" not in result.protocol:
            says = (
                f"{result.id}: a number of {result.metric} without its protocol: give n_generated, "
                "n_reference or split, or say that they are not stated"
            )
            yield problem(found.places.get(("result", result.id)), result.id, says)


def left_to_fill_in(found: Built) -> Iterator[Problem]:
    """Templates mark what is left to say with an ellipsis."""
    blank = re.compile(r"^[^#]*?([\w-]+): *\[?\"?(https://)?…")
    files = {(place.path, place.file) for place in found.places.values()}
    for path, file in sorted(files):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if match := blank.match(line):
                yield Problem(file, number, f"{match[1]}: is still to be filled in")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
