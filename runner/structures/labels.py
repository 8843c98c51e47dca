"""Games whose players are told a label: the class of an image."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from knowledge.schema import Recipe
from runner.parts import PartError
from runner.parts.backbones import Critic
from runner.scene import Game, ImageShape, Quantity, Turn, renamed
from runner.structures.cast import Cast
from runner.structures.plain import structure, two_players

Asked = Literal["concatenation", "projection"]


@structure
def conditional(cast: Cast, *, critic: Asked = "concatenation") -> Game:
    """Both players see the label.

    By concatenation as in cGAN (Mirza and Osindero, 2014): beside the latents, and as maps beside
    the image. By projection as in Miyato and Koyama (2018): the critic adds the inner product of
    its features with a vector of the class, and where the generator has batch norm, each class has
    scales and shifts of its own there (de Vries et al., 2017), and latents stay as they are.
    """
    check_labels(cast.recipe, cast.image)
    classes = cast.image.classes
    judge: nn.Module
    if critic == "projection":
        pair = cast.networks()
        judge = Projecting(pair.critic, width_of(pair.critic, cast), classes)
    else:
        seen = replace(cast, image=cast.image._replace(channels=cast.image.channels + classes))
        judge = Concatenating(seen.networks().critic, classes)
    game = two_players(cast, generator_of(cast, critic == "projection"), judge)
    own: dict[str, Quantity] = {
        "real_score": lambda critic, real_view, labels: critic(real_view, labels).float(),
        "fake_score": lambda critic, fake_view, labels: critic(fake_view, labels).float(),
        "fake_features": lambda critic, fake_view, labels: critic.features(fake_view, labels),
        "informed_critic": lambda critic, labels: Informed(critic, labels),
    }
    game = replace(game, quantities={**game.quantities, **told(), **own})
    return replace(game, turns=tuple(asking(turn) for turn in game.turns))


@structure
def auxiliary_classifier(cast: Cast, *, weight: float = 1.0) -> Game:
    """The critic also tells classes, and both players want them told (Odena et al., 2017).

    `weight` is that of the class's cross-entropy beside the loss, on real and on generated images.
    """
    check_labels(cast.recipe, cast.image)
    classes = cast.image.classes
    pair = cast.networks()
    judge = Classifying(pair.critic, width_of(pair.critic, cast), classes)
    game = two_players(cast, generator_of(cast, by_norm=False), judge)
    own: dict[str, Quantity] = {
        "real_judged": lambda critic, real_view: critic.judged(real_view),
        "fake_judged": lambda critic, fake_view: critic.judged(fake_view),
        "real_score": lambda real_judged: real_judged[0].float(),
        "fake_score": lambda fake_judged: fake_judged[0].float(),
    }

    def class_of_real(real_judged: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        return weight * cross_entropy(real_judged[1].float(), labels)

    def class_of_fake(fake_judged: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        return weight * cross_entropy(fake_judged[1].float(), labels)

    critic, generator = game.turns
    right = {"class-of-real": class_of_real, "class-of-fake": class_of_fake}
    critic = replace(critic, terms={**critic.terms, **right})
    wanted = {"class": class_of_fake}
    generator = replace(generator, terms={**generator.terms, **wanted})
    return replace(
        game,
        quantities={**game.quantities, **told(), **own},
        turns=(critic, generator),
    )


TOLD = ("conditional", "auxiliary-classifier")


def check_labels(recipe: Recipe, image: ImageShape) -> None:
    """Raises PartError for images without labels."""
    if image.classes < 2:
        raise PartError(
            f"{recipe.structure.name} networks are told the class of an image, and these "
            "images have no labels; put each class into a folder of its own"
        )


def told() -> Mapping[str, Quantity]:
    """Labels come with a batch; where there is none they are drawn as often as training saw them."""

    def labels(generator: Told, count: int, rng: torch.Generator, device: torch.device) -> Tensor:
        often = drawn_as_often(generator.seen).to(rng.device, torch.double)
        return torch.multinomial(often, count, replacement=True, generator=rng).to(device)

    return {
        "labels": labels,
        "fake": lambda generator, latents, labels: generator(latents, labels),
    }


def drawn_as_often(seen: Tensor) -> Tensor:
    """How often each class is, (classes,): as training saw it, and all alike before any training."""
    return seen if seen.any() else torch.ones_like(seen)


class Informed(nn.Module):
    """The critic of a batch of labels, for penalties: they ask about images of their own."""

    def __init__(self, critic: nn.Module, labels: Tensor) -> None:
        super().__init__()
        self.critic, self.labels = critic, labels

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.critic(images, self.labels)
        return scores


def asking(turn: Turn) -> Turn:
    """Its terms ask the critic with labels."""
    terms = {name: renamed(term, critic="informed_critic") for name, term in turn.terms.items()}
    return replace(turn, terms=terms)


def generator_of(cast: Cast, by_norm: bool) -> "Told":
    if by_norm and cast.recipe.generator_norm == "batch-norm":
        return Told(cast.networks().generator, cast.image.classes, by_norm=True)
    wider = cast.recipe.latent_dim + cast.image.classes
    return Told(cast.networks(latent_dim=wider).generator, cast.image.classes, by_norm=False)


def width_of(critic: Critic, cast: Cast) -> int:
    """How many features the critic's last hidden layer has."""
    size = cast.image.size
    image = torch.zeros(1, cast.image.channels, size, size)
    with torch.no_grad():
        found: Tensor = critic.eval().features(image)
    critic.train()
    return found.flatten(1).shape[1]


