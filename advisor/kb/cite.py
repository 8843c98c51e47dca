"""BibTeX for the sources behind any entry. Keys are our source ids, which do not change."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from advisor.kb.names import Entry
from knowledge.archive import Archive
from knowledge.library import Library
from knowledge.numbers import Result, ResultTable
from knowledge.schema import Claim, Dataset, Gan, Record, Rule, Source

JOURNALS = {
    "IJCV": "International Journal of Computer Vision",
    "TPAMI": "IEEE Transactions on Pattern Analysis and Machine Intelligence",
    "ACM Computing Surveys": "ACM Computing Surveys",
}
SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
           "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
           "ø": r"{\o}", "Ø": r"{\O}", "ß": r"{\ss}", "ł": r"{\l}", "Ł": r"{\L}", "æ": r"{\ae}",
           "Æ": r"{\AE}", "å": r"{\aa}", "Å": r"{\AA}", "ı": r"{\i}", "đ": r"{\dj}", "–": "--",
           "α": r"$\alpha$", "Δ": r"$\Delta$", "χ": r"$\chi$"}  # fmt: skip
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=",
           "\u0306": "u", "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H",
           "\u030c": "v", "\u0327": "c", "\u0328": "k"}  # fmt: skip


class Citations(Record):
    schema_version: Literal[1] = 1
    sources: dict[str, str]  # key -> BibTeX


def cite(entries: Iterable[Entry], library: Library) -> Citations:
    """The sources of these entries, each once, by key."""
    keys = {key for entry in entries for key in sources_of(entry, library)}
    return Citations(sources={key: bibtex(key, library.sources[key]) for key in sorted(keys)})


def sources_of(entry: Entry, library: Library) -> list[str]:
    """Ids of the sources that this entry rests on, the first to be cited first."""
    return [key for key in dict.fromkeys(cited(entry, library)) if key in library.sources]


def cited(entry: Entry, library: Library) -> Iterator[str]:
    record = entry.record
    if isinstance(record, Source):
        yield entry.id
    elif isinstance(record, Gan):
        yield record.source or ""
        yield from (fact.source for fact in record.facts)
        yield from (setting.source for setting in record.settings)
    elif isinstance(record, Claim):
        yield from (record.source, record.lineage)
    elif isinstance(record, Rule):
        yield from record.sources
        yield from (library.claims[name].source for name in (*record.claims, *record.counter))
    elif isinstance(record, Dataset):
        yield record.source or ""
    elif isinstance(record, ResultTable):
        yield from (result.source for result in record.results)
    elif isinstance(record, Result):
        yield record.source
    elif entry.kind in ("topic", "aspect", "variant", "tag"):
        yield from mentioned(entry, library, library.archive)
    else:  # a technique, a metric, published settings, a study: what they name
        yield from getattr(record, "sources", ())
        yield getattr(record, "source", "")
        words = f"{getattr(record, 'where', '')} {getattr(record, 'one_side', '')} "
        yield from re.findall(r"[\w-]+", words + getattr(record, "other_side", ""))


def mentioned(entry: Entry, library: Library, archive: Archive) -> Iterator[str]:
    """Of what has no source of its own: where it is spoken of."""
    for claim in library.claims.values():
        if entry.address in (claim.subject, claim.object) or entry.id in claim.aspects:
            yield claim.source
    for number in archive.numbers:
        if number.model == entry.address:
            yield number.source


def bibtex(key: str, source: Source) -> str:
    kind, fields = published(source)
    width = max(map(len, fields))
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def published(source: Source) -> tuple[str, dict[str, str]]:
    """The type of the entry and its fields. The year is that of the venue where there is one."""
    fields = {"author": authors(source.authors), "title": title(source.title)}
    venue, year = source.venue or "", str(source.year)
    if stated := re.search(r"\b((?:19|20)\d\d)\b", venue):
        year, venue = stated[1], venue.replace(stated[1], "").strip()
    kind = "misc"
    if venue:
        journal = next((j for short, j in JOURNALS.items() if venue.startswith(short)), None)
        kind = "article" if journal else "inproceedings"
        fields["journal" if journal else "booktitle"] = escape(" ".join((journal or venue).split()))
    fields["year"] = year
    if arxiv := re.search(r"arxiv\.org/abs/([\w./-]+)", source.url):
        fields |= {"eprint": arxiv[1], "archiveprefix": "arXiv"}
    if source.url:
        fields["url"] = source.url.replace("%", r"\%").replace("#", r"\#")
    if not source.url and source.note:
        fields["note"] = escape(source.note)
    return kind, fields


def authors(names: str) -> str:
    people = [name.strip() for name in names.split(",") if name.strip()]
    said = ["others" if name == "et al." else author(name) for name in people]
    return " and ".join(said)


def author(name: str) -> str:
    """A single word is a group or a pen name: braces keep it in one piece."""
    return escape(name) if " " in name else f"{{{escape(name)}}}"


def title(text: str) -> str:
    """Styles put titles in lower case: braces keep GAN, f-GAN and CIFAR-10 as they are."""
    words = text.split(" ")
    return " ".join(
        f"{{{escape(word)}}}" if re.search(r"\w.*[A-Z]|\d|^[B-Z]\W*$", word) else escape(word)
        for word in words
    )


def escape(text: str) -> str:
    """Plain ASCII that LaTeX sets as the text was."""
    return "".join(SPECIAL.get(letter) or accented(letter) for letter in text)


def accented(letter: str) -> str:
    if letter.isascii():
        return letter
    decomposed = unicodedata.normalize("NFD", letter)
    base = decomposed[0]
    for mark in decomposed[1:]:
        if mark not in ACCENTS:
            return letter
        base = f"{{\\{ACCENTS[mark]}{{{base}}}}}"
    return base
