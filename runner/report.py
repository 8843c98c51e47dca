"""One self-contained page for a run: the answer first, then everything that it rests on."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import log
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import ValidationError

from advisor.recommendation import Candidate, Citation, Recommendation, Step
from knowledge.files import write_whole
from knowledge.schema import STAGES, Part, Recipe, Record
from runner import wording
from runner.charts import BOTTOM, HEIGHT, LEFT, RIGHT, SPAN, TOP, WIDTH, curves, intervals
from runner.metrics import Score
from runner.pictures import dimensions, small_data_uri
from runner.plan import RunPlan, Trial
from runner.race import race_of
from runner.results import Leaderboard, Standing, TrialResult

PICTURES = 3_000_000  # bytes of all pictures: a page can still be sent by mail
HEADLINES = {
    "winner": "Winner",
    "tie": "Tie",
    "preview": "Preview",
    "nothing": "No result",
}


class ReportError(ValueError):
    """A file of the run that cannot be read: which, and why."""


def write_report(run_folder: Path, board: Leaderboard | None = None) -> Path:
    """Raises OSError where a file is missing or cannot be written, ReportError for a broken one."""
    page = render(read(run_folder, board))
    path = run_folder / "report.html"
    write_whole(path, page)
    return path


# From files ------------------------------------------------------------------------------------


class Picture(NamedTuple):
    src: str  # a data URI
    width: int
    height: int


class Run(NamedTuple):
    """What lies in the folder of a run."""

    advice: Recommendation
    plan: RunPlan
    board: Leaderboard
    results: dict[str, TrialResult]  # by trial
    samples: dict[str, Picture]  # by trial; of each arm one
    real: Picture | None
    around: dict[str, Any]  # circumstances: versions, hardware, command


def read(folder: Path, board: Leaderboard | None = None) -> Run:
    """With the ranking that lies in the folder, unless one is given."""
    plan = load(RunPlan, folder / "plan.json")
    paths = {trial.id: folder / "trials" / trial.id for trial in plan.trials}
    ended = {
        trial: load(TrialResult, path / "result.json")
        for trial, path in paths.items()
        if (path / "result.json").exists()
    }
    shown = {trial: paths[trial] / "samples.png" for trial in speakers(plan, ended, paths)}
    limit = PICTURES // (len(shown) + 3)  # the answer shows an arm's a second time, and real ones
    pictures = {trial: picture(path, limit) for trial, path in shown.items()}
    return Run(
        advice=load(Recommendation, folder / "recommendation.json"),
        plan=plan,
        board=board or load(Leaderboard, folder / "leaderboard.json"),
        results=ended,
        samples={trial: found for trial, found in pictures.items() if found},
        real=picture(folder / "real.png", limit),
        around=circumstances(folder / "run.json"),
    )


Kind = TypeVar("Kind", bound=Record)


def load(kind: type[Kind], path: Path) -> Kind:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ReportError(
            f"{path} is damaged or of another version: {where}: {first['msg']}"
        ) from None


def speakers(plan: RunPlan, ended: dict[str, TrialResult], paths: dict[str, Path]) -> Iterator[str]:
    """For each arm the first seed that finished, or that left samples at all: never the best."""
    for arm in plan.arms:
        own = [trial.id for trial in plan.trials if trial.arm == arm]
        there = [trial for trial in own if (paths[trial] / "samples.png").exists()]
        there.sort(key=lambda trial: trial not in ended or ended[trial].status != "finished")
        yield from there[:1]


def picture(path: Path, limit: int) -> Picture | None:
    """None where there is none, or none that can be read."""
    try:
        return Picture(small_data_uri(path, limit), *dimensions(path))
    except OSError:
        return None


def circumstances(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ReportError(f"{path} is damaged: {error}") from None
    return found if isinstance(found, dict) else {}


# To a page -------------------------------------------------------------------------------------


def render(run: Run) -> str:
    standings, plan = run.board.standings, run.plan
    trials = {arm: [t for t in plan.trials if t.arm == arm] for arm in plan.arms}
    ended = {
        arm: [run.results[trial.id] for trial in own if trial.id in run.results]
        for arm, own in trials.items()
    }
    first = next((each for each in standings if each.finished), None)
    names = {each.arm: each.name for each in standings}
    return environment().get_template("report.html.j2").render(
        advice=run.advice,
        plan=plan,
        board=run.board,
        headline=HEADLINES[run.board.verdict.kind],
        first=first,
        samples={arm: shown for arm in plan.arms if (shown := sample(trials[arm], run))},
        latents=sorted({trial.recipe.latent_dim for trial in plan.trials}),
        real=run.real,
        entrants=[
            [names[arm] for arm in those]
            for those in race_of(plan, list(run.results.values()), run.board.anchors).entrants
        ],
        held=held(run.board),
        kinds=KINDS,
        intervals=intervals(standings, run.board.floor.value if run.board.floor else None),
        curves=curves([ended[each.arm] for each in standings], plan.budget),
        results=[result for each in standings for result in ended[each.arm]],
        ended=ended,
        values=lambda result: {look.images_seen: look.value for look in result.looks},
        looked=sorted({look.images_seen for r in run.results.values() for look in r.looks}),
        stages=[(STAGES[stage], list(steps)) for stage, steps in by_stage(run.advice.funnel)],
        share=lambda left: round(100 * log(1 + left) / log(1 + max(run.advice.space_size, 1)), 1),
        anchors={arm.id: f"arm-{number}" for number, arm in enumerate(run.advice.arms, 1)},
        names={arm.id: arm.name for arm in run.advice.arms},
        standing_of={each.arm: each for each in standings},
        evidence=evidence,
        recipe_rows=recipe_rows,
        recipes={arm: list(recipe_rows(own[0].recipe)) for arm, own in trials.items()},
        urls={citation.source: citation.url for citation in citations(run.advice)},
        around=run.around,
        size={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT,
              "top": TOP, "bottom": HEIGHT - BOTTOM, "span": SPAN},
    )  # fmt: skip


KINDS = {"noise": "noise", "mean": "the mean image", "blur": "blurred real images"}


def held(board: Leaderboard) -> list[tuple[str, Score]]:
    """What stands below the arms for comparison, real images first."""
    real = [("real images", board.floor)] if board.floor else []
    return [*real, *((KINDS[name], score) for name, score in board.anchors.items())]


def environment() -> Environment:
    """Escapes everything: names and texts come from users and from knowledge files."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "figures": lambda value, digits=3: "–" if value is None else wording.figures(value, digits),
        "images": wording.images,
        "chance": wording.chance,
        "duration": wording.duration,
        "gap": wording.gap,
        "listed": wording.listed,
        "counted": wording.counted,
        "thousands": lambda number: f"{number:,}",
        "web": web,
        "place": place,
        "whole": whole,
    }
    made.globals["span"] = wording.span
    return made


