"""A page of docs/ whose figures a benchmark fills in."""

from pathlib import Path

BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


def fill(page: Path, report: str) -> None:
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    page.write_text(before + BEGIN + "\n" + report + "\n" + END + after, encoding="utf-8")
