"""A generator to keep and to pass on: checked files, a script that draws from them, a card."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from runner.metrics import measurable
from runner.pictures import COLUMNS, picture, shown
from runner.scene import Game
from runner.take.card import card_of
from runner.take.find import Taken
from runner.take.folder import check_free, new_folder
from runner.take.formats import FORMATS, Check, written
from runner.take.generator import drawn, images_of, put_on_stage, read_generator, told_classes

SCRIPT = Path(__file__).with_name("generate.py")
SEED = 0  # of the picture: what the script draws when it is not told
MOST_ROWS = 16  # of classes in the picture: of more, it shows what comes


def export(
    taken: Taken,
    formats: Sequence[str],
    out: Path,
    tell: Callable[[str], None] = lambda what: None,
) -> list[Check]:
    """A folder with the formats, each one read back and held against the original.

    TorchScript is always among them: the script that draws takes torch alone. Raises TakeError,
    with nothing left behind, where the folder is taken, a package is missing or a check fails.
    """
    check_free(out)
    game = read_generator(taken.weights)
    with new_folder(out) as folder:
        checks = []
        for name in dict.fromkeys(("torchscript", *formats)):
            tell(f"writing {FORMATS[name].file} and holding it against the original")
            checks.append(written(FORMATS[name], game, taken.weights, folder))
        rows = 0 < told_classes(game) <= MOST_ROWS and game.image.size > 1
        made = [row_by_row(game)] if rows else drawn(game, shown(game.image.size), seed=SEED)
        seen = np.concatenate([measurable(batch).numpy() for batch in made])
        (folder / "samples.png").write_bytes(picture(seen))
        (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
        (folder / "README.md").write_text(card_of(taken, game, checks, rows), encoding="utf-8")
    return checks


def row_by_row(game: Game) -> Tensor:
    """A class in each row, and the same latents in each column."""
    classes = told_classes(game)
    latents = put_on_stage(game, torch.Generator().manual_seed(SEED))["latents"][:COLUMNS]
    labels = torch.arange(classes).repeat_interleave(len(latents))
    return images_of(game, latents.repeat(classes, 1), labels)
