"""Tables of a terminal, as wide as it is."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from runner.wording import listed

LONGEST = 20  # letters of a word that is kept whole; addresses and paths may be longer


class Column(NamedTuple):
    key: str
    heading: str
    words: bool  # which wrap; numbers do not
    min_width: int


class Fitted:
    """A table that leaves whole columns out where the terminal is narrow, rather than cut cells."""

    def __init__(
        self, title: str, justify: Literal["left", "center"] = "center", *, drop: Sequence[str]
    ) -> None:
        """`drop` are keys of columns, those that go first in front."""
        self.title, self.justify, self.drop = title, justify, drop
        self.columns: list[Column] = []
        self.rows: list[tuple[str | Text, ...]] = []

    def add_column(
        self, key: str, heading: str | None = None, *, words: bool = False, min_width: int = 12
    ) -> None:
        heading = key if heading is None else heading
        self.columns.append(Column(key, heading, words, min_width if words else 0))

    def add_row(self, *cells: str | Text) -> None:
        self.rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        gone: list[str] = []
        known = {each.key for each in self.columns}
        rest = [key for key in dict.fromkeys(self.drop) if key in known]
        while rest and self.width(gone) > options.max_width:
            gone.append(rest.pop(0))
        yield self.without(gone)
        if named := [each.heading for each in self.columns if each.key in gone and each.heading]:
            says = listed([each.replace("-\n", "-").replace("\n", " ") for each in named])
            yield Text(f"not shown, the terminal being narrow: {says}", "dim")

    def width(self, gone: Sequence[str]) -> int:
        """The least that shows every number and name whole, with borders and a space on each side."""
        widths = []
        for at, each in enumerate(self.columns):
            if each.key in gone:
                continue
            texts = [each.heading, *(str(cells[at]) for cells in self.rows)]
            apart = None if each.words else "\n"  # words wrap at any space
            longest = max(
                (cell_len(part) for text in texts for part in text.split(apart)), default=0
            )
            widths.append(max(each.min_width, min(longest, LONGEST)) if each.words else longest)
        return sum(widths) + 3 * len(widths) + 1

    def without(self, gone: Sequence[str]) -> Table:
        rows = Table(title=self.title, title_justify=self.justify, padding=(0, 1), expand=False)
        for each in (each for each in self.columns if each.key not in gone):
            if each.words:
                rows.add_column(each.heading, overflow="fold", min_width=each.min_width)
            else:
                rows.add_column(each.heading, justify="right", no_wrap=True)
        for cells in self.rows:
            kept = zip(self.columns, cells, strict=True)
            rows.add_row(*(cell for each, cell in kept if each.key not in gone))
        return rows