def unbroken(value: object) -> object:
    """No line break between a number and its percent sign."""
    return together(value) if type(value) is str else value


def together(text: str) -> str:
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def whole(text: str, word: str) -> Markup:
    """The text, escaped, with the word kept on one line where the screen is wide enough."""
    kept = Markup('<span class="whole">{}</span>').format(word)
    return kept.join(together(part) for part in text.split(word))


def web(url: str | None) -> str | None:
    """The address if a browser may follow it: never javascript:, which escaping lets through."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def place(each: Standing, standings: Sequence[Standing]) -> str:
    tied = sum(other.rank == each.rank for other in standings) > 1
    return f"{each.rank}=" if tied else str(each.rank)


def by_stage(funnel: Sequence[Step]) -> Iterator[tuple[str, Iterator[Step]]]:
    return groupby(funnel, lambda step: step.stage)


class Sample(NamedTuple):
    trial: Trial
    result: TrialResult | None
    picture: Picture


def sample(trials: Sequence[Trial], run: Run) -> Sample | None:
    for trial in trials:
        if trial.id in run.samples:
            return Sample(trial, run.results.get(trial.id), run.samples[trial.id])
    return None


class Witness(NamedTuple):
    """A claim once, with all the needs that it speaks to."""

    needs: tuple[str, ...]
    direct: bool
    citation: Citation


def evidence(each: Candidate) -> list[tuple[str, list[Witness]]]:
    """What speaks for it, against it, and for neither side."""
    sides = []
    for vote, title in ((1, "For"), (-1, "Against"), (0, "Neither way")):
        found: dict[str, Witness] = {}
        for said in each.testimony:
            if said.vote == vote:
                known = found.get(said.citation.claim)
                needs = (*(known.needs if known else ()), said.need)
                direct = said.direct or bool(known and known.direct)
                found[said.citation.claim] = Witness(needs, direct, said.citation)
        sides.append((title, list(found.values())))
    return sides


def citations(advice: Recommendation) -> Iterator[Citation]:
    for step in advice.funnel:
        yield from (*step.citations, *step.counter)
    for arm in advice.arms:
        yield from (said.citation for said in arm.testimony)
        for remark in arm.remarks:
            yield from (*remark.citations, *remark.counter)


def recipe_rows(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """How an arm was trained, in the words of its YAML."""
    optimizer = recipe.optimizer
    yield "backbone", part(recipe.backbone)
    yield "structure", part(recipe.structure)
    chosen = recipe.divergence
    divergence = chosen if isinstance(chosen, str) else part(chosen)
    yield "loss", f"{part(recipe.loss)}, divergence {divergence}"
    lists = ("penalties", "generator_penalties", "augmentations", "normalizers", "constraints")
    for name in lists:
        if parts := getattr(recipe, name):
            yield name.replace("_", " "), "; ".join(map(part, parts))
    yield "normalization", f"critic {recipe.critic_norm}, generator {recipe.generator_norm}"
    rates = f"rate {optimizer.rate:g}"
    if optimizer.critic_rate is not None:
        rates = f"generator's {rates}, critic's {optimizer.critic_rate:g}"
    inner = f"betas {optimizer.betas[0]:g} and {optimizer.betas[1]:g}"
    if optimizer.name == "rmsprop":
        inner = f"smoothing {optimizer.smoothing:g}"
    if optimizer.critic_weight_decay:
        inner += f", critic's weight decay {optimizer.critic_weight_decay:g}"
    if optimizer.decay_from is not None:
        inner += f", rates falling to zero from {optimizer.decay_from:.0%} of the run on"
    yield "optimizer", f"{optimizer.name}, {rates}, {inner}"
    yield "critic steps", f"{optimizer.critic_steps} for each generator step"
    yield "batch", f"{recipe.batch_size} images, {recipe.latent_dim} latents"
    if recipe.despite:
        yield "in spite of", f"the rules {', '.join(recipe.despite)}"


def part(each: Part) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in each.settings.items())
    return f"{each.name} ({settings})" if settings else each.name
