"""What the scores of a run are held against, and the real images beside its samples."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from knowledge.files import write_whole
from runner.data.cache import cache_folder
from runner.metrics import Score, anchors, floor
from runner.pictures import picture, shown
from runner.prepare import Prepared, RunError

ANCHORS = TypeAdapter(dict[str, Score])


def hold_against(prepared: Prepared, folder: Path) -> None:
    """What scores are held against: real images against real ones, and what nobody had to learn."""
    images, reference = prepared.images, prepared.reference()
    cache = cache_folder(None) / "references"
    if not (folder / "real.png").exists():
        write_whole(folder / "real.png", picture(images.held_out[: shown(images.size)]))
    if not (folder / "anchors.json").exists():
        found = {
            "floor": floor(images.train, reference, cache=cache),
            **anchors(images.train, reference, cache=cache),
        }
        write_whole(folder / "anchors.json", ANCHORS.dump_json(found, indent=1).decode())


def held_against(path: Path) -> dict[str, Score]:
    """Empty where nothing was measured yet. Raises RunError for a file of another version."""
    try:
        return ANCHORS.validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError:
        raise RunError(f"{path} is damaged; remove it, and it is measured again") from None
