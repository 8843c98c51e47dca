"""YAML in, checked records out, and every mistake with its file and line."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

if TYPE_CHECKING:  # 9 ms, for nothing where a compiled form is at hand
    import yaml

T = TypeVar("T")
Loc = tuple[int | str, ...]


class Problem(NamedTuple):
    file: str
    line: int | None
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.says}" if self.line else f"{self.file}: {self.says}"


class InvalidData(ValueError):
    """All mistakes of the files that were read, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Document(NamedTuple):
    """A YAML file's content, and the line on which each of its entries starts."""

    path: Path
    file: str  # how messages name it
    data: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int | None:
        """The line of an entry, or of the nearest one around it."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return None


def read(path: Path, shown_as: str | None = None) -> Document:
    """Raises InvalidData where the file cannot be read or is no YAML, or a key stands twice."""
    import yaml

    Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # five times as fast in C
    name = shown_as or str(path)
    try:
        loader = Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidData([Problem(name, None, f"cannot be read: {reason}")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        says = getattr(error, "problem", None) or str(error)
        raise InvalidData(
            [Problem(name, mark.line + 1 if mark else None, f"not valid YAML: {says}")]
        ) from None
    lines: dict[Loc, int] = {}
    twice = list(walk(node, (), lines)) if node is not None else []
    if twice:
        raise InvalidData(
            Problem(name, line, f"the key {key!r} stands twice") for key, line in twice
        )
    return Document(path, name, data, lines)


def walk(node: "yaml.Node", loc: Loc, lines: dict[Loc, int]) -> Iterator[tuple[str, int]]:
    """Note the line of every entry; yield the keys that stand twice."""
    import yaml

    lines[loc] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from walk(value, (*loc, key.value), lines)
            lines[(*loc, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from walk(value, (*loc, index), lines)


def check(document: Document, shape: Any) -> Any:  # noqa: ANN401 - any type pydantic knows
    """The content as the given type. Raises InvalidData with every mistake in it."""
    try:
        return TypeAdapter(shape).validate_python(document.data)
    except ValidationError as error:
        raise InvalidData(
            Problem(document.file, document.line(details["loc"]), explain(details, shape))
            for details in error.errors()
        ) from None


def explain(details: ErrorDetails, shape: Any) -> str:  # noqa: ANN401
    """A pydantic error in words: the entry, what is wrong, what would be right."""
    loc = [part for part in details["loc"] if not str(part).startswith("function-")]
    where = ".".join(map(str, loc)) or "the file"
    match details["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key{nearest(str(loc[-1]), fields_of(shape))}"
        case "missing":
            return f"{where}: is missing"
        case "literal_error":
            expected = str(details.get("ctx", {}).get("expected", "")).replace("'", "")
            allowed = expected.replace(" or ", ", ").split(", ")
            return f"{where}: {details['input']!r} is not allowed{nearest(str(details['input']), allowed)}"
        case _:
            says = details["msg"][:1].lower() + details["msg"][1:]
            return f"{where}: {says}, not {details['input']!r}"


def fields_of(shape: Any) -> list[str]:  # noqa: ANN401
    arguments = getattr(shape, "__args__", ())
    inner = next((a for a in arguments if hasattr(a, "model_fields")), shape)
    return list(getattr(inner, "model_fields", ()))


LISTED = 24  # known words are listed up to here; of more, only those that are nearest
NEAREST = 6


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: what was probably meant, and what there is."""
    options = sorted(set(known))
    close = get_close_matches(word.lower(), options, n=1, cutoff=0.55)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    if len(options) <= LISTED:
        return f"{meant} (known: {', '.join(options)})" if options else meant
    alike = get_close_matches(word.lower(), options, n=NEAREST, cutoff=0.0)
    some = [*alike, *(each for each in options if each not in alike)][:NEAREST]
    return f"{meant} (known: {', '.join(sorted(some))} and {len(options) - NEAREST} more)"
