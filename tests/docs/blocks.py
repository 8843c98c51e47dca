"""What the documentation tells a person to type, and the files that it tells to write."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MADE = ("docs/decisions/", "docs/catalogue/", "docs/reference/")  # nobody is told to type there
FENCE = re.compile(r"^( *)```(\w*)(.*?)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
TYPED = ("console", "bash", "sh")
PROGRAMS = ("gan-advisor", "gan-runner")


class Command(NamedTuple):
    """One to type; what the page shows below it, a line each."""

    page: str
    line: int
    text: str
    shows: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


class Written(NamedTuple):
    """A block with a path as its title: a file that the reader writes."""

    page: str
    path: str
    text: str


def pages() -> list[str]:
    found = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")]
    told = [page for page in found if not page.startswith(MADE)]
    return sorted([*told, "README.md", "CONTRIBUTING.md", "knowledge/README.md"])


def steps(page: str, text: str | None = None) -> Iterator[Command | Written]:
    """In their order."""
    text = (ROOT / page).read_text(encoding="utf-8") if text is None else text
    for block in FENCE.finditer(text):
        _, kind, more, content = block.groups()
        line = text.count("\n", 0, block.start(4)) + 1
        title = TITLE.search(more)
        if title:
            yield Written(page, title[1], content)
        elif kind == "console":
            yield from session(page, line, content)
        elif kind in TYPED:
            yield from script(page, line, content)


def session(page: str, line: int, content: str) -> Iterator[Command]:
    """`$ ` before what is typed, which ends in a backslash where it goes on; the rest is output."""
    typed: list[str] = []
    shows: list[str] = []
    start = line
    for number, each in enumerate(content.splitlines(), line):
        if typed and typed[-1].endswith("\\"):
            typed.append(each)
        elif each.startswith("$ "):
            if typed:
                yield Command(page, start, "\n".join(typed), tuple(shows))
            typed, shows, start = [each[2:]], [], number
        else:
            shows.append(each)
    if typed:
        yield Command(page, start, "\n".join(typed), tuple(shows))


def script(page: str, line: int, content: str) -> Iterator[Command]:
    """A line is a command, with those that it goes on in."""
    whole = re.finditer(r"(?:[^\n]*\\\n)*[^\n]+", content)
    for found in whole:
        if not found[0].lstrip().startswith("#"):
            yield Command(page, line + content.count("\n", 0, found.start()), found[0].strip())


def ours(text: str) -> Iterator[list[str]]:
    """The command lines of our programs in a line of shell, a variable's value taken as 1."""
    text = re.sub(r"\\\n\s*", " ", text)
    for found in re.finditer(rf"(?:^|[\s/(])({'|'.join(PROGRAMS)})(?=\s|$)([^|&;)]*)", text):
        yield [found[1], *words(found[2])]


def words(text: str) -> list[str]:
    """As the shell has them, without comments and redirections."""
    import shlex

    text = re.sub(r"\d?>+\s*\S+", "", text)
    found = shlex.split(text, comments=True)
    return ["1" if "$" in word else word for word in found]


def commands() -> list[Command]:
    return [step for page in pages() for step in steps(page) if isinstance(step, Command)]


def inline(page: str) -> Iterator[tuple[int, list[str]]]:
    """Command lines in running text: `gan-runner plan --budget 2h`, with their line."""
    text = (ROOT / page).read_text(encoding="utf-8")
    bare = FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    for found in re.finditer(r"`((?:gan-advisor|gan-runner) [^`]+)`", bare):
        yield bare.count("\n", 0, found.start()) + 1, words(found[1].replace("\n", " "))
