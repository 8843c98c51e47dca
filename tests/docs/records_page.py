"""The page of the files: what every record in them has, read off its class, comments and all."""

import ast
import inspect
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from knowledge.schema import Record

FILES = {  # in the order in which a run writes them
    "recommendation.json": "advisor.recommendation:Recommendation",
    "plan.json": "runner.plan:RunPlan",
    "calibration.json": "runner.calibrate:Calibration",
    "run.json": "runner.run:Circumstances",
    "trials/*/result.json": "runner.results:TrialResult",
    "leaderboard.json": "runner.results:Leaderboard",
}
SAYS = {
    "recommendation.json": "What `gan-advisor recommend -o` and `ask -o` write, and `--json` prints; a run keeps a copy.",
    "plan.json": "What a run trains and how it measures. A run follows the plan that it finds.",
    "calibration.json": "How many trials fit side by side on this machine, and how fast each arm is.",
    "run.json": "Where and how the run was made. Nothing is compared by it.",
    "trials/*/result.json": "One for each trial. A trial that has one is not trained again.",
    "leaderboard.json": "The ranking, and what it claims.",
}  # fmt: skip


class Field(NamedTuple):
    name: str
    kind: str
    default: str
    says: str


def records_page() -> str:
    shown: dict[str, type[Record]] = {}
    files = "".join(section(name, load(place), shown) for name, place in FILES.items())
    return HEAD + profile() + files


HEAD = """# Files

Every stage of the work is a file that can be opened, compared, edited and given to the next stage. JSON and YAML, UTF-8,
no key more than those listed: a misspelt one is an error that names it. `schema_version` is raised when a file of an
older version would be misread.

A run is a folder, and the folder is its database:

```text
runs/first/
├── recommendation.json    the advice that it follows
├── plan.json              what is trained and measured
├── calibration.json       how fast this machine is
├── run.json               versions, hardware, command
├── live.json              signs of life, for watch and serve
├── anchors.json           distances of noise, blur and the mean image
├── floor.json             distance of real images to real ones
├── trials/wgan-gp-seed0/
│   ├── checkpoint.pt      to go on from; read with weights_only
│   ├── generator.safetensors
│   ├── looks.json         cheap measurements on the way
│   ├── samples.png
│   └── result.json        where the trial ended
├── leaderboard.json       the ranking
├── samples.png            of the first arm
└── report.html            all of it, for people
```

"""


def profile() -> str:
    """The questions are the format of a profile."""
    from knowledge.library import build

    rows = []
    for question in build().questions.values():
        choices = ", ".join(f"`{choice.id}`" for choice in question.choices)
        kinds = {
            "dataset": "the id or name of a data set",
            "number": f"a number of {question.unit}",
        }
        several = "any of " if question.answer == "choices" else ""
        rows.append(
            f"| `{question.id}` | {question.asks} | {several}{choices or kinds[question.answer]} |"
        )
    head = "## profile.yaml\n\nAnswers, a line each; `gan-advisor ask` writes one. What is left out, or left empty, counts as unknown.\n"
    return f"{head}\n| | question | answers |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"


def section(name: str, root: type[Record], shown: dict[str, type[Record]]) -> str:
    """A file, and every record in it that no file before has shown."""
    text = f"## {name}\n\n{SAYS[name]}\n\n"
    for record in reached(root, shown):
        text += shown_as(record, heading="" if record is root else f"### {record.__name__}\n\n")
    return text


def shown_as(record: type[Record], heading: str) -> str:
    says = inspect.cleandoc(record.__doc__) + "\n\n" if own_doc(record) else ""
    rows = "\n".join(
        f"| `{each.name}` | {each.kind} | {each.default} | {each.says} |" for each in fields(record)
    )
    return f"{heading}{says}| | | by default | |\n|---|---|---|---|\n{rows}\n\n"


def own_doc(record: type[Record]) -> bool:
    return bool(record.__doc__) and record.__doc__ != record.__mro__[1].__doc__


def load(place: str) -> type[Record]:
    from importlib import import_module

    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def reached(root: type[Record], shown: dict[str, type[Record]]) -> Iterator[type[Record]]:
    """It and the records in its fields, each once. Two of one name would share a heading."""
    if shown.get(root.__name__, root) is not root:
        raise ValueError(f"two records are called {root.__name__}")
    if root.__name__ in shown:
        return
    shown[root.__name__] = root
    yield root
    for kind in get_type_hints(root).values():
        for inner in records_in(kind):
            yield from reached(inner, shown)


def records_in(kind: Any) -> Iterator[type[Record]]:
    if isinstance(kind, type) and issubclass(kind, Record):
        yield kind
    for part in get_args(kind):
        yield from records_in(part)


# Fields ----------------------------------------------------------------------------------------


def fields(record: type[Record]) -> Iterator[Field]:
    """In their order, a parent's first. What a field is, the comment beside it says."""
    for owner in reversed(record.__mro__):
        if owner is Record or not issubclass(owner, Record):
            continue
        source = textwrap.dedent(inspect.getsource(owner))
        notes, hints = comments(source), get_type_hints(owner)
        (definition,) = ast.parse(source).body
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and node.target.id in owner.model_fields:
                name = node.target.id
                lines = range(node.lineno, node.end_lineno + 1)
                note = " ".join(notes[line] for line in lines if line in notes)
                yield Field(name, in_words(hints[name]), default(owner, name), escaped(note))


def comments(source: str) -> dict[int, str]:
    """By the number of their line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    return {line: text.lstrip("# ") for line, text in found.items() if "noqa" not in text}


def default(record: type[Record], name: str) -> str:
    """As JSON has it."""
    field = record.model_fields[name]
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Record):
        return "its defaults"
    return f"`{json.dumps(value)}`"


def in_words(kind: Any) -> str:
    """A type as JSON has it."""
    origin, parts = get_origin(kind), get_args(kind)
    if set(parts) >= {bool, int, float, str}:
        parts = (*(each for each in parts if each not in NAMES), VALUE)
    if kind in NAMES:
        return NAMES[kind]
    if isinstance(kind, type) and issubclass(kind, Record):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if origin is Annotated:
        return in_words(parts[0])
    if origin is Literal:
        return "one of " * (len(parts) > 2) + ", ".join(f"`{each}`" for each in parts)
    if origin in (Union, UnionType):
        own = list(dict.fromkeys(in_words(each) for each in parts if each is not NoneType))
        return " or ".join(own + ["null"] * (NoneType in parts))
    if origin is tuple:
        inner = [each for each in parts if each is not Ellipsis]
        return "list of " + " and ".join(map(in_words, inner))
    if origin is list:
        return "list of " + in_words(parts[0])
    if origin is dict:
        return f"{in_words(parts[1])} by {'name' if parts[0] is str else 'slot'}"
    raise TypeError(f"no word for {kind}")


VALUE = TypeVar("VALUE")  # text, a number, or true or false
NAMES = {
    VALUE: "value",
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Any: "anything",
}


def escaped(text: str) -> str:
    text = text.replace("None", "null")  # as JSON has it
    return re.sub(r"([|*_<>\[\]])", r"\\\1", text)
