"""A generator to keep and to pass on: checked files, a script that draws from them, a card."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from runner.metrics import measurable
from runner.pictures import picture, shown
from runner.take.card import card_of
from runner.take.find import Taken
from runner.take.folder import check_free, new_folder
from runner.take.formats import FORMATS, Check, written
from runner.take.generator import drawn, read_generator

SCRIPT = Path(__file__).with_name("generate.py")
SEED = 0  # of the picture: what the script draws when it is not told


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
        made = drawn(game, shown(game.image.size), seed=SEED)
        seen = np.concatenate([measurable(batch).numpy() for batch in made])
        (folder / "samples.png").write_bytes(picture(seen))
        (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
        (folder / "README.md").write_text(card_of(taken, game, checks), encoding="utf-8")
    return checks
