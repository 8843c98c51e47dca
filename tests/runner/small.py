"""Small games and images for the tests of the loop."""

import torch
from torch import Tensor

from knowledge.library import load
from knowledge.schema import Recipe
from runner.scene import ImageShape, Scene

torch.set_num_threads(1)

# Parts are tested in all combinations, the incoherent ones among them.
ANY_RULE = tuple(rule.id for rule in load().rules if rule.stage == "coherence")
IMAGE = ImageShape(channels=1, size=16)


def recipe(backbone: str = "dcgan", *, settings=None, **others) -> Recipe:
    """A narrow DCGAN with the non-saturating loss, but for what is said."""
    plain = {
        "backbone": {"name": backbone, "settings": {"width": 8} | (settings or {})},
        "latent_dim": 16,
        "divergence": "jensen-shannon",
        "loss": {"name": "non-saturating"},
        "batch_size": 8,
        "despite": ANY_RULE,
    }
    return Recipe.model_validate(plain | others)


class Bars:
    """Bright vertical bars on black, in two places; resumable."""

    def __init__(self, batch_size: int = 8, seed: int = 0, size: int = 16) -> None:
        self.batch_size, self.size = batch_size, size
        self.rng = torch.Generator().manual_seed(seed)
        self.drawn = 0

    def __next__(self) -> dict[str, Tensor]:
        self.drawn += 1
        labels = torch.randint(2, (self.batch_size,), generator=self.rng)
        images = torch.full((self.batch_size, 1, self.size, self.size), -1.0)
        for image, label in zip(images, labels.tolist(), strict=True):
            image[:, 2:-2, 3 + 6 * label : 6 + 6 * label] = 1.0
        noise = torch.rand(images.shape, generator=self.rng) * 0.1
        return {"real": images * (1 - noise), "labels": labels}

    def state_dict(self) -> dict[str, object]:
        return {"rng": self.rng.get_state()}

    def load_state_dict(self, state) -> None:
        self.rng.set_state(state["rng"])


def scene_of(game, batch: dict[str, Tensor] | None = None, seed: int = 0) -> Scene:
    """One batch of the game on stage."""
    batch = batch or next(Bars())
    surroundings = {
        "count": len(next(iter(batch.values()))),
        "rng": torch.Generator().manual_seed(seed),
        "device": torch.device("cpu"),
    }
    return Scene(game.quantities, {**game.networks, **batch, **surroundings})
