"""The report's charts that answer to a pointer, as Vega-Lite, with the library that draws them.

Beside each stand the same numbers as a drawing and as a table, for paper, for screen readers, and
for whoever runs no scripts.
"""

from collections.abc import Iterator
from functools import cache
from math import isfinite, log
from pathlib import Path
from typing import Any

from markupsafe import Markup

from runner.report.charts import axis
from runner.report.contents import Course, Report
from runner.wording import duration, figures, images, listed, span

VEGA = Path(__file__).parent / "vega"
LIBRARY = ("vega.min.js", "vega-lite.min.js", "vega-interpreter.js")
NOTICE = """/* Vega 6.4.0, Vega-Lite 6.4.3 and vega-interpreter 2.3.2. Copyright (c) 2015-2023, University of
Washington Interactive Data Lab; BSD 3-Clause. They hold d3 and others; all licences:
runner/report/vega/LICENSES.txt of GAN Advisor. */"""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name: nothing is fetched from there
FAR = 2.0  # times beyond all scores: an anchor further off than that would squeeze the intervals
CLOSE = 1.2  # times an anchor's distance, within which there is no room for another's name
ROW = 34  # pixels
TEXT = 15  # of a line of text
UNITS = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
CROSS = "M-1,-1L1,1M1,-1L-1,1"
Spec = dict[str, Any]


@cache
def library() -> Markup:
    """780 kB of script."""
    texts = [NOTICE, *((VEGA / name).read_text(encoding="utf-8") for name in LIBRARY)]
    return Markup("\n").join(Markup(text) for text in texts)


def charts(report: Report) -> Spec | None:
    """By name, with the data that they share. None where nothing was measured."""
    looks, ends = list(looked(report)), list(failed(report))
    scores = [row for row in report.leaderboard if row.standing.mean is not None]
    if not looks and not scores:
        return None
    unit = UNITS[-1]
    if looks:
        longest = max(each["seconds"] for each in (*looks, *ends))
        unit = next(unit for unit in UNITS if longest >= unit[0])
    for each in (*looks, *ends):
        each["time"] = each.pop("seconds") / unit[1]
    arms = {row.standing.arm: row.standing for row in report.leaderboard}
    found: Spec = {
        "arms": [{"arm": arm, "control": each.control} for arm, each in arms.items()],
        "datasets": {
            "looks": looks,
            "failures": ends,
            "anchors": anchors(report),
            "intervals": [interval(row.standing.arm, report) for row in scores],
            "seeds": list(seeds(report)),
            "near": list(near(report)),
        },
        "charts": {},
    }
    if looks:
        budget = report.reproduction.budget
        up = marks([each["distance"] for each in (*looks, *anchors(report))])
        over_images = {"field": "images", "title": f"real {report.things} shown to the critic"}
        found["charts"]["images"] = curves(
            over_images | {"axis": THOUSANDS, "scale": {"domain": [0, budget]}}, list(arms), up
        )
        over_time = {
            "field": "time",
            "title": f"time spent on training ({unit[2]})",
            "axis": {"tickCount": 6},
            "scale": {"domainMin": 0},
        }
        found["charts"]["time"] = curves(over_time, list(arms), up)
    if scores:
        found["charts"]["intervals"] = ranking(report, list(arms))
    return found


# Data ------------------------------------------------------------------------------------------


def looked(report: Report) -> Iterator[Spec]:
    for trial in report.drawn:
        for look in trial.looks:
            if shown(look.value):
                after = f"{images(look.images_seen)} images, {duration(look.seconds)}"
                yield {
                    **of(trial),
                    "images": look.images_seen,
                    "seconds": look.seconds,
                    "distance": look.value,
                    "says": [title(trial), f"{figures(look.value)} after {after}"],
                }


def failed(report: Report) -> Iterator[Spec]:
    """Where a trial ended that did not get to its end."""
    for trial in report.drawn:
        seen = [look for look in trial.looks if shown(look.value)]
        if trial.status in ("finished", "paused") or not seen:
            continue
        yield {
            **of(trial),
            "images": max(trial.images_seen, seen[-1].images_seen),
            "seconds": max(trial.seconds, seen[-1].seconds),
            "distance": seen[-1].value,
            "says": [
                title(trial),
                f"{trial.status} after {images(trial.images_seen)} images",
                *([trial.why] if trial.why else []),
            ],
        }