# Networks ----------------------------------------------------------------------------------------


class Told(nn.Module):
    """A generator that is told a class; it counts what it was told while it was trained."""

    seen: Tensor

    def __init__(self, network: nn.Module, classes: int, *, by_norm: bool) -> None:
        super().__init__()
        self.word = Word()
        self.network = by_class(network, classes, self.word) if by_norm else network
        self.classes, self.by_norm = classes, by_norm
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.long))

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        if self.training:
            self.seen += torch.bincount(labels, minlength=self.classes)
        if self.by_norm:
            self.word.labels = labels
            images: Tensor = self.network(latents)
            self.word.labels = None
        else:
            beside = one_hot(labels, self.classes).to(latents.dtype)
            images = self.network(torch.cat([latents, beside], 1))
        return images


class Word:
    """What norms by class are told beside the values that go through them.

    No attribute of a network, which whoever exports one would take for a part of it.
    """

    labels: Tensor | None = None  # of the batch that goes through


class NormByClass(nn.Module):
    """Batch norm whose scales and shifts are the class's own; all begin as 1 and 0."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, classes: int, word: Word) -> None:
        super().__init__()
        self.word = word
        self.norm = type(norm)(
            norm.num_features, eps=norm.eps, momentum=norm.momentum, affine=False
        )
        self.scale = nn.Embedding(classes, norm.num_features)
        self.shift = nn.Embedding(classes, norm.num_features)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, values: Tensor) -> Tensor:
        labels = self.word.labels
        assert labels is not None  # the generator tells them first
        shape = (-1, values.shape[1], *[1] * (values.ndim - 2))
        scale, shift = (each(labels).view(shape) for each in (self.scale, self.shift))
        normed: Tensor = scale * self.norm(values) + shift
        return normed


def by_class(network: nn.Module, classes: int, word: Word) -> nn.Module:
    """The network with every batch norm in it made the classes' own; it listens to the word."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            network.set_submodule(name, NormByClass(module, classes, word))
    return network


class Concatenating(nn.Module):
    """A critic that sees, beside an image, a map for each class: ones for its own."""

    def __init__(self, critic: Critic, classes: int) -> None:
        super().__init__()
        self.critic, self.classes = critic, classes

    def beside(self, images: Tensor, labels: Tensor) -> Tensor:
        maps = one_hot(labels, self.classes).to(images.dtype)[:, :, None, None]
        return torch.cat([images, maps.expand(-1, -1, *images.shape[2:])], 1)

    def features(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.critic.features(self.beside(images, labels))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        scores: Tensor = self.critic(self.beside(images, labels))
        return scores


class Projecting(nn.Module):
    """Scores, and how well the features fit the class."""

    def __init__(self, critic: Critic, width: int, classes: int) -> None:
        super().__init__()
        self.critic, self.classes = critic, classes
        self.fit = nn.Linear(classes, width, bias=False)  # a layer, so that norms take it for one
        nn.init.xavier_uniform_(self.fit.weight)

    def features(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.critic.features(images)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.critic.features(images)
        fits = self.fit(one_hot(labels, self.classes).to(features.dtype))
        scores: Tensor = self.critic.head(features) + (fits * features.flatten(1)).sum(1)
        return scores


class Classifying(nn.Module):
    """Scores and classes from the same features."""

    def __init__(self, critic: Critic, width: int, classes: int) -> None:
        super().__init__()
        self.critic = critic
        self.classes = nn.Linear(width, classes)

    def features(self, images: Tensor) -> Tensor:
        return self.critic.features(images)

    def judged(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (N,) and the classes' logits (N, classes)."""
        features = self.critic.features(images)
        return self.critic.head(features), self.classes(features.flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.critic(images)
        return scores
