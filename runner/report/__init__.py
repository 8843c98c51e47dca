"""What a run has shown, as one web page, as Markdown, or as JSON: all made of the same content."""

from pathlib import Path

from knowledge.files import write_whole
from runner.report.contents import Report, content
from runner.report.files import ReportError, Run, circumstances, read
from runner.report.html import page
from runner.report.text import markdown
from runner.report.words import held, recipe_rows
from runner.results import Leaderboard

__all__ = [
    "Report",
    "ReportError",
    "Run",
    "circumstances",
    "content",
    "held",
    "markdown",
    "page",
    "read",
    "recipe_rows",
    "render",
    "write_report",
]


def write_report(run_folder: Path, board: Leaderboard | None = None) -> Path:
    """Raises OSError where a file is missing or cannot be written, ReportError for a broken one."""
    path = run_folder / "report.html"
    write_whole(path, render(read(run_folder, board)))
    return path


def render(run: Run) -> str:
    """The page."""
    return page(content(run), run.folder)
