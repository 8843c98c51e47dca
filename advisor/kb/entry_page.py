"""The page of one entry."""

from collections.abc import Iterator
from typing import Any

from advisor.kb import pages
from advisor.kb.names import KINDS
from advisor.kb.page import Fields, Inline, Item, Items, Link, Page, joined
from advisor.kb.related import Quoted
from advisor.kb.show import Shown
from advisor.recommendation import REMEMBERED

# Fields whose words are ids, and of what.
LEAD = {"datasets": "dataset", "dataset": "dataset", "metrics": "metric", "metric": "metric",
        "issues_addressed": "issue", "issues_open": "issue", "tasks": "task", "source": "source",
        "sources": "source", "lineage": "source", "tags": "tag", "aspects": "aspect",
        "claims": "claim", "counter": "claim", "composed_of": "gan", "used_by": "gan", "gan": "gan",
        "gans": "gan", "model": "gan"}  # fmt: skip
LABELS = {"issues_addressed": "addresses", "issues_open": "leaves open", "read_in": "read in",
          "own_method": "by its authors", "how_to_get": "how to get it"}  # fmt: skip
ELSEWHERE = {"summary", "name", "facts", "settings", "variations", "fails", "defaults", "change",
             "checks", "says",
             "about", "one_side", "other_side", "where", "verified", "advice", "title"}  # fmt: skip
SHOWN_AS_FIELDS = {"where", "verified", "fails"}  # of what is neither system nor disagreement


def entry_page(found: Shown) -> Page:
    entry = found.entry
    about = str(entry.get("summary") or entry.get("says") or "")
    return Page(
        titled(found),
        about,
        pages.sections(
            ("", list(fields(found))),
            ("What sources say", stated(entry)),
            ("Its place on the axes", on_axes(entry)),
            ("Published settings", settings(entry)),
            ("Further published forms", variations(found)),
            ("How it usually fails", failures(found)),
            ("What other evidence says", checked(found)),
            (claims_title(found), said(found) if found.kind != "claim" else ()),
            ("The other side", pages.claims(found.opposed)),
            ("Disagreements: both sides", pages.conflicts(found.disagreements)),
            ("Numbers", pages.numbers(found.numbers)),
            ("Where it is used", used(found)),
        ),
    )


def titled(found: Shown) -> str:
    kind = "system" if found.kind == "gan" else found.kind
    if found.kind in ("claim", "rule") or found.name == found.id:
        return f"{found.id} ({kind})"
    return f"{found.name} ({kind} {found.id})"


def claims_title(found: Shown) -> str:
    return "Claims" if found.kind in ("gan", "rule") else "Claims on it"


def checked(found: Shown) -> Iterator[Items]:
    if found.kind == "claim" and (checks := found.entry.get("checks")):
        yield Items(tuple(Item(c["note"], c["status"], (c["where"],)) for c in checks))


def fields(found: Shown) -> Iterator[Fields]:
    left_out = ELSEWHERE
    if found.kind not in ("gan", "conflict"):
        left_out = left_out - SHOWN_AS_FIELDS
    rows = [
        (LABELS.get(key, key.replace("_", " ")), value(key, content))
        for key, content in found.entry.items()
        if key not in left_out and content not in (None, "", [], {})
    ]
    if rows:
        yield Fields(tuple(rows))


def value(key: str, content: Any) -> Inline:  # noqa: ANN401 - whatever the entry holds
    if isinstance(content, list):
        if all(isinstance(part, str) for part in content):
            return joined([word(key, part) for part in content], between(key, content))
        by = "\n" if isinstance(content[0], dict) else ", "
        return (by.join(said_in_words(part) for part in content),)
    if isinstance(content, dict):
        return (said_in_words(content),)
    return (word(key, content) if isinstance(content, str) else said_in_words(content),)


def between(key: str, content: list[str]) -> str:
    if key in LEAD:
        return ", "
    return "\n" if any(part.endswith(".") for part in content) else "; "


def word(key: str, content: str) -> str | Link:
    if key not in LEAD:
        return content
    return Link(content, pages.address(LEAD[key], content))


def said_in_words(content: Any) -> str:  # noqa: ANN401
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, dict):
        if content.keys() == {"id", "says"}:
            return f"{content['id']}: {content['says']}"
        return "; ".join(f"{key}: {said_in_words(part)}" for key, part in content.items())
    if isinstance(content, list):
        return ", ".join(map(said_in_words, content))
    return f"{content:,}" if isinstance(content, int) and content >= 10_000 else str(content)


def stated(entry: dict[str, Any]) -> Iterator[Items]:
    if facts := entry.get("facts"):
        yield Items(
            tuple(
                Item(fact["says"], cite=(Link(fact["source"], f"source:{fact['source']}"),))
                for fact in facts
            )
        )


def on_axes(entry: dict[str, Any]) -> Iterator[Fields]:
    if defaults := entry.get("defaults"):
        yield Fields(
            tuple(
                (slot, (f"{chosen['option']}: {chosen['because']}",))
                for slot, chosen in defaults.items()
            )
        )


def settings(entry: dict[str, Any]) -> Iterator[Items]:
    if published := entry.get("settings"):
        yield Items(
            tuple(
                Item(said_in_words(each["change"]), each.get("optimizer") or "", read_at(each))
                for each in published
            )
        )


def variations(found: Shown) -> Iterator[Items]:
    if known := found.entry.get("variations"):
        yield Items(
            tuple(
                Item(each["says"], f"{found.id}:{name}", read_at(each),
                     (said_in_words(each["change"]),))
                for name, each in known.items()
            )
        )  # fmt: skip


def failures(found: Shown) -> Iterator[Items]:
    if found.kind == "gan" and (known := found.entry.get("fails")):
        yield Items(
            tuple(
                Item(each["says"] + (f" Then try {each['then']}." if each.get("then") else ""),
                     cite=read_at(each))
                for each in known
            )
        )  # fmt: skip


def read_at(each: dict[str, Any]) -> Inline:
    mark = "" if each.get("verified", True) else f"; {REMEMBERED}"
    return (Link(each["source"], f"source:{each['source']}"), f", {each['locator']}{mark}")


def said(found: Shown) -> Iterator[Items]:
    """A GAN's claims rival by rival, so that both directions stand together."""
    if found.kind != "gan":
        yield from pages.claims(found.claims)
        return
    rivals: dict[str, list[Quoted]] = {}
    for quoted in found.claims:
        ends = (quoted.claim.subject, quoted.claim.object)
        rivals.setdefault(ends[ends[0] == found.id], []).append(quoted)
    for quoted_of_rival in rivals.values():
        yield from pages.claims(quoted_of_rival)


def used(found: Shown) -> Iterator[Fields]:
    rows = tuple(
        (kind, joined([Link(name, pages.address(kind, name) if kind in KINDS else name)
                       for name in ids]))
        for kind, ids in found.used_by.items()
    )  # fmt: skip
    if rows:
        yield Fields(rows)
