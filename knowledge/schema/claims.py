"""Sources, and what they state."""

from typing import Literal

from knowledge.schema.fields import OneOrMore, Record, Text


class Source(Record):
    """A paper, a survey, an article or a repository."""

    title: str
    authors: str
    year: int
    kind: Literal["paper", "survey", "study", "article", "notes", "code"]
    url: str
    venue: str | None = None
    note: str | None = None

    @property
    def short(self) -> str:
        """As it stands in a sentence: "Lucic et al. 2018"."""
        names = [name.rsplit(" ", 1)[-1] for name in self.authors.split(", ") if name != "et al."]
        if names == ["Anonymous"]:
            return f"{self.title} ({self.year})"
        if "et al." in self.authors or len(names) > 2:
            return f"{names[0]} et al. {self.year}"
        return f"{' & '.join(names)} {self.year}"


class Check(Record):
    """How other published evidence relates to a claim. It does not change what the claim says."""

    status: Literal[
        "supported",
        "contradicted",
        "mixed",
        "nuanced",
        "unverified",
        "overclaim",
        "misprint",
        "superseded",
        "source-located",
        "attribution-doubt",
        "weak-evidence",
        "wording",
        "internal-conflict",
    ]
    note: str
    where: str


Direction = Literal[
    "better",
    "worse",
    "equal",
    "requires",
    "forbids",
    "compatible",
    "differs",
    "generalizes",
    "positive",
    "negative",
    "none",
]


class Claim(Record):
    """One comparative statement of one source, in our words."""

    id: str
    subject: str  # a GAN's id, or kind:name such as technique:spectral-norm
    object: str  # the same, or "self" for a statement without a rival
    aspects: OneOrMore  # keys of vocabulary.yaml: aspects
    direction: Direction  # how the subject stands to the object
    condition: str | None = None
    datasets: tuple[str, ...] = ()  # where it was seen; empty: said without a data set
    says: Text
    source: str  # where it was read
    locator: Text  # the place in that source
    lineage: str  # the source whose authors stand behind the statement: they vote once
    own_method: bool = False  # the lineage introduced the subject or the object
    read_in: Literal["primary", "secondary"] = "secondary"
    checks: tuple[Check, ...] = ()

    @property
    def refuted(self) -> bool:
        return any(check.status == "contradicted" for check in self.checks)

    @property
    def misplaced(self) -> bool:
        """Whether it is doubtful that the statement is on its subject at all."""
        return any(check.status == "attribution-doubt" for check in self.checks)