def of(trial: Course) -> Spec:
    return {"arm": trial.arm, "trial": trial.id}


def title(trial: Course) -> str:
    return f"{trial.name}, {trial.which}"


def anchors(report: Report) -> list[Spec]:
    """The lowest first, a line for each; the names of those too close for two share one."""
    found: list[Spec] = []
    named: Spec = {}
    for each in lowest_first(report):
        if named and each["distance"] < CLOSE * named["distance"]:
            named["name"] += f", {each['name']}"
            found.append({**each, "name": ""})
        else:
            named = each
            found.append(named)
    return found


def lowest_first(report: Report) -> list[Spec]:
    known = sorted(report.anchors, key=lambda each: each.score.value)
    return [
        {"name": f"{each.name} {figures(each.score.value)}", "distance": each.score.value}
        for each in known
        if shown(each.score.value)
    ]


def near(report: Report) -> Iterator[Spec]:
    """The anchors that fit onto the axis of the scores, each with a line of text of its own.

    Names stand beside the upper ends of their lines, towards the middle of the chart, and those
    further in begin further down, so that no line runs through the name of another.
    """
    scores = [score for row in report.leaderboard for score in row.standing.scores if shown(score)]
    if not scores:
        return
    low, high = min(scores) / FAR, max(scores) * FAR
    fit = [each for each in lowest_first(report) if low <= each["distance"] <= high]
    ends = [log(value) for value in (*scores, *(each["distance"] for each in fit))]
    middle = (min(ends) + max(ends)) / 2
    left = [each for each in fit if log(each["distance"]) <= middle]
    right = [each for each in reversed(fit) if log(each["distance"]) > middle]
    for line, each in enumerate((*left, *right)):
        yield {**each, "line": line, "side": "left" if each in left else "right"}


def interval(arm: str, report: Report) -> Spec:
    standing = next(row.standing for row in report.leaderboard if row.standing.arm == arm)
    says = [standing.name, f"mean {figures(standing.mean)}" if standing.mean else "no mean"]
    found: Spec = {"arm": arm, "name": standing.name, "mean": standing.mean, "says": says}
    if standing.low and standing.high:
        says.append(f"95 % interval {span(standing.low, standing.high)}")
        found |= {"low": standing.low, "high": standing.high}
    return found


def seeds(report: Report) -> Iterator[Spec]:
    for row in report.leaderboard:
        own = [trial for trial in report.drawn if trial.arm == row.standing.arm]
        for trial in own:
            if trial.score is not None and shown(trial.score):
                says = [title(trial), figures(trial.score)]
                yield {"arm": trial.arm, "name": trial.name, "score": trial.score, "says": says}


def shown(value: float) -> bool:
    """A logarithmic axis has no place for zero."""
    return isfinite(value) and value > 0


# Charts ----------------------------------------------------------------------------------------


def curves(across: Spec, arms: list[str], up: Spec) -> Spec:
    """Distances on the way: a line a trial, a cross where one failed, anchors as rules."""
    x = {"type": "quantitative", **across}
    y = {
        "field": "distance",
        "type": "quantitative",
        "title": "distance",
        "scale": LOG,
        "axis": up,
    }
    colour = {"field": "arm", "type": "nominal", "scale": {"domain": arms}, "legend": None}
    fades = {"condition": {"param": "trial", "value": 1}, "value": 0.15}
    own: Spec = {"x": x, "y": y, "color": colour, "opacity": fades}
    only = [{"filter": "indexof(hidden, datum.arm) < 0"}]
    says = {"field": "says", "type": "nominal"}
    at_a_point = {
        "name": "trial",
        "select": {
            "type": "point",
            "fields": ["trial"],
            "on": "pointerover",
            "clear": "pointerout",
            "nearest": True,
        },
    }
    return {
        **FRAME,
        "height": 340,
        "params": [{"name": "hidden", "value": []}],
        "layer": [
            *ruled("anchors", {"y": y}),
            {
                "data": {"name": "looks"},
                "transform": only,
                "mark": {"type": "line", "strokeWidth": 1.75},
                "encoding": own | {"detail": {"field": "trial"}},
            },
            {
                "data": {"name": "failures"},
                "transform": only,
                "mark": {"type": "point", "shape": CROSS, "size": 70, "strokeWidth": 2.5},
                "encoding": own | {"tooltip": says},
            },
            {
                "data": {"name": "looks"},
                "transform": only,
                "params": [at_a_point],
                "mark": {"type": "circle", "size": 36},
                "encoding": own | {"tooltip": says},
            },
        ],
    }


