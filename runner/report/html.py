"""A report as one web page that asks nothing of anybody: no network, no server, no scripts even."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from math import log
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup

from advisor.recommendation import Step
from knowledge.schema import STAGES, Stage
from runner import wording
from runner.report.album import Album, album
from runner.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    SPAN,
    TOP,
    WIDTH,
    curves,
    intervals,
    over_images,
    over_time,
)
from runner.report.contents import Course, Report, citations
from runner.report.interactive import charts, in_words, library
from runner.results import Look
from runner.templates import templates
from runner.troubles import TROUBLES

LIMIT = 5_000_000  # bytes of the page: it can still be sent by mail
PICTURES = 2_400_000  # bytes of all pictures, before they become text, which takes 4/3 of them
TEMPLATES = Path(__file__).parent / "templates"
SIZE = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": WIDTH - RIGHT,
    "top": TOP,
    "bottom": HEIGHT - BOTTOM,
    "span": SPAN,
}


def page(report: Report, folder: Path, limit: int = LIMIT) -> str:
    """With the run's pictures, made smaller where the page would be too large otherwise."""
    room = PICTURES
    made = written(report, album(folder, report.pictures, room))
    while (over := len(made.encode()) - limit) >= 0 and room:
        room = max(0, min(room // 2, room - over))
        made = written(report, album(folder, report.pictures, room))
    return made


def written(report: Report, pictures: Album) -> str:
    standings = [row.standing for row in report.leaderboard]
    trials = {
        each.arm: [trial for trial in report.drawn if trial.arm == each.arm] for each in standings
    }
    looked = sorted({look.images_seen for trial in report.drawn for look in trial.looks})
    return environment().get_template("page.html.j2").render(
        report=report,
        made=report.reproduction,
        data=report.reproduction.data,
        measurement=report.reproduction.measurement,
        around=report.reproduction.circumstances,
        standings=standings,
        standing_of={each.arm: each for each in standings},
        row_of={row.standing.arm: row for row in report.leaderboard},
        album=pictures,
        shown={each.arm: each for each in report.pictures.samples},
        course={trial.id: trial for trial in report.trials},
        intervals=intervals(standings, report.floor.value if report.floor else None),
        curves=curves(list(trials.values()), over_images(report.reproduction.budget)),
        later=curves(list(trials.values()), over_time(report.drawn)),
        charts=charts(report),
        library=library,
        heard=in_words(report),
        films=films(report, pictures),
        looked=looked,
        values=values,
        stages=[(STAGES[stage], list(steps)) for stage, steps in by_stage(report.funnel.steps)],
        share=lambda left: round(100 * log(1 + left) / log(1 + max(report.funnel.space, 1)), 1),
        troubles=TROUBLES,
        links={arm.id: f"arm-{number}" for number, arm in enumerate(report.shortlist, 1)},
        names={arm.id: arm.name for arm in report.shortlist},
        urls={citation.source: citation.url for citation in citations(report)},
        size=SIZE,
    )  # fmt: skip


def values(trial: Course) -> dict[int, Look]:
    return {look.images_seen: look for look in trial.looks}


def films(report: Report, pictures: Album) -> dict[str, object] | None:
    """Every arm's grids on the way, and where the slider stops."""
    if not pictures.films:
        return None
    trial = {each.arm: each.trial for each in report.pictures.samples}
    looks = {each.id: values(each) for each in report.trials}
    frames = {
        arm: [
            {"seen": seen, "src": src, "says": at_a_look(seen, looks.get(trial[arm], {}).get(seen))}
            for seen, src in film.frames
        ]
        for arm, film in pictures.films.items()
    }
    stops = sorted({seen for film in pictures.films.values() for seen, _ in film.frames})
    return {
        "stops": [{"seen": seen, "says": wording.images(seen)} for seen in stops],
        "arms": frames,
    }


def at_a_look(seen: int, look: Look | None) -> str:
    at = f"{wording.figures(look.value)} at a look " if look else ""
    return f"{at}after {wording.images(seen)} images"


def by_stage(funnel: Sequence[Step]) -> Iterator[tuple[Stage, Iterator[Step]]]:
    return groupby(funnel, lambda step: step.stage)


@cache
def environment() -> Environment:
    """Escapes everything: names and texts come from users and from knowledge files."""
    made = templates(TEMPLATES, autoescape=True, finalize=unbroken)
    made.filters |= {"web": web, "whole": whole, "data": data}
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


def data(value: object) -> Markup:
    """JSON that may stand within a script element: nothing in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def web(url: str | None) -> str | None:
    """The address if a browser may follow it: never javascript:, which escaping lets through."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None
