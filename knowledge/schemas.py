"""python -m knowledge.schemas [--check]: JSON Schemas of the YAML files, for editors."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from knowledge.archive import GlobalConflict, SurveyRow, Technique
from knowledge.numbers import Hyperparameters, Metric, ResultTable
from knowledge.schema import (
    Axis,
    Baseline,
    Claim,
    Dataset,
    Gan,
    Question,
    Rule,
    Source,
    Vocabulary,
)

FOLDER = Path(__file__).parent / "schemas"
SHAPES: dict[str, Any] = {
    # each file of a folder
    "axes": Axis,
    "claims": list[Claim],
    "datasets": Dataset,
    "gans": Gan,
    "results": ResultTable,
    "rules": list[Rule],
    # a file of its own
    "baseline": Baseline,
    "conflicts": list[GlobalConflict],
    "hyperparameters": Hyperparameters,
    "metrics": dict[str, Metric],
    "questions": list[Question],
    "sources": dict[str, Source],
    "survey-table-1": list[SurveyRow],
    "techniques": dict[str, Technique],
    "variants": dict[str, str],
    "vocabulary": Vocabulary,
}


def main(arguments: list[str]) -> int:
    """Write them; with --check, tell those that no longer follow from the types."""
    wanted = {FOLDER / f"{name}.json": written(name) for name in SHAPES}
    if "--check" in arguments:
        stale = [path for path, text in wanted.items() if not is_current(path, text)]
        stale += sorted(set(FOLDER.glob("*.json")) - wanted.keys())
        for path in stale:
            print(f"{path.relative_to(FOLDER.parent.parent)} is stale", file=sys.stderr)
        if stale:
            print("run: python -m knowledge.schemas", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


def is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def written(name: str) -> str:
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def schema(name: str) -> dict[str, Any]:
    """Of the files in this folder, or of the file of this name."""
    found = TypeAdapter(SHAPES[name]).json_schema()
    if name == "results":
        share(found)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"knowledge/{name}"}
    return {**head, **{key: value for key, value in found.items() if key not in head}}


def share(table: dict[str, Any]) -> None:
    """A field of a result may stand once in `shared`, so a result by itself needs its id only."""
    result = table["$defs"]["Result"]
    table["properties"]["shared"] = {
        "type": "object",
        "properties": {key: each for key, each in result["properties"].items() if key != "id"},
        "additionalProperties": False,
    }
    result["required"] = ["id"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