def ranking(report: Report, arms: list[str]) -> Spec:
    """Every arm's seeds, their mean and its interval."""
    names = [row.standing.name for row in report.leaderboard if row.standing.mean is not None]
    rows = [row.standing for row in report.leaderboard]
    ends = (end for each in rows for end in (*each.scores, each.low, each.high))
    values = [end for end in ends if end is not None]
    above = TEXT * len(list(near(report)))
    x = {
        "type": "quantitative",
        "title": report.metric,
        "scale": LOG,
        "axis": marks([*values, *(each["distance"] for each in near(report))]),
    }
    y = {
        "field": "name",
        "type": "nominal",
        "title": None,
        # Above the arms there is room for the names of what they are held against.
        "scale": {"domain": list(dict.fromkeys(names)), "range": [above, above + ROW * len(names)]},
        "axis": {"ticks": False, "domain": False},
    }
    colour = {"field": "arm", "type": "nominal", "scale": {"domain": arms}, "legend": None}
    says = {"field": "says", "type": "nominal"}
    both = {"y": y, "color": colour, "tooltip": says}
    mean = x | {"field": "mean"}
    return {
        **FRAME,
        "height": above + ROW * len(names),
        "layer": [
            *held(list(near(report)), x | {"field": "distance"}),
            {
                "data": {"name": "intervals"},
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": both | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
            },
            {
                "data": {"name": "seeds"},
                "mark": {"type": "point", "size": 60, "strokeWidth": 1.5},
                "encoding": both | {"x": x | {"field": "score"}},
            },
            {
                "data": {"name": "intervals"},
                "mark": {"type": "tick", "thickness": 3, "size": 18},
                "encoding": both | {"x": mean},
            },
        ],
    }


def marks(values: list[float]) -> Spec:
    """A few round numbers on a logarithmic axis, written as everywhere on the page."""
    found = axis(values, 0, 1)
    return {"values": found.marks if found else [], "format": "~r"}


THOUSANDS: Spec = {
    "tickCount": 6,
    "labelExpr": "datum.value >= 1e6 ? datum.value / 1e6 + 'M' : "
    "datum.value >= 1e3 ? datum.value / 1e3 + 'k' : datum.label",
}
LOG: Spec = {"type": "log", "nice": False, "padding": 12}
FRAME: Spec = {
    "$schema": SCHEMA,
    "width": "container",
    "autosize": {"type": "fit-x", "contains": "padding"},
    "padding": 4,
}


def ruled(data: str, place: Spec) -> list[Spec]:
    """What distances are held against, as broken lines across with their names."""
    return [
        {"data": {"name": data}, "mark": RULE, "encoding": place},
        {
            "data": {"name": data},
            "mark": {**NAME, "align": "left", "dy": -5},
            "encoding": place | {"x": {"value": 4}, "text": {"field": "name"}},
        },
    ]


def held(those: list[Spec], x: Spec) -> Iterator[Spec]:
    """The same downwards, each from its own line of text."""
    for each in those:
        data = {
            "data": {"name": "near"},
            "transform": [{"filter": f"datum.line == {each['line']}"}],
        }
        top, side = TEXT * each["line"], each["side"]
        down = {"y": {"value": top}, "y2": {"value": "height"}}
        name = {**NAME, "align": side, "dx": 4 if side == "left" else -4, "baseline": "top"}
        beside = {"y": {"value": top + 1}, "text": {"field": "name"}}
        yield {**data, "mark": RULE, "encoding": {"x": x, **down}}
        yield {**data, "mark": name, "encoding": {"x": x, **beside}}


RULE: Spec = {"type": "rule", "strokeDash": [4, 4], "opacity": 0.7}
NAME: Spec = {"type": "text", "fontSize": 11, "opacity": 0.9}


def in_words(report: Report) -> str:
    """What somebody hears who does not see the chart."""
    arms = [row.standing.name for row in report.leaderboard]
    return (
        f"Distances of {len(report.drawn)} trials of {listed(arms)} on the way, on a logarithmic "
        "scale. The same numbers stand in the table below."
    )
