"""From an answer to a page. Says who speaks and where, and both sides of a disagreement."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from advisor.kb.compare import Comparison, in_words
from advisor.kb.coverage import Coverage
from advisor.kb.listing import Listing, plural
from advisor.kb.page import (
    Block,
    Cell,
    Fields,
    Grid,
    Inline,
    Item,
    Items,
    Link,
    Note,
    Page,
    Section,
    joined,
)
from advisor.kb.related import Disagreement, Quoted
from advisor.kb.search import Hits
from advisor.kb.tables import Statement, SurveyTable
from knowledge.numbers import Result


def sections(*titled: tuple[str, Iterable[Block]]) -> tuple[Section, ...]:
    """Those that hold something."""
    return tuple(Section(title, found) for title, blocks in titled if (found := tuple(blocks)))


# Claims, disagreements, numbers --------------------------------------------------------------


def claims(quoted: Iterable[Quoted]) -> Iterator[Items]:
    told: dict[str, str] = {}  # what was found out about several claims is said once
    if items := tuple(claim(each, told) for each in quoted):
        yield Items(items)


def claim(each: Quoted, told: dict[str, str]) -> Item:
    c = each.claim
    relation = {"none": "says nothing of", "equal": "equal to", "better": "better than",
                "worse": "worse than"}.get(c.direction, c.direction)  # fmt: skip
    ends = f"{c.subject} {relation}" + ("" if c.object == "self" else f" {c.object}")
    notes = [f"in: {c.condition}"] if c.condition else []
    for check in c.checks:
        first = told.setdefault(check.note, c.id)
        says = f"{check.note} ({check.where})" if first == c.id else f"as for {first}"
        notes.append(f"{check.status}: {says}")
    notes += [f"the other side: {says} [{name}]" for name, says in each.opposed_by.items()]
    own = "; by its authors" if c.own_method else ""
    place = c.locator.split(", row")[0].split(", statement")[0]  # the sentence: `kb show CLAIM`
    cite = (f"{each.short}, {place}{own}; ", Link(c.id, f"claim:{c.id}"))
    return Item(c.says, f"{ends} ({', '.join(c.aspects)})", cite, tuple(notes))


def conflicts(found: Iterable[Disagreement]) -> Iterator[Items]:
    if items := tuple(conflict(each) for each in found):
        yield Items(items)


def conflict(each: Disagreement) -> Item:
    notes = [f"But: {each.other_side}"]
    if each.advice:
        notes.append(f"Advice: {each.advice}")
    where = each.where if each.verified else f"{each.where}; unverified"
    return Item(each.one_side, each.about, (where,), tuple(notes))


def numbers(found: Iterable[Result]) -> Iterator[Items]:
    items, before = [], ""
    for each in found:
        protocol = in_words(each)
        label = f"{each.metric} on {each.dataset}, {each.model}"
        label += f" ({each.variant})" if each.variant else ""
        cite = (Link(each.source, f"source:{each.source}"), f", {each.locator}{trust(each)}")
        notes = (protocol,) if protocol != before else ()
        items.append(Item(value(each), label, cite, notes))
        before = protocol
    if items:
        yield Items(tuple(items))


def trust(each: Result) -> str:
    marks = []
    if not each.verified:
        marks.append(f"unverified, confidence {each.confidence}")
    if each.own_method:
        marks.append("by its authors")
    if each.superseded:
        marks.append("superseded")
    return "".join(f"; {mark}" for mark in marks)


def value(each: Result) -> str:
    if each.value is None:
        return "failed"
    sign = "> " if each.relation == ">" else ""
    return f"{sign}{each.value:g}" + (f" ± {each.std:g}" if each.std is not None else "")


# A table of the survey -----------------------------------------------------------------------


def survey_table(table: SurveyTable) -> Page:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (row.printed_as, *(tuple(map(line, row.cells[column])) for column in table.columns))
        for row in table.rows
    )
    checks: dict[str, list[str]] = {}
    for row in table.rows:
        for statement in (each for cell in row.cells.values() for each in cell):
            for check in statement.checks:
                checks.setdefault(check, []).append(statement.claim or row.printed_as)
    found = tuple(Item(check, ", ".join(concerned)) for check, concerned in checks.items())
    grid = Grid(("GAN", *table.columns), rows, wide=True)
    return Page(
        f"Table {table.number}: {table.title}",
        f"{table.source}, in our words; a * marks what other evidence has something to say on.",
        sections(
            ("", [grid]),
            ("What other evidence says", [Items(found)] if found else []),
            ("Disagreements: both sides", conflicts(table.disagreements)),
        ),
    )


def line(statement: Statement) -> Item:
    says = statement.says + (" *" if statement.checks else "")
    cite = (Link(statement.claim, f"claim:{statement.claim}"),) if statement.claim else ()
    notes = (f"the other side: {said} [{name}]" for name, said in statement.opposed_by.items())
    return Item(says, cite=cite, notes=tuple(notes))


# Side by side --------------------------------------------------------------------------------


def comparison(found: Comparison) -> Page:
    names = [found.names[gan] for gan in found.gans]
    fields = tuple(
        (field.replace("_", " "), *("\n".join(row[gan]) or "-" for gan in found.gans))
        for field, row in found.fields.items()
    )
    claimed: list[Section] = []
    for pair in found.between:
        title = f"Between {found.names[pair.one]} and {found.names[pair.other]}"
        nothing = Note("No source in the base compares these two.")
        claimed.append(Section(title, tuple(claims(pair.claims)) or (nothing,)))
    left = ", ".join(f"{found.names[gan]} {n}" for gan, n in found.not_comparable.items() if n)
    alone = [Note(f"Under a protocol of their own, and so not shown: {left}.")] if left else []
    return Page(
        " against ".join(names),
        sections=(
            Section("Side by side", (Grid(("", *names), fields, wide=len(names) > 3),)),
            *claimed,
            *sections(
                ("Numbers of one protocol, best first", [*measured(found), *alone]),
                ("Disagreements: both sides", conflicts(found.disagreements)),
            ),
        ),
    )


def measured(found: Comparison) -> Iterator[Items]:
    for group in found.numbers:
        better = f", {group.polarity} is better" if group.polarity else ""
        items = []
        for result in group.results:
            extra = ", ".join(part for part in (result.variant, result.network) if part)
            name = found.names[result.model]
            named = f"{name} ({extra})" if extra and not extra.startswith(name) else extra or name
            items.append(f"{named} {value(result)}{mark(result)}")
        title = f"{group.metric} on {group.dataset}{better}"
        yield Items((Item("; ".join(items), title, (group.short,), (group.protocol,)),))


def mark(each: Result) -> str:
    return "" if each.verified else " (unverified)"


# Lists and coverage --------------------------------------------------------------------------


def hits(found: Hits) -> Page:
    rows = tuple(
        (hit.kind, Link(hit.id, address(hit.kind, hit.id)),
         hit.name if not hit.excerpt else f"{hit.name}: {hit.excerpt}")
        for hit in found.hits
    )  # fmt: skip
    shown = len(rows)
    about = f"{found.found} found" + (f", the best {shown} shown" if shown < found.found else "")
    return Page(f"Search: {found.wanted}", about, sections(("", grid(("kind", "id", ""), rows))))


def listed(found: Listing) -> Page:
    rows: tuple[tuple[Cell, ...], ...]
    if found.kind == "gan":
        columns: tuple[str, ...] = ("year", "id", "name", "kind")
        rows = tuple((str(e.year), Link(e.id, e.id), e.name, e.kind or "") for e in found.entries)
    else:
        columns = ("id", "")
        rows = tuple(
            (Link(e.id, address(found.kind, e.id)), e.says or (e.name if e.name != e.id else ""))
            for e in found.entries
        )
    title = "systems" if found.kind == "gan" else plural(found.kind)
    return Page(f"{len(rows)} {title}", sections=sections(("", grid(columns, rows))))


def grid(columns: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> list[Block]:
    return [Grid(columns, rows)] if rows else [Note("Nothing has all of that.")]


def address(kind: str, name: str) -> str:
    return name if kind in ("gan", "topic") else f"{kind}:{name}"


def coverage(found: Coverage) -> Page:
    rows = tuple(
        (Link(s.gan, s.gan), str(s.claims), str(s.lineages),
         str(s.numbers), f"{100 * s.verified // s.numbers} %" if s.numbers else "",
         str(s.disagreements), ", ".join(s.gaps))
        for s in sorted(found.systems, key=lambda s: (-len(s.gaps), s.claims, s.gan))
    )  # fmt: skip
    columns = ("system", "claims", "voices", "numbers", "verified", "disputed", "thin")
    totals = tuple((name, (str(count),)) for name, count in found.totals.items())
    no_source = tuple((plural(kind), entries(kind, ids)) for kind, ids in found.uncited.items())
    unverified: list[tuple[str, Inline]] = [
        (f"{count} in", (Link(table, f"results:{table}"),))
        for table, count in found.unverified_numbers.items()
    ]
    unverified.append(("disagreements", (str(found.unverified_disagreements),)))
    if found.unverified_recipes:
        unverified.append(
            ("settings, forms and ways to fail of", entries("gan", found.unverified_recipes))
        )
    by_count = groupby(found.aspects.items(), key=lambda pair: pair[1])
    rare = tuple(
        (f"{count} claim{'s' if count > 1 else ''}", entries("aspect", [a for a, _ in group]))
        for count, group in by_count
        if count <= 5  # enough to see where the base knows little; ours
    )
    return Page(
        "Coverage: what is thin, uncited, unverified",
        sections=sections(
            ("", [Fields(totals)]),
            ("Systems, the thinnest first", [Grid(columns, rows, right=(1, 2, 3, 4, 5))]),
            ("Without a source", [Fields(no_source)] if no_source else []),
            ("Not read at the place", [Fields(tuple(unverified))]),
            ("Aspects with few claims", [Fields(rare)] if rare else []),
        ),
    )


def entries(kind: str, ids: Iterable[str]) -> Inline:
    return joined([Link(name, address(kind, name)) for name in ids])
