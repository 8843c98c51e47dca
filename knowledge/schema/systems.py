"""The combination space, the published systems in it, and the data that they are trained on."""

from typing import Literal

from pydantic import Field

from knowledge.schema.claims import Claim, Source
from knowledge.schema.fields import Point, Record, Slot, Text, Waiver
from knowledge.schema.recipes import PublishedSettings, RecipeChange, Variation


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


class Failure(Record):
    """How a system usually fails, and what to try then."""

    says: Text
    then: Text | None = None
    source: str
    locator: str
    verified: bool = True  # false: as remembered, and not looked up there


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
    # By itself; what its kind has in common is in rules/failures.yaml:
    fails: tuple[Failure, ...] = ()
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


class Baseline(Record):
    """The control arm: trained beside every shortlist."""

    name: str
    combination: Point
    because: str
    sources: tuple[str, ...]
    claims: tuple[str, ...] = ()
    settings: tuple[PublishedSettings, ...] = ()
    architectures: dict[str, str] = {}  # task -> what takes the place of its architecture there
