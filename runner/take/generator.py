"""A generator read back from its file, and what it makes of a seed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from knowledge.reading import nearest
from knowledge.schema import Recipe
from runner.game import sample
from runner.parts import PartError
from runner.scene import Game, ImageShape, Scene
from runner.structures import Cast, structure
from runner.structures.labels import drawn_as_often
from runner.take.find import TakeError
from runner.told import is_told

BLOCK = 64  # latents that are drawn, and go through the networks, together: whatever is asked for


def read_generator(path: Path, device: torch.device | str = "cpu") -> Game:
    """The game of the recipe in the file, with the file's generator, in eval mode.

    The other networks are as they are before training. Nothing in the file is executed. Raises
    TakeError.
    """
    try:
        with safe_open(path, "pt") as file:
            made_by = json.loads((file.metadata() or {})["gan-advisor"])
        recipe, image = Recipe.model_validate(made_by["recipe"]), ImageShape(**made_by["image"])
        with torch.random.fork_rng(devices=[]):
            # Coherence was checked before it was trained: a rule may have been added since.
            game = structure.get(recipe.structure)(Cast.of(recipe, image))
        game.networks["generator"].load_state_dict(load_file(path))
    except OSError as error:
        raise TakeError(f"{path}: {error.strerror or error}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, PartError, RuntimeError) as error:
        why = f"{error}".strip().splitlines()[0]
        raise TakeError(f"{path} is no generator of this version: {why}") from None
    game.networks.to(device).eval()
    return game


def classes_in(path: Path) -> tuple[str, ...]:
    """The names of the classes that the generator in the file is told; none where it is not."""
    with safe_open(path, "pt") as file:
        made_by = json.loads((file.metadata() or {})["gan-advisor"])
    return tuple(made_by.get("classes", ()))


def class_named(path: Path, name: str) -> int:
    """Raises TakeError where there is no such class, or none at all."""
    known = classes_in(path)
    if not known:
        raise TakeError(f"{path} was trained without labels: leave --class away")
    if name in known:
        return known.index(name)
    if name.isdecimal() and int(name) < len(known):
        return int(name)
    raise TakeError(f"no class {name!r}{nearest(name, known)}")


def drawn(
    game: Game, count: int, *, seed: int, truncation: float | None = None
) -> Iterator[Tensor]:
    """Batches of `count` samples in all, (N, C, H, W) in [-1, 1], or points (N, 2, 1, 1).

    The first ones are the same, to the bit, for every count. Raises TakeError where latents that
    are not normal should be truncated.
    """
    if truncation is not None:
        game = truncated(game, truncation)
    yield from sample(game, count, seed=seed, batch_size=BLOCK)


def truncated(game: Game, bound: float) -> Game:
    if not has_normal_latents(game):
        raise TakeError("only normal latents can be truncated, and this generator takes others")

    def latents(whole_latents: Tensor) -> Tensor:
        return within(whole_latents, bound)

    own = {"whole_latents": game.quantities["latents"], "latents": latents}
    return replace(game, quantities={**game.quantities, **own})


def within(latents: Tensor, bound: float) -> Tensor:
    """Standard normal latents to what is distributed as those of them within ±bound.

    BigGAN (Brock et al., 2019, section 3.1) draws again what falls outside. Quantile by quantile
    the distribution is the same one, and each latent keeps its place: a smaller bound shows the
    same samples, only more typical ones.
    """
    below = torch.special.ndtr(torch.tensor(-bound, dtype=torch.float64))
    share = below + (1 - 2 * below) * torch.special.ndtr(latents.double())
    inside: Tensor = torch.special.ndtri(share)
    return inside.clamp(-bound, bound).to(latents.dtype)


def has_normal_latents(game: Game) -> bool:
    """Told by what is drawn: no structure has to say so."""
    drawn = put_on_stage(game, torch.Generator().manual_seed(0))["latents"]
    if not isinstance(drawn, Tensor) or drawn.ndim != 2:
        return False
    normal = torch.randn(drawn.shape, generator=torch.Generator().manual_seed(0))
    return torch.equal(drawn.cpu(), normal)


def latent_dim(game: Game) -> int:
    """Raises TakeError where a generator takes more than normal latents, or others."""
    if not has_normal_latents(game):
        raise TakeError(
            "only generators that take normal latents, and nothing else but a class, are exported"
        )
    return int(put_on_stage(game, torch.Generator())["latents"].shape[1])


def told_classes(game: Game) -> int:
    """Of how many classes the generator is told one; 0 where it is told none."""
    return game.image.classes if is_told(game) else 0


class Class(NamedTuple):
    name: str  # in one line; the number where it has no name
    seen: int  # how often training told it


def classes_of(game: Game, weights: Path) -> list[Class]:
    """Those that the generator is told, by their numbers; their names stand in its file."""
    if not is_told(game):
        return []
    seen = game.networks["generator"].seen
    assert isinstance(seen, Tensor)
    often = drawn_as_often(seen).tolist()
    known = classes_in(weights) or ("",) * len(often)
    names = [" ".join(name.split()) or str(number) for number, name in enumerate(known)]
    return [Class(*each) for each in zip(names, often, strict=True)]


@torch.no_grad()
def images_of(game: Game, latents: Tensor, labels: Tensor | None = None) -> Tensor:
    """What the game makes of these latents, by whatever way it makes fakes.

    labels: (N,), of the classes, where the generator is told one.
    """
    known = {"latents": latents} if labels is None else {"latents": latents, "labels": labels}
    made: Tensor = put_on_stage(game, torch.Generator(), **known)["fake"]
    return made


def put_on_stage(game: Game, rng: torch.Generator, **known: Any) -> Scene:  # noqa: ANN401
    device = next(game.networks.parameters()).device
    surroundings = {"count": BLOCK, "rng": rng, "device": device}
    return Scene(game.quantities, {**game.networks, **surroundings, **known})
