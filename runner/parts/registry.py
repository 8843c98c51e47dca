"""Parts by name, so that YAML can ask for them."""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from knowledge.schema import Part, Value

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class PartError(LookupError):
    """A part that does not exist, or that cannot be what is asked of it."""


class Registry(Generic[T]):
    """Functions of one kind. Decorating `gradient_penalty` adds it as `gradient-penalty`.

    A function's keyword-only parameters are its settings: their annotations say what is allowed.
    """

    def __init__(self, kind: str, around: Callable[..., Callable[..., T]] | None = None) -> None:
        """`around` wraps every function got, and its keyword-only parameters are common settings."""
        self.kind = kind
        self.around = around
        self.known: dict[str, Callable[..., T]] = {}

    def __call__(self, function: F) -> F:
        self.known[function.__name__.replace("_", "-")] = function
        return function

    def get(self, part: Part) -> Callable[..., T]:
        """The function with the part's settings filled in. Raises PartError."""
        if part.name not in self.known:
            raise PartError(f"no {self.kind} is called {part.name!r}{hint(part.name, self.known)}")
        function = self.known[part.name]
        own = settings_of(function)
        common = settings_of(self.around) if self.around else {}
        for name, value in part.settings.items():
            self._check(part.name, name, value, common | own)
        chosen = partial(function, **{k: v for k, v in part.settings.items() if k in own})
        if self.around is None:
            return chosen
        return self.around(chosen, **{k: v for k, v in part.settings.items() if k in common})

    def filled(self, part: Part) -> dict[str, Any]:
        """A part's settings and the defaults of those that it leaves out; nothing is checked."""
        functions = (self.around, self.known.get(part.name))
        defaults = (defaults_of(function) for function in functions if function is not None)
        return {name: value for each in (*defaults, part.settings) for name, value in each.items()}

    def _check(self, part: str, name: str, value: Value, allowed: dict[str, Any]) -> None:
        if name not in allowed:
            which = hint(name, allowed) if allowed else "; it has none"
            raise PartError(f"{self.kind} {part!r} has no setting {name!r}{which}")
        try:
            TypeAdapter(allowed[name], config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Input ")
            raise PartError(
                f"{self.kind} {part!r}: setting {name!r} {why}, not {value!r}; "
                f"known: {', '.join(sorted(allowed))}"
            ) from None


def settings_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only parameters and their types."""
    types = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return {p.name: types[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only parameters and what they are where nobody says."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def hint(name: str, known: Iterable[str]) -> str:
    """What may have been meant, and all there is: the end of an error message."""
    known = sorted(known)
    nearest = get_close_matches(name, known, n=1)
    return f"{f': did you mean {nearest[0]!r}?' if nearest else ';'} known: {', '.join(known)}"
