"""What the fields of entries hold."""

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
