"""The card of an exported generator: what it makes, from what, how well, and what it is not."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment

from advisor.recommendation import Candidate, Recommendation
from knowledge import __version__
from knowledge.schema import Dataset
from runner.data.points import MIXTURES
from runner.game import rule_book
from runner.keepsakes import SAYS, known, mark
from runner.metrics import Score
from runner.plan import RunPlan
from runner.report import circumstances, held, recipe_rows
from runner.report.text import plain
from runner.results import Leaderboard, Standing
from runner.run import ranked
from runner.scene import Game
from runner.settle import stored
from runner.take.find import Taken
from runner.take.formats import FORMATS, INPUTS, Check
from runner.take.generator import classes_of
from runner.templates import templates

SET_OF = {"polygons": "triangles", **dict.fromkeys(MIXTURES, "gaussian-mixture")}


class Context(NamedTuple):
    """What the run knows beside the trial."""

    plan: RunPlan
    board: Leaderboard
    standing: Standing | None
    candidate: Candidate | None
    around: dict[str, Any]  # versions and hardware
    dataset: Dataset | None
    copies: dict[str, Any] | None  # what was found of its samples (runner/keepsakes.py)


def card_of(taken: Taken, game: Game, checks: Sequence[Check], rows: bool = False) -> str:
    """As Markdown; without any path of this machine. rows: its picture has one for each class."""
    score = taken.result.score
    classes = classes_of(game, taken.weights)
    takes = " and ".join(f"`{name}`" for name in INPUTS[: 2 if classes else 1])
    return environment().get_template("card.md.j2").render(
        trial=taken.trial,
        result=taken.result,
        image=game.image,
        kind=kind_of(game),
        checks=checks,
        says={format.file: format.says.format(takes=takes) for format in FORMATS.values()},
        classes=classes,
        rows=rows,
        by_norm=getattr(game.networks["generator"], "by_norm", None),
        recipe=list(recipe_rows(taken.trial.recipe)),
        score=score,
        measures=list(measures(score, taken.result.truth)) if score else [],
        run=context(taken),
        held=held,
        version=__version__,
    )  # fmt: skip


def kind_of(game: Game) -> str:
    if game.image.size == 1:
        return "points of the plane"
    alpha = " with alpha" if game.image.channels in (2, 4) else ""
    colour = "grey" if game.image.channels < 3 else "colour"
    return f"{game.image.size} × {game.image.size} px images in {colour}{alpha}"


def context(taken: Taken) -> Context | None:
    """None for a trial that lies apart from its run."""
    if taken.run is None:
        return None
    plan = stored(RunPlan, taken.run / "plan.json")
    advice = stored(Recommendation, taken.run / "recommendation.json")
    board, _ = ranked(taken.run)
    arm = taken.trial.arm
    return Context(
        plan,
        board,
        next((each for each in board.standings if each.arm == arm), None),
        next((each for each in advice.arms if each.id == arm), None),
        circumstances(taken.run / "run.json"),
        rule_book().datasets.get(SET_OF.get(plan.data.where, plan.data.where)),
        copies(taken, plan),
    )


def copies(taken: Taken, plan: RunPlan) -> dict[str, Any] | None:
    """None where nobody has looked for them, or looked at another generator."""
    path = (taken.run or taken.folder) / SAYS
    if known(path) != mark(taken.weights, plan):
        return None
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def measures(score: Score, truth: dict[str, float]) -> Iterator[tuple[str, float]]:
    for name, value in {**score.secondary, **truth}.items():
        yield name.replace("-", " ").replace("kid", "KID"), value


def environment() -> Environment:
    """Nothing is HTML here, but names come from users: `plain` keeps them from being Markdown."""
    made = templates(Path(__file__).parent, keep_trailing_newline=True)
    made.filters |= {
        "plain": plain,
        "quoted": lambda text: json.dumps(text, ensure_ascii=False),
    }
    return made
