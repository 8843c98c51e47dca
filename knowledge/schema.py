"""The shape of every YAML file in this folder."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

Value = bool | int | float | str
Slot = Literal["architecture", "loss", "regularization", "normalization", "optimizer", "divergence"]
SLOTS: tuple[Slot, ...] = (
    "architecture",
    "loss",
    "regularization",
    "normalization",
    "optimizer",
    "divergence",
)


def as_tuple(value: Any) -> Any:  # noqa: ANN401 - YAML gives one value or a list of them
    return value if isinstance(value, list | tuple | set | frozenset) else (value,)


def whole_sentence(reason: str) -> str:
    if len(reason.split()) < 20:
        raise ValueError("a waiver gives its reason in at least 20 words")
    return reason


def every_slot(combination: dict[Any, str]) -> dict[Any, str]:
    missing = [slot for slot in SLOTS if slot not in combination] if combination else []
    if missing:
        raise ValueError(f"names no {', '.join(missing)}; a combination has every slot or none")
    return combination


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Waiver = Annotated[str, AfterValidator(whole_sentence)]  # why a finding of `kb check` is meant
Point = Annotated[dict[Slot, str], AfterValidator(every_slot)]


def or_one(schema: dict[str, Any]) -> None:
    """For editors: pydantic sees the tuple alone."""
    several = dict(schema)
    schema.clear()
    schema["anyOf"] = [several["items"], several]


Some = Field(min_length=1)
OrOne = Field(json_schema_extra=or_one)
OneOrMore = Annotated[tuple[str, ...], Some, BeforeValidator(as_tuple), OrOne]
OneOrMoreValues = Annotated[tuple[Value, ...], Some, BeforeValidator(as_tuple), OrOne]


class Record(BaseModel):
    """Immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# Sources and claims --------------------------------------------------------------------------


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


# Recipes -------------------------------------------------------------------------------------


class Part(Record):
    """A part of the runner by name, with the settings that differ from its defaults."""

    name: str
    settings: dict[str, Value] = {}


class Optimizer(Record):
    name: Literal["adam", "rmsprop"] = "adam"
    rate: float = 2e-4
    critic_rate: float | None = None  # None: the same (two time scales: Heusel et al., 2017)
    betas: tuple[float, float] = (0.5, 0.999)  # Adam
    smoothing: float = 0.99  # RMSProp
    critic_steps: int = Field(1, ge=1)  # critic updates for each generator update
    critic_weight_decay: float = 0.0
    # After this share of the run the rates fall on a line to zero; None: they stay.
    decay_from: float | None = Field(None, ge=0, lt=1)


class Recipe(Record):
    """How the runner builds and trains a GAN. Data, not a class."""

    structure: Part = Part(name="plain")
    backbone: Part
    latent_dim: int = 128
    divergence: str | Part
    loss: Part
    penalties: tuple[Part, ...] = ()  # on the critic
    generator_penalties: tuple[Part, ...] = ()
    augmentations: tuple[Part, ...] = ()  # of all that the critic sees
    normalizers: tuple[Part, ...] = ()  # re-parameterised critic weights
    constraints: tuple[Part, ...] = ()  # after each critic step
    critic_norm: Literal["none", "batch-norm", "layer-norm", "instance-norm"] = "none"
    generator_norm: Literal["none", "batch-norm", "layer-norm", "instance-norm"] = "batch-norm"
    optimizer: Optimizer = Optimizer()
    batch_size: int = Field(64, ge=2)
    despite: tuple[str, ...] = ()  # rules of coherence that it breaks on purpose


