"""The shape of published numbers: results/, metrics.yaml and hyperparameters.yaml."""

from typing import Any, Literal

from pydantic import Field, model_validator

from knowledge.schema import Record, Text, Value

Bounds = tuple[float, float]


class Result(Record):
    """One published number with the protocol that it holds under."""

    id: str
    model: str  # a GAN's id, or variant:name as in variants.yaml
    variant: str | None = None  # what set this run apart, as the table prints it
    dataset: str
    metric: str  # a key of metrics.yaml
    value: float | None  # None: the run failed
    relation: Literal["=", ">"] = "="
    std: float | None = None
    taken: Literal["reported", "best", "last", "mean"] = "reported"  # of a run's checkpoints
    best: float | None = None  # beside a mean over checkpoints
    polarity: Literal["lower", "higher"] | None
    resolution: int | None = None  # pixels a side
    conditional: bool | None = None  # None: not said, or not about generation
    n_generated: int | None = None
    n_reference: int | None = None
    split: Literal["train", "test"] | None = None  # of the reference images
    features: str | None = None  # the network behind a score: inception
    budget_images: int | None = None  # real images shown to the critic
    step: int | None = None  # generator updates at which it was measured
    seeds: int | None = None  # training runs behind the number
    network: str | None = None
    critic_norm: str | None = None
    penalty: str | None = None
    setting: str | None = None
    protocol: Text
    source: str  # whose number it is
    locator: Text  # where it was read
    verified: bool  # False: not read at the place
    confidence: Literal["high", "medium", "low"] | None = None  # where not verified
    own_method: bool = False  # the source introduced the model
    superseded: bool = False
    needs: tuple[str, ...] = ()  # that it speaks to; empty: those of its metric
    note: str | None = None


class ResultTable(Record):
    """Numbers of one table or repository; what they share is written once."""

    id: str
    title: str
    shared: dict[str, Any] = Field(
        default_factory=dict
    )  # fields that every result takes unless it has its own
    results: tuple[Result, ...]

    @model_validator(mode="before")
    @classmethod
    def hand_down(cls, table: Any) -> Any:  # noqa: ANN401
        if not isinstance(table, dict) or not isinstance(table.get("shared"), dict):
            return table
        results = table.get("results") or ()
        whole = [{**table["shared"], **r} if isinstance(r, dict) else r for r in results]
        return {**table, "results": whole}


class Metric(Record):
    name: str
    polarity: Literal["lower", "higher"] | None
    measures: str
    needs: tuple[str, ...] = ()  # choices of the question `needs` that it speaks to
    weaknesses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    note: str | None = None


class Published(Record):
    """The training settings of one configuration file."""

    id: str
    model: str  # a GAN's id, or variant:name
    source: str
    locator: str  # the file
    dataset: str | None = None
    network: str | None = None
    loss: str | None = None
    conditional: str | None = None  # how, if at all
    critic_norm: str | None = None
    critic_steps: int | None = None
    optimizer: str = "Adam"
    rate: float | None = None
    critic_rate: float | None = None
    betas: tuple[float, float] | None = None
    batch_size: int | None = None
    steps: int | None = None  # generator updates
    budget_images: int | None = None  # real images shown to the critic
    penalty: str | None = None
    average: str | None = None  # of the generator's weights
    note: str | None = None


class SearchSpace(Record):
    """Ranges that a study drew settings from, uniformly."""

    id: str
    model: str | None = None  # None: every model of the study
    source: str
    locator: str
    samples: int
    ranges: dict[str, Bounds] = Field(default_factory=dict)
    log10_ranges: dict[str, Bounds] = Field(default_factory=dict)  # uniform in the exponent
    choices: dict[str, tuple[Value, ...]] = Field(default_factory=dict)


class Study(Record):
    """A comparison of many models: what it spent and what it concluded."""

    id: str
    source: str
    locator: str
    budget: str
    axes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    conclusions: tuple[str, ...]
    verified: bool
    note: str | None = None


class Hyperparameters(Record):
    published: tuple[Published, ...] = ()
    searches: tuple[SearchSpace, ...] = ()
    studies: tuple[Study, ...] = ()
