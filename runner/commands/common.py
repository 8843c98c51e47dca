"""What the commands share: how they fail, and how they read numbers and files."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import typer

from advisor.recommendation import Recommendation

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
UNITS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def fail(message: str, code: int) -> typer.Exit:
    print(f"gan-runner: {message}", file=sys.stderr)
    return typer.Exit(code)


def number(text: str) -> int:
    """2M, 500k or 64,000. Raises typer.BadParameter, also for what could mean two things."""
    plain = text.strip().replace("_", "")
    whole = plain.replace(",", "")
    found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*([kKmMbB]?)", whole)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no number of images such as 2M, 500k or 64000")
    digits, unit = found[1], found[2]
    if "," in plain and not re.fullmatch(r"\d{1,3}(,\d{3})+", plain):
        before, _, after = plain.rpartition(",")
        point = f"{before.replace(',', '')}.{after}"
        raise typer.BadParameter(
            f"{text!r} could mean two numbers: write {point}, or {whole}, without a comma"
        )
    if unit == "m":
        says = f"write {digits}M for millions of images, or {digits}min for minutes"
        raise typer.BadParameter(f"{text!r} could mean two things: {says}")
    if "." in digits and not unit:
        says = f"write {digits.replace('.', '')} or {float(digits):g}M"
        raise typer.BadParameter(f"{text!r} is no whole number of images: {says}")
    value = float(digits) * UNITS.get(unit.lower(), 1)
    if not 1 <= value < 1e12:
        raise typer.BadParameter(f"{text!r} is no number of images such as 2M, 500k or 64000")
    return round(value)


class Budget(NamedTuple):
    """Real images for each trial, or seconds for the whole run."""

    images: int | None
    seconds: float | None


def budget_of(text: str) -> Budget:
    """2M, or 2h, 90min, 1h30min. Raises typer.BadParameter."""
    plain = text.strip().lower().replace(" ", "")
    if not re.search(r"(h|s|d|min)", plain):
        return Budget(number(text), None)
    if "," in plain:
        says = f"write {plain.replace(',', '.')}, with a point"
        raise typer.BadParameter(f"{text!r} is no time to train for: {says}")
    if re.search(r"m(?!in)", plain):
        says = f"minutes are min: write {re.sub(r'm(?!in)', 'min', plain)}"
        raise typer.BadParameter(f"{text!r} is no time to train for: {says}")
    parts = re.findall(r"([\d.]+)(min|h|s|d)", plain)
    if "".join(value + unit for value, unit in parts) != plain:
        says = "a number of images such as 2M, or a time such as 2h, 90min or 1h30min"
        raise typer.BadParameter(f"{text!r} is neither {says}")
    try:
        seconds = sum(float(value) * SECONDS[unit] for value, unit in parts)
    except ValueError:
        seconds = 0
    if not 1 <= seconds < 1e8:
        raise typer.BadParameter(f"{text!r} is no time to train for")
    return Budget(None, seconds)


def read_recommendation(path: Path) -> Recommendation:
    """Raises typer.Exit, having said why."""
    from pydantic import ValidationError

    try:
        return Recommendation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise fail(f"{path}: {error.strerror}", BAD_INPUT) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        says = f"{path} is no recommendation of this version ({where}: {first['msg']})"
        raise fail(f"{says}; write one with gan-advisor recommend -o", BAD_INPUT) from None