class RecipeChange(Record):
    """What an option of an axis, or a published GAN, sets in a recipe."""

    structure: Part | None = None
    backbone: Part | None = None
    latent_dim: int | None = None
    divergence: str | Part | None = None
    loss: Part | None = None
    penalties: tuple[Part, ...] | None = None
    generator_penalties: tuple[Part, ...] | None = None
    augmentations: tuple[Part, ...] | None = None
    normalizers: tuple[Part, ...] | None = None
    constraints: tuple[Part, ...] | None = None
    critic_norm: str | None = None
    generator_norm: str | None = None
    optimizer: dict[str, Any] = {}  # fields of Optimizer, merged one by one
    batch_size: int | None = None
    despite: tuple[str, ...] | None = None


class PublishedSettings(Record):
    """The settings that a source gives for one optimizer (or for any), as it gives them."""

    optimizer: Literal["adam", "rmsprop"] | None = None  # None: whichever is used
    change: RecipeChange
    source: str
    locator: str
    verified: bool = True  # false: as remembered, and not looked up there


class Variation(Record):
    """Another published form of a system, trained as `system:name`."""

    says: str
    change: RecipeChange
    source: str
    locator: str
    verified: bool = True  # false: as remembered, and not looked up there


class Failure(Record):
    """How a system usually fails, and what to try then."""

    says: Text
    then: Text | None = None
    source: str
    locator: str
    verified: bool = True  # false: as remembered, and not looked up there


# The combination space -----------------------------------------------------------------------


class Option(Record):
    id: str
    name: str
    tags: frozenset[str] = frozenset()
    gan: str | None = None  # a loss option stands for this published GAN
    change: RecipeChange = RecipeChange()
    tasks: tuple[str, ...] = ()  # an architecture's; empty: any
    beside: bool = False  # not among the combinations of the review, but taken by a later system
    relative_cost: float = 1.0  # time for one image shown to the critic, against the plain option
    relative_memory: float = 1.0  # at the peak of training, likewise
    note: str | None = None
    waiver: Waiver | None = None


class Axis(Record):
    id: Slot
    name: str
    assumption: str | None = None
    tags: dict[str, str] = {}  # what each tag of this axis means
    waivers: dict[str, Waiver] = {}  # of tags
    options: tuple[Option, ...]


class Network(Record):
    """The networks and the wiring that a system brings along, as an option of the first axis."""

    tags: frozenset[str] = frozenset()
    change: RecipeChange = RecipeChange()
    like: str = "dcgan"  # the architecture whose measured costs are taken for those of a pair
    networks: int = Field(2, ge=2)  # that are trained


class Covered(Record):
    """Why a system has no place of its own: another entry of the space stands for it."""

    by: str  # a GAN that has a place, or an option of the architecture axis
    because: str


class Default(Record):
    """The option that a GAN's combination takes where nothing tells the options apart."""

    option: str
    because: str
    claims: tuple[str, ...] = ()
    ours: bool = False  # our tie-break, not a source's


class Conflict(Record):
    """Two sources, or two places of one, that disagree. Both sides stand."""

    about: str
    one_side: str
    other_side: str
    where: str
    verified: bool


class Fact(Record):
    says: str
    source: str


class Gan(Record):
    """A published system: what the sources say of it."""

    id: str
    name: str  # as people write it: WGAN-GP
    full_name: str
    aliases: tuple[str, ...] = ()
    name_warning: str | None = None
    year: int
    source: str | None = None  # the paper that introduced it
    venue: str | None = None
    kind: str
    summary: str
    loss: str | None = None
    critic: tuple[str, ...] = ()
    generator: tuple[str, ...] = ()
    regularization: str | None = None
    normalization: str | None = None
    optimizer: str | None = None
    divergence: str | None = None
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    issues_addressed: tuple[str, ...] = ()
    issues_open: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    basis: str | None = None  # where the fields above were read
    # Its place in the combination space:
    documented: dict[Slot, tuple[str, ...]] = {}  # options that a source reports for it
    defaults: dict[Slot, Default] = {}
    tags: frozenset[str] = frozenset()
    composed_of: tuple[str, ...] = ()  # GANs whose ideas it joins: a node beside the product
    combination: Point = {}  # where such a node stands on the axes
    network: Network | None = None  # where it names itself as its architecture
    covered: Covered | None = None
    settings: tuple[PublishedSettings, ...] = ()
    change: RecipeChange = RecipeChange()
    variations: dict[str, Variation] = {}
    fails: tuple[
        Failure, ...
    ] = ()  # by itself; what its kind has in common is in rules/failures.yaml
    # What one file may bring along; the library holds it with the others of its kind:
    claims: tuple[Claim, ...] = ()
    sources: dict[str, Source] = {}


