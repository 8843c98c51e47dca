"""How a GAN is built and trained."""

from typing import Any, Literal

from pydantic import Field

from knowledge.schema.fields import Record, Value


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
