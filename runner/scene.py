"""A game as named quantities. A function's parameters name what it needs: that is all the wiring."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Quantity = Callable[..., Any]
Term = Callable[..., Tensor]  # a scalar to minimise
Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class ImageShape(NamedTuple):
    channels: int
    size: int  # pixels a side
    classes: int = 0  # that the images have labels of


@dataclass(frozen=True)
class Turn:
    """The players that move, and the terms that they minimise together."""

    players: tuple[str, ...]
    terms: Mapping[str, Term]  # by the name that they have in the curves
    optimizer: Optimizer
    times: int = 1  # steps in a row
    fresh: bool = True  # each step draws new real images; otherwise the last ones serve again
    shares: tuple[str, ...] = ()  # quantities of the turn before that serve again, with gradients
    after: tuple[Quantity, ...] = ()  # worked out after each step, for what they do


@dataclass(frozen=True)
class Game:
    """Networks, what follows from what, and who moves when."""

    image: ImageShape
    networks: nn.ModuleDict
    quantities: Mapping[str, Quantity]
    turns: tuple[Turn, ...]
    averaged: tuple[str, ...] = ("generator",)  # the networks that people take home


class Scene:
    """One batch on stage. A quantity is worked out when it is first asked for, once."""

    def __init__(self, quantities: Mapping[str, Quantity], given: Mapping[str, Any]) -> None:
        self.quantities = quantities
        self.known = dict(given)
        self.asked: list[str] = []  # what is being worked out, outermost first

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a quantity may be anything
        if name not in self.known:
            if name not in self.quantities:
                raise LookupError(self._missing(name))
            if name in self.asked:
                raise LookupError(f"{' needs '.join([*self.asked, name])}: it never ends")
            self.asked.append(name)
            self.known[name] = self.work_out(self.quantities[name])
            self.asked.pop()
        return self.known[name]

    def work_out(self, function: Callable[..., Any]) -> Any:  # noqa: ANN401
        return function(**{argument: self[quantity] for argument, quantity in needs(function)})

    def _missing(self, name: str) -> str:
        known = sorted({*self.known, *self.quantities})
        nearest = get_close_matches(name, known, n=1)
        return (
            f"nothing here is called {name!r}"
            + (f" (needed for {' < '.join(reversed(self.asked))})" if self.asked else "")
            + (f": did you mean {nearest[0]!r}? known: " if nearest else "; known: ")
            + ", ".join(known)
        )


@dataclass(frozen=True, eq=False)
class Renamed:
    """A term or quantity that looks for some of its inputs under other names."""

    function: Callable[..., Any]
    names: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, **inputs: Any) -> Any:  # noqa: ANN401
        return self.function(**inputs)


def renamed(function: Callable[..., Any], **names: str) -> Any:  # noqa: ANN401 - a term stays one
    """A lazy term stays one: the loop asks whether it is due."""
    if isinstance(function, Lazy):
        return replace(function, function=renamed(function.function, **names))
    return Renamed(function, names)


@dataclass(frozen=True, eq=False)
class Lazy:
    """A term of every `interval`-th step, scaled up to weigh the same on average.

    Karras et al. (2020), "Analyzing and Improving the Image Quality of StyleGAN", section 3.1.
    """

    function: Term
    interval: int

    def __call__(self, **inputs: Any) -> Tensor:  # noqa: ANN401
        return self.interval * self.function(**inputs)


def terms_due(turn: Turn, step: int) -> dict[str, Term]:
    """The terms that play in this step of the turn, counted from 0."""
    return {
        name: term
        for name, term in turn.terms.items()
        if not (isinstance(term, Lazy) and step % term.interval)
    }


@lru_cache(maxsize=4096)
def needs(function: Callable[..., Any]) -> tuple[tuple[str, str], ...]:
    """Pairs of a parameter and the quantity it takes. Keyword-only parameters are settings."""
    if isinstance(function, Renamed):
        return tuple((own, function.names.get(q, q)) for own, q in needs(function.function))
    if isinstance(function, Lazy):
        return needs(function.function)
    parameters = inspect.signature(function).parameters.values()
    wired = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple((p.name, p.name) for p in parameters if p.kind in wired and p.default is p.empty)
