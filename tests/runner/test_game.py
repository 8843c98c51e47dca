"""A recipe becomes a game, and other structures are a few quantities laid over it."""

from dataclasses import replace
from statistics import median

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from runner.game import Incoherent, build, sample
from runner.parts import PartError
from runner.scene import ImageShape, Turn
from runner.train import train
from tests.runner.small import IMAGE, Bars, recipe, scene_of


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"divergence": "jensen-shanon"}, "no divergence .* did you mean 'jensen-shannon'"),
        ({"loss": {"name": "minmax"}}, "no loss .* did you mean 'minimax'"),
        (
            {"structure": {"name": "cycle"}},
            "no structure .* known: auto-encoder-critic, auxiliary-classifier, conditional, plain, ",
        ),
        ({"structure": {"name": "conditional"}}, "these images have no labels; put each class"),
        (
            {"structure": {"name": "conditional", "settings": {"critic": "classifier"}}},
            "these images have no labels; put each class",
        ),
        ({"backbone": "densenet"}, "no backbone .* known: conv, dcgan, .*infogan, mlp, resnet"),
        ({"settings": {"critic_norm": "none"}}, "'dcgan' has no setting 'critic_norm'"),
        ({"penalties": ({"name": "r1", "settings": {"gamma": -1}},)}, "'gamma' should be"),
        ({"normalizers": ({"name": "spectral"},)}, "no normalizer .* 'spectral-norm'"),
        (
            {"normalizers": ({"name": "weight-norm"}, {"name": "spectral-norm"})},
            "weight-norm and spectral-norm normalise the same weights",
        ),
        ({"divergence": {"name": "alpha", "settings": {"alpha": 1.0}}}, "'kl' at 1"),
        ({"augmentations": ({"name": "colour"},)}, "no augmentation .* 'color'"),
        ({"generator_penalties": ({"name": "r1"},)}, "no generator penalty .* pulling-away"),
        ({"constraints": ({"name": "clipping"},)}, "no constraint .* 'weight-clipping'"),
    ],
)
def test_mistakes_are_found_when_the_game_is_built(change, message):
    with pytest.raises(PartError, match=message):
        build(recipe(**change), IMAGE, 0)


def test_a_game_of_other_networks_cannot_be_built_here_even_with_labels():
    structure = {"name": "conditional", "settings": {"critic": "classifier"}}
    says = "cannot be built here: .* 'concatenation' or 'projection', not 'classifier'"
    with pytest.raises(PartError, match=says):
        build(recipe(structure=structure), IMAGE._replace(classes=2), 0)


def test_an_incoherent_recipe_is_refused_with_the_rules_reason():
    plan = recipe(penalties=({"name": "gradient-penalty"},), critic_norm="batch-norm", despite=())
    why = "couples the images of a batch.* Take instead: layer normalization"
    with pytest.raises(Incoherent, match=f"{why}.* despite: .k05"):
        build(plan, IMAGE, 0)
    build(plan.model_copy(update={"despite": ("k05",)}), IMAGE, 0)


def test_rates_steps_and_decay_go_to_their_players():
    settings = {"rate": 1e-4, "critic_rate": 4e-4, "betas": (0.1, 0.2), "critic_steps": 3,
                "critic_weight_decay": 0.01}  # fmt: skip
    critic, generator = build(recipe(optimizer=settings), IMAGE, 0).turns
    assert (critic.times, generator.times) == (3, 1)
    weight = [nn.Parameter(torch.ones(1))]
    for turn, rate, decay in ((critic, 4e-4, 0.01), (generator, 1e-4, 0.0)):
        (group,) = turn.optimizer(weight).param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (rate, (0.1, 0.2), decay)
    settings = {"name": "rmsprop", "smoothing": 0.9}
    critic, _ = build(recipe(optimizer=settings), IMAGE, 0).turns
    (group,) = critic.optimizer(weight).param_groups
    assert (group["lr"], group["alpha"]) == (2e-4, 0.9)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_optimizers_take_the_published_step(name):
    """One step down f(w) = 3 w with weight decay 0.5, written out."""
    settings = {"name": name, "rate": 0.1, "critic_weight_decay": 0.5, "smoothing": 0.9}
    critic, _ = build(recipe(optimizer=settings), IMAGE, 0).turns
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = critic.optimizer([weight])
    (3 * weight).sum().backward()
    optimizer.step()
    slope = 3 + 0.5 * 2
    step = {
        "adam": 0.1 * slope / (slope + 1e-8),  # both moments are unbiased at the first step
        "rmsprop": 0.1 * slope / ((0.1 * slope**2) ** 0.5 + 1e-8),
    }
    assert weight.item() == pytest.approx(2 - step[name], abs=1e-6)


def test_margin_is_the_mean_distance_of_pixels():
    scene = scene_of(build(recipe(), IMAGE, 0))
    expected = [(r - f).abs().mean() for r, f in zip(scene["real"], scene["fake"], strict=True)]
    assert torch.allclose(scene["margin"], torch.stack(expected))


def test_samples_follow_the_seed_whatever_the_count():
    game = build(recipe(), IMAGE, 0)
    many = torch.cat(list(sample(game, 25, seed=3, batch_size=10)))
    assert many.shape == (25, 1, 16, 16)
    assert torch.equal(many[:12], torch.cat(list(sample(game, 12, seed=3, batch_size=10))))
    assert not torch.equal(many, torch.cat(list(sample(game, 25, seed=4, batch_size=10))))
    assert all(net.training for net in game.networks.values())


# Other structures --------------------------------------------------------------------------------


class WithExtra(nn.Module):
    """A network that also takes a vector."""

    def __init__(self, inputs, outputs, image: ImageShape | None = None):
        super().__init__()
        self.image = image
        self.net = nn.Sequential(nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs))

    def forward(self, *inputs):
        out = self.net(torch.cat([each.flatten(1) for each in inputs], 1))
        if self.image:
            return out.tanh().view(-1, *self.image[:1], self.image.size, self.image.size)
        return out.squeeze(1)


def codes(game, count):
    """InfoGAN (Chen et al., 2016): a reader finds the code in the generator's image."""
    pixels = game.image.size**2
    quantities = {
        "code": lambda count, rng: torch.randint(2, (count,), generator=rng),
        "fake": lambda generator, latents, code: generator(latents, one_hot(code, 2).float()),
        "guess": lambda reader, fake: reader(fake),
    }
    networks = nn.ModuleDict({
        "generator": WithExtra(16 + count, pixels, game.image),
        "critic": WithExtra(pixels, 1),
        "reader": WithExtra(pixels, count),
    })  # fmt: skip
    critic, generator = game.turns
    information = {"information": lambda guess, code: cross_entropy(guess, code)}
    turns = (critic, Turn(("generator", "reader"), {**generator.terms, **information},
                          generator.optimizer, fresh=False))  # fmt: skip
    return replace(game, networks=networks, quantities=game.quantities | quantities, turns=turns)


QUICK = {"rate": 2e-3, "betas": (0.0, 0.9)}


def test_a_code_structure_moves_two_players_in_one_turn():
    plan = recipe(optimizer=QUICK)
    game = codes(build(plan, IMAGE, 0), count=2)
    done = train(game, plan, Bars(64), budget=64 * 150, precision="float32")
    assert set(done.history[-1].losses) == {"critic", "generator", "information"}
    assert done.history[0].losses["information"] > 0.5
    late = [entry.losses["information"] for entry in done.history[len(done.history) // 2 :]]
    assert median(late) < 0.1  # single batches may stray while the generator moves
