"""Where reports and cards are written from: one set of words for numbers in all of them."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from advisor.recommendation import REMEMBERED
from runner import wording


def templates(folder: Path, **settings: Any) -> Environment:  # noqa: ANN401 - Jinja's own
    """Those of a folder. What nobody gave is a mistake and no empty place."""
    made = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **settings,
    )
    made.filters |= {
        "figures": lambda value, digits=3: "–" if value is None else wording.figures(value, digits),
        "images": wording.images,
        "chance": wording.chance,
        "duration": wording.duration,
        "gap": wording.gap,
        "listed": wording.listed,
        "counted": wording.counted,
        "sentence": wording.sentence,
        "tiny": wording.tiny,
        "thousands": lambda number: f"{number:,}",
    }
    made.globals |= {"span": wording.span, "remembered": REMEMBERED}
    return made
