"""What follows from the answers. Each function is a fact; its arguments are answers or facts."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from advisor.recommendation import Answer
from knowledge.library import Library

Facts = dict[str, Answer]
DERIVED: dict[str, Callable[..., Answer]] = {}


def fact(function: Callable[..., Answer]) -> Callable[..., Answer]:
    DERIVED[function.__name__] = function
    return function


@fact
def resolution_class(resolution: float) -> str:
    """High from 256 px, where LSGAN was reported to fail (Motwani & Parmar 2020, Table 6).

    Small up to 48 px, the largest size at which Miyato et al. (2018) still compare plain CNNs.
    """
    return "small" if resolution <= 48 else "high" if resolution >= 256 else "middle"


@fact
def image_kind(channels: str) -> str:
    return channels


@fact
def data_regime(images: float) -> str:
    """Few below 2000, where even augmented training degrades (Karras et al., 2020, figure 7).

    A handful below 100, the smallest sets that were learnt from scratch (Zhao et al., 2020, section 4.3).
    """
    return "handful" if images < 100 else "few" if images < 2_000 else "enough"


@fact
def card(gpu_memory: float) -> str:
    """Small below 11 GB, the least that the code of a style-based GAN asks for (Karras et al., 2018)."""
    return "small" if gpu_memory < 11 else "large"


@fact
def time_budget(gpu_hours: float) -> str:
    """Hours up to three days of one card, which StarGAN v2 takes (Choi et al., 2019)."""
    return "hours" if gpu_hours < 72 else "days"


def derive(answers: Mapping[str, Answer], library: Library) -> Facts:
    """The answers, what is known of the data set, and every fact that can be drawn from them."""
    known: dict[str, Any] = {**of_dataset(answers.get("dataset"), library), **answers}
    needs = {name: set(inspect.signature(f).parameters) for name, f in DERIVED.items()}
    for name in TopologicalSorter(needs).static_order():
        if name in DERIVED and needs[name] <= known.keys():
            known[name] = DERIVED[name](**{need: known[need] for need in needs[name]})
    return known


def behind(fact: str) -> tuple[str, ...]:
    """The questions that a fact follows from, where no data set answers them."""
    if fact == "dataset_evidence":
        return ("dataset",)
    if fact not in DERIVED:
        return (fact,)
    return tuple(dict.fromkeys(each for name in ingredients(fact) for each in behind(name)))


def settling(fact: str, library: Library) -> frozenset[str]:
    """Every question whose answer can tell a fact, the name of a data set among them."""
    told = {name for dataset in library.datasets for name in of_dataset(dataset, library)}

    def sources(name: str) -> Iterator[str]:
        yield name
        if name in told:
            yield "dataset"
        if name == "dataset_evidence":
            yield from ("dataset", "task")  # studied: by those who choose between what the task has
        for each in ingredients(name):
            yield from sources(each)

    return frozenset(sources(fact)) & library.questions.keys()


def ingredients(fact: str) -> tuple[str, ...]:
    """The facts and answers that a fact is drawn from."""
    return tuple(inspect.signature(DERIVED[fact]).parameters) if fact in DERIVED else ()


def of_dataset(name: Answer | None, library: Library) -> Facts:
    """What a named data set answers by itself."""
    dataset = library.datasets.get(str(name))
    if dataset is None:
        return {}
    facts: dict[str, Answer | None] = {
        "images": dataset.images,
        "resolution": dataset.resolution,
        "channels": {1: "grey", 3: "colour", None: None}[dataset.channels],
    }
    return {name: value for name, value in facts.items() if value is not None}
