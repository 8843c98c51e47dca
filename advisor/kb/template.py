"""Commented beginnings of the entries that people add."""

import os
import re
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["gan", "claim", "result", "rule", "question"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HERE = Path(__file__).parent / "templates"
FOLDERS = {"gan": "gans", "claim": "claims", "result": "results", "rule": "rules"}


def template(kind: Kind, name: str) -> str:
    """The YAML of an entry with this id; what is left to fill in is marked with an ellipsis."""
    text = (HERE / f"{kind}.yaml").read_text(encoding="utf-8")
    return re.sub(r"\bSOURCE\b", f"{name}-paper", re.sub(r"\bID\b", name, text))


def destination(kind: Kind, name: str, out: Path) -> Path:
    """A folder is an overlay: the entry goes to its place in it."""
    if out.suffix == ".yaml":
        return out
    return out / FOLDERS[kind] / f"{name}.yaml" if kind in FOLDERS else out / f"{kind}s.yaml"


def write(text: str, path: Path) -> None:
    """Whole or not at all, and never over what is there. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        os.link(beside, path)  # unlike a rename, it fails where the name is taken
    finally:
        beside.unlink(missing_ok=True)
