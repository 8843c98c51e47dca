"""A report as Markdown: for a pull request, a notebook, or a terminal."""

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment

from knowledge.schema import STAGES
from runner.report.contents import Report
from runner.report.html import web
from runner.templates import templates


class Ready(str):
    """Markdown already."""


def markdown(report: Report) -> str:
    """Its pictures are named as they lie in the run's folder."""
    return environment().get_template("report.md.j2").render(
        report=report,
        made=report.reproduction,
        data=report.reproduction.data,
        measurement=report.reproduction.measurement,
        stages=STAGES,
    )  # fmt: skip


@cache
def environment() -> Environment:
    """Nothing is HTML here, and whatever is put in is read as it stands."""
    made = templates(
        Path(__file__).parent / "templates",
        finalize=lambda value: plain(value) if type(value) is str else value,
        keep_trailing_newline=True,
    )
    made.filters |= {"ready": Ready, "link": link, "code": code, "picture": picture}
    return made


def plain(text: str) -> str:
    """In one line, and read as it stands."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", re.sub(r"\s+", " ", text))


def link(text: str, address: str) -> Ready:
    """Only where a browser may follow it."""
    if not web(address):
        return Ready(plain(text))
    safe = address.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("<", "%3C")
    return Ready(f"[{plain(text)}]({safe})")


def code(text: str) -> Ready:
    """Fenced by more backticks than it holds."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    inner = " ".join(text.split())
    return Ready(f"{fence} {inner} {fence}" if longest else f"`{inner}`")


def picture(path: str, alt: str) -> Ready:
    return Ready(f"![{plain(alt)}](<{path}>)")