class Dataset(Record):
    id: str
    name: str
    images: int | None = None  # for training
    test_images: int | None = None
    resolution: int | None = None  # pixels a side; None: it varies
    channels: Literal[1, 3] | None = None
    classes: int | None = None
    licence: str | None = None
    how_to_get: str
    kind: Literal["images", "toy", "text"] = "images"
    aliases: tuple[str, ...] = ()
    source: str | None = None
    note: str | None = None


# Rules and questions -------------------------------------------------------------------------

Stage = Literal["coherence", "practice", "documented", "network", "loss", "regularization",
                "divergence", "handful"]  # fmt: skip
STAGES: dict[Stage, str] = {  # in the order of the funnel, as people read them
    "coherence": "Coherence: what can be built at all",
    "practice": "Recommended practice",
    "documented": "Documented by some source",
    "network": "1. Which networks for generator and critic?",
    "loss": "2. Which losses?",
    "regularization": "3. Is regularization needed, and which?",
    "divergence": "4. Is another divergence needed?",
    "handful": "One combination for each loss",
}
Layer = Literal["hard", "recommended", "undocumented", "tie-break"]
Selector = dict[Slot, OneOrMore]  # slot -> tags or option ids, any of which; "!tag" is its negation


class Rule(Record):
    """While the facts hold, combinations are cut or carry a remark."""

    id: str
    stage: Stage
    layer: Layer
    says: str  # one line, as it stands in the funnel
    because: str
    instead: str | None = None
    when: dict[str, OneOrMoreValues] = {}  # fact -> wanted values; an unknown fact: silent
    unless: dict[str, OneOrMoreValues] = {}  # any of these, when known, silences it
    excludes: tuple[Selector, ...] = ()  # combinations that match any of these are cut
    notes: tuple[Selector, ...] = ()  # or carry it as a remark: a must (hard) or a should
    refuses: bool = False  # not a GAN problem
    advises: bool = False  # is said once, of the whole recommendation
    fails: bool = False  # tells how what it notes usually fails; `instead` is what to try then
    keeps_documented: Slot | None = None  # cut what no source reports for that GAN
    keeps_default: tuple[Slot, ...] = ()  # of several options keep the GAN's default
    keeps: Literal["serves-the-task", "compared-on-dataset", "meets-a-need"] | None = None
    claims: tuple[str, ...] = ()
    counter: tuple[str, ...] = ()  # claims that speak against the rule
    sources: tuple[str, ...] = ()  # where no claim of the base says it
    waiver: Waiver | None = None


class Choice(Record):
    id: str
    says: str


class Question(Record):
    id: str  # the fact that the answer gives
    asks: str
    why: str
    unlocks: str | None = None  # what hangs on the answer
    answer: Literal["choice", "choices", "number", "dataset"]
    choices: tuple[Choice, ...] = ()
    aspects: dict[str, tuple[str, ...]] = {}  # choice -> aspects of claims that speak to it
    default: Value | None = None
    unit: str | None = None


class Baseline(Record):
    """The control arm: trained beside every shortlist."""

    name: str
    combination: Point
    because: str
    sources: tuple[str, ...]
    claims: tuple[str, ...] = ()
    settings: tuple[PublishedSettings, ...] = ()
    architectures: dict[str, str] = {}  # task -> what takes the place of its architecture there


class Vocabulary(Record):
    aspects: dict[str, str] = {}
    issues: dict[str, str] = {}
    tasks: dict[str, str] = {}
