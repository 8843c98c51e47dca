"""What a run leaves to look at of its first arm: what its samples repeat, and what lies between them.

nearest.webp: in every row a sample, then the training images nearest to it. nearest.json says which
trial they are of ("arm", "trial"), how many samples were held against how many training images
("count", "against", "of"), and what came out of it ("z", "share_copied", "says": one sentence;
"space": in which of "spaces" the copies are, or the nearest of all). "pairs" has an entry for every
row: how near its sample is ("distance"), how near held-out images typically are ("of_real"), the
share of these that are nearer ("nearer"), and whether it is there for being so near ("picked").

interpolation.webp: in every row the way from one latent to another, in equal steps.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from knowledge.files import write_whole
from runner.data import ImageSet
from runner.data.cache import cache_folder
from runner.metrics import Extractor, measurable
from runner.metrics.copies import SHOWN, Memorisation, memorisation
from runner.metrics.pixels import Images, on_white
from runner.pictures import CELL, tiled, webp
from runner.plan import RunPlan
from runner.prepare import Prepared, RunError, reference_of
from runner.samples import sampler
from runner.scene import Game
from runner.told import is_told
from runner.trial import EVALUATION_SEED, PICTURE_SEED

VERSION = 2  # raise it when the same generator would leave something else
ROWS = 8  # of samples: half of them the nearest of all, half as they come
WAYS, STEPS = 4, 9
LARGEST = 2 * CELL  # pixels a side of a sample in these pictures
QUALITY = 85
NEAREST, SAYS, BETWEEN = "nearest.webp", "nearest.json", "interpolation.webp"


def keep(folder: Path, prepared: Prepared, tell: Callable[[str], None]) -> None:
    """For the first finished trial of the first arm of a run, once.

    A run does not fail for want of them: what goes wrong is told in a sentence. Points of a plane
    have none.
    """
    if prepared.images.of_points:
        return
    # They rank the run, and so import what carries it out, which imports this.
    from runner.take.find import TakeError, find

    try:
        taken = find(folder)
    except (TakeError, RunError) as error:
        if list(folder.glob("trials/*/generator.safetensors")):
            tell(f"caution: no picture of nearest training images: {error}")
        return
    which = mark(taken.weights, prepared.plan)
    if known(folder / SAYS) == which:
        return
    tell(f"looking for training images that {taken.trial.id} repeats")
    for name in (NEAREST, SAYS, BETWEEN):
        (folder / name).unlink(missing_ok=True)

    def nearest() -> None:
        game = generator()
        found = memorised(
            game, prepared.images, prepared.features, prepared.plan.measurement.look_n
        )
        rows = chosen(found)
        write_whole(folder / NEAREST, beside(found, rows))
        about = {
            "arm": taken.trial.arm,
            "trial": taken.trial.id,
            **said(found, rows),
            "mark": which,
        }
        write_whole(folder / SAYS, json.dumps(about, indent=1))

    def way() -> None:
        if ways := between(generator()):
            write_whole(folder / BETWEEN, ways)

    def generator() -> Game:
        from runner.take.generator import read_generator

        return read_generator(taken.weights, prepared.plan.device)

    attempt("way between samples", way, tell)
    attempt("picture of nearest training images", nearest, tell)


def attempt(what: str, action: Callable[[], None], tell: Callable[[str], None]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - out of memory, a full disk: the run is worth more
        why = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        tell(f"caution: no {what}: {why}")


def mark(weights: Path, plan: RunPlan) -> str:
    """By which it is known that the same would come out again."""
    how = plan.measurement
    about = f"{VERSION} {plan.data.fingerprint} {how.digest} {how.look_n} "
    return hashlib.sha256(about.encode() + weights.read_bytes()).hexdigest()


def known(path: Path) -> str | None:
    try:
        found = json.loads(path.read_bytes())
        return str(found["mark"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


# What samples repeat ---------------------------------------------------------------------------


def memorised(game: Game, images: ImageSet, features: Extractor, n: int) -> Memorisation:
    """Of n samples, by what n held-out images tell. Raises MetricError."""
    return memorisation(
        sampler(game),
        images.train,
        images.held_out,
        reference_of(images, features, n),
        seed=EVALUATION_SEED,
        cache=cache_folder(None) / "references",
    )


def chosen(found: Memorisation) -> list[int]:
    """Half of the rows for the nearest samples of all, and half for the first ones, as they come."""
    near = found.made[found.worst].relative
    first = [int(row) for row in np.argsort(near, kind="stable")[: ROWS // 2]]
    return first + [row for row in range(len(near)) if row not in first][: ROWS - len(first)]


def beside(found: Memorisation, rows: list[int]) -> bytes:
    """Every sample, then the training images nearest to it."""
    near = found.made[found.worst].rows
    tiles = [tile for row in rows for tile in (found.samples[row], *found.train[near[row]])]
    return drawn(np.stack([np.asarray(tile) for tile in tiles]), 1 + near.shape[1])


def said(found: Memorisation, rows: list[int]) -> dict[str, Any]:
    worst = found.of[found.worst]
    made, real = (which[found.worst].relative for which in (found.made, found.real))
    pairs = [
        {
            "distance": finite(made[row]),
            "of_real": finite(np.median(real)),
            "nearer": float((real < made[row]).mean()),
            "picked": "nearest" if at < ROWS // 2 else "as it came",
        }
        for at, row in enumerate(rows)
    ]
    return {
        "count": worst.count,
        "against": worst.against,
        "of": found.among,
        "z": found.of["features"].z,
        "share_copied": worst.share_copied,
        "says": found.says,
        "space": found.worst,
        "spaces": {space: each.model_dump() for space, each in found.of.items()},
        "pairs": pairs,
        "columns": 1 + SHOWN,
        "tile": side(found.samples.shape[-1]),
    }


def finite(value: float | np.floating) -> float:
    """JSON knows no infinity, which is how far all is from images that are there many times."""
    return float(np.nan_to_num(value, posinf=1e9))


# What lies between samples ---------------------------------------------------------------------


@torch.no_grad()
def between(game: Game) -> bytes | None:
    """None where what a generator takes has no way from one to another."""
    from runner.take.generator import has_normal_latents, put_on_stage

    stage = put_on_stage(game, torch.Generator().manual_seed(PICTURE_SEED))
    latents = stage["latents"]
    if not isinstance(latents, Tensor) or latents.ndim != 2 or not latents.is_floating_point():
        return None
    way = slerp if has_normal_latents(game) else torch.lerp
    starts, ends = latents[: 2 * WAYS : 2], latents[1 : 2 * WAYS : 2]
    at = [way(starts, ends, step / (STEPS - 1)) for step in range(STEPS)]
    known = {"latents": torch.stack(at, 1).flatten(0, 1)}
    if is_told(game):  # a way stays in its class
        known["labels"] = stage["labels"][: 2 * WAYS : 2].repeat_interleave(STEPS)
    made = put_on_stage(game, torch.Generator(), count=WAYS * STEPS, **known)["fake"]
    return drawn(measurable(made).cpu().numpy(), STEPS)


def slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Along the great circle, (N, d): Shoemake, 1985; for latents, White, 2016, section 2.1.

    Halfway on a straight line normal latents are shorter than any that the generator has seen.
    """
    unit = [each / each.norm(dim=1, keepdim=True) for each in (start, end)]
    angle = (unit[0] * unit[1]).sum(1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    straight = torch.lerp(start, end, share)
    round_ = ((1 - share) * angle).sin() / sine * start + (share * angle).sin() / sine * end
    return torch.where(sine > 1e-4, round_, straight)


def drawn(images: Images, columns: int) -> bytes:
    seen = tiled(np.asarray(on_white(images)), columns)
    size = images.shape[-1]
    if size > LARGEST:
        seen = seen.reduce(-(-size // LARGEST))
    return webp(seen, QUALITY)


def side(size: int) -> int:
    """Pixels of a sample of so many in these pictures."""
    return size // -(-size // LARGEST) if size > LARGEST else size * max(1, round(CELL / size))
