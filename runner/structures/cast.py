"""What a recipe names, got from the registries and ready to be put on stage."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from knowledge.schema import Part, Recipe
from runner import parts
from runner.parts import Loss, Networks, PartError
from runner.scene import ImageShape, Quantity, Term, Turn, renamed

# A penalty asks for images as the critic sees them.
SEEN = {"real": "real_view", "fake": "fake_view"}


@dataclass(frozen=True)
class Cast:
    recipe: Recipe
    image: ImageShape
    loss: Loss
    penalties: Mapping[str, Term]
    generator_penalties: Mapping[str, Term]
    constraints: tuple[Quantity, ...]
    augmentations: tuple[Quantity, ...]

    @classmethod
    def of(cls, recipe: Recipe, image: ImageShape) -> "Cast":
        """Raises PartError for parts and settings that do not exist."""
        named = recipe.divergence
        divergence = Part(name=named) if isinstance(named, str) else named
        on_generator = recipe.generator_penalties
        if len(recipe.normalizers) > 1:
            names = " and ".join(part.name for part in recipe.normalizers)
            raise PartError(f"{names} normalise the same weights: a recipe has one of them")
        return cls(
            recipe,
            image,
            parts.loss.get(recipe.loss)(parts.divergence.get(divergence)()),
            {part.name: renamed(parts.penalty.get(part), **SEEN) for part in recipe.penalties},
            {part.name: parts.generator_penalty.get(part) for part in on_generator},
            tuple(parts.constraint.get(part) for part in recipe.constraints),
            tuple(parts.augmentation.get(part) for part in recipe.augmentations),
        )

    def networks(
        self,
        *,
        latent_dim: int | None = None,
        outputs: int = 1,
        critic_norm: str | None = None,
        generator_norm: str | None = None,
    ) -> Networks:
        """A fresh pair from the backbone, as the recipe says but for what is said here."""
        return parts.backbone.get(self.recipe.backbone)(
            self.image,
            latent_dim or self.recipe.latent_dim,
            critic_norm or self.recipe.critic_norm,
            generator_norm or self.recipe.generator_norm,
            outputs,
        )

    def normalized(self, critic: nn.Module) -> nn.Module:
        for part in self.recipe.normalizers:
            parts.normalizer.get(part)(critic)
        return critic

    def view(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images as the critic sees them."""
        for augment in self.augmentations:
            images = augment(images, rng)
        return images

    def critic_turn(self) -> Turn:
        return Turn(
            players=("critic",),
            terms={"critic": self.loss.critic, **self.penalties},
            optimizer=parts.critic_optimizer(self.recipe.optimizer),
            times=self.recipe.optimizer.critic_steps,
            after=(*self.constraints, *self.loss.after),
        )

    def generator_turn(self) -> Turn:
        return Turn(
            players=("generator",),
            terms={"generator": self.loss.generator, **self.generator_penalties},
            optimizer=parts.generator_optimizer(self.recipe.optimizer),
            fresh=False,
            shares=("latents", "fake"),
        )
