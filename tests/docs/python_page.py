"""The page of the Python interface: what `advisor` offers, with its own words."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import advisor
from knowledge.schema import Record
from tests.docs.records_page import FILES, load, reached, shown_as

HEAD = """# Python

`from advisor import recommend, Profile`. The page [Advice from Python](../api/advice.md) shows it at work; here is
every name. Nothing here imports torch. Records are immutable [pydantic](https://docs.pydantic.dev) models, so
`model_dump_json()` gives what `--json` prints.

The runner has no Python interface that is promised to stay: it is called as a command, and leaves [files](files.md).

"""
LIBRARY = """## Library

The knowledge base with everything that was laid over it: `open_library(folder, …)` gives one, and every function takes
it as `library=`. Its parts have the types of the YAML files in [knowledge/](../../knowledge/README.md): `gans`, `claims`,
`rules`, `questions`, `datasets`, `sources` and so on, by id.

"""


def python_page() -> str:
    names = {name: getattr(advisor, name) for name in sorted(advisor.__all__)}
    functions = [function(name, each) for name, each in names.items() if inspect.isfunction(each)]
    return HEAD + "".join(functions) + "".join(types(names))


def function(name: str, each: Any) -> str:
    signature = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(inspect.signature(each)))
    lines = f"{name}{signature}"
    if len(lines) > 90:
        head, _, tail = lines.partition("(")
        inner, _, returned = tail.rpartition(")")
        lines = f"{head}(\n" + "".join(f"    {each},\n" for each in parts(inner)) + f"){returned}"
    return f"## {name}\n\n```python\n{lines}\n```\n\n{inspect.cleandoc(each.__doc__)}\n\n"


def parts(parameters: str) -> list[str]:
    """At the commas that are in no bracket."""
    return [part.strip() for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", parameters)]


def types(names: dict[str, Any]) -> Iterator[str]:
    """Records that no file shows, in full; of the others where they are shown."""
    there: dict[str, type[Record]] = {}
    for place in FILES.values():
        list(reached(load(place), there))
    here = dict(there)
    for name, each in names.items():
        if inspect.isfunction(each):
            continue
        if name == "Library":
            yield LIBRARY
        elif not issubclass(each, Record):
            yield f"## {name}\n\n{inspect.cleandoc(each.__doc__ or '')}\n\n"
        elif there.get(name) is each:
            anchor = next((f for f, p in FILES.items() if load(p) is each), name.lower())
            slug = re.sub(r"[^\w-]", "", anchor.replace(" ", "-"))
            yield f"## {name}\n\nShown under [files](files.md#{slug}).\n\n"
        else:
            for record in reached(each, here):
                level = "##" if record is each else "###"
                yield elsewhere(shown_as(record, f"{level} {record.__name__}\n\n"), there)


def elsewhere(text: str, there: dict[str, type[Record]]) -> str:
    """Links to records that stand on the page of the files."""

    def linked(found: re.Match[str]) -> str:
        return f"](files.md#{found[1]})" if found[1] in known else found[0]

    known = {name.lower() for name in there}
    return re.sub(r"\]\(#(\w+)\)", linked, text)
