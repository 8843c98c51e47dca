"""What the advisor hands over: the funnel, and a handful of candidates, each with its reasons."""

from typing import Literal

from pydantic import Field

from knowledge.schema import Layer, Recipe, Record, Slot, Stage, Value

Answer = Value | tuple[str, ...]
Standing = Literal["well supported", "plausible", "untested here"]
SCHEMA_VERSION: Literal[1] = 1


class Citation(Record):
    """A claim as it is quoted: what it says, who says it, and where."""

    claim: str
    says: str
    source: str  # id in the library
    short: str  # "Motwani and Parmar 2020"
    locator: str
    url: str
    condition: str | None = None
    checks: tuple[str, ...] = ()  # how other published evidence relates to it
    behind: str | None = None  # "Miyato et al. 2018", whose statement the source repeats


Uncounted = Literal["same authors", "outvoted", "balanced"]
NO_VOTE: dict[Uncounted, str] = {
    "same authors": "not counted again: the same authors",
    "outvoted": "outvoted: the same authors say more to the contrary",
    "balanced": "not counted: the same authors say as much to the contrary",
}


class Testimony(Record):
    """One claim as a witness for or against a candidate, on one stated need."""

    need: str
    vote: Literal[-1, 0, 1]
    lineage: str  # repeats of one source's statements count once
    direct: bool  # measured on the profile's own data set
    own_method: bool = False  # its authors praise, or excuse, their own
    rival: str | None = None  # the other GAN that the claim is on
    # Why it is no vote of its own: its lineage has voted, or says more, or as much, to the contrary.
    uncounted: Uncounted | None = None
    citation: Citation


class Remark(Record):
    """What a rule asks of a candidate."""

    rule: str
    layer: Layer
    says: str
    because: str
    instead: str | None = None
    citations: tuple[Citation, ...] = ()
    counter: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()


REMEMBERED = "as remembered, not looked up"  # of what was not read in the place that it names


class Setting(Record):
    """Where a recipe's settings come from."""

    what: str
    source: str
    short: str
    locator: str
    verified: bool = True  # false: as remembered, and not looked up there


class Failure(Record):
    """How a candidate usually fails, and what to try then."""

    says: str
    then: str | None = None
    rule: str | None = None  # where it is true of all of a kind
    citations: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()  # "Brock et al. 2018, section 4"
    verified: bool = True  # false: as remembered, and not looked up there; `sources` say it


class Support(Record):
    """How a candidate stands on one need: one vote for each lineage of sources."""

    need: str
    for_: int
    against: int
    equal: int

    @property
    def net(self) -> int:
        return self.for_ - self.against


class Cost(Record):
    """What training it takes, beside a plain DCGAN with one critic step."""

    time: float = 1.0  # for one real image shown to the critic
    memory: float = 1.0  # at the peak of training
    networks: int = 2  # that are trained
    critic_steps: int = 1  # for each generator step
    estimated: bool = False  # time and memory are those of networks like its own


class Trouble(Record):
    """A weakness that sources leave with a GAN, and which others are reported to address it."""

    issue: str
    says: str
    then: tuple[str, ...]  # GANs, those of the shortlist first


class Rival(Record):
    """Another candidate from which published numbers tell this one apart."""

    gan: str
    ratio: float  # of the Fréchet distances; below 1: this candidate is better
    sources: tuple[str, ...]  # that measured both side by side; empty: only by way of third ones


class Published(Record):
    """A distance that a source reports on the data set, or on images as large."""

    value: float  # lower is better; of one protocol, and comparable within it alone
    dataset: str
    source: str  # "Karras et al. 2019"
    own_method: bool


class Robustness(Record):
    """Whether the GAN stays on the shortlist when one source is left out at a time."""

    kept: int
    runs: int  # one for each source that has a say in this advice
    lost_without: tuple[str, ...] = ()
    stands_without_praise: bool = True  # still there when nobody speaks of their own method


class Candidate(Record):
    id: str
    name: str
    gan: str
    year: int
    role: Literal["candidate", "control"]
    combination: dict[Slot, str]
    recipe: Recipe
    rank: int  # equal ranks are ties
    standing: Standing
    support: tuple[Support, ...] = ()
    testimony: tuple[Testimony, ...] = ()
    remarks: tuple[Remark, ...] = ()
    settings: tuple[Setting, ...] = ()
    fails: tuple[Failure, ...] = ()
    because: str | None = None  # of the control arm
    sources: tuple[str, ...] = ()  # behind that
    troubles: tuple[Trouble, ...] = ()
    cost: Cost = Cost()
    apart: tuple[Rival, ...] = ()  # candidates that published numbers tell apart from it
    published: tuple[Published, ...] = ()  # where no claims compare on the data set
    robustness: Robustness | None = None


class Step(Record):
    """One rule's cut, and what was left after it."""

    rule: str
    stage: Stage
    layer: Layer
    says: str
    because: str
    instead: str | None = None
    before: int
    after: int
    beside_before: int = 0  # systems that stand beside the product, such as composites
    beside_after: int = 0
    dropped: tuple[str, ...] = ()  # GANs that it removed altogether
    citations: tuple[Citation, ...] = ()
    counter: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()


class Refusal(Record):
    """Not a GAN problem, with what to use instead."""

    rule: str
    because: str
    instead: str | None
    citations: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()


class Relaxation(Record):
    """Answers, or choices of an answer, that would bring candidates back if they were left open."""

    leaves_open: dict[str, Answer]  # as they were answered
    brings_back: tuple[str, ...]


class Overlay(Record):
    """A folder that was laid over the knowledge base for this advice."""

    name: str
    fingerprint: str  # of what its files said


class Recommendation(Record):
    schema_version: Literal[1] = SCHEMA_VERSION
    advisor_version: str
    answers: dict[str, Answer]
    facts: dict[str, Answer]
    funnel: tuple[Step, ...]
    candidates: tuple[Candidate, ...]  # best first; equal ranks are ties
    control: Candidate | None
    crowded_out: tuple[str, ...] = ()  # survivors that did not fit into the handful
    conservative: str | None = (
        None  # the candidate for which most sources speak, less those against
    )
    bold: str | None = None  # the newest one
    advice: tuple[Remark, ...] = ()  # on the whole, not on one candidate
    refusal: Refusal | None = None
    relaxations: tuple[Relaxation, ...] = ()
    unknown: tuple[str, ...] = ()  # facts that rules asked about and nobody gave
    serving: tuple[str, ...] = ()  # every system in the base that serves the task
    names: dict[str, str] = Field(default_factory=dict)  # GAN -> as people write it
    overlays: tuple[Overlay, ...] = ()  # what the base was extended with

    @property
    def arms(self) -> tuple[Candidate, ...]:
        """Everything to train: the candidates and the control arm."""
        return (*self.candidates, *([self.control] if self.control else []))

    @property
    def space_size(self) -> int:
        return self.funnel[0].before if self.funnel else 0
