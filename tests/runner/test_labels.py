"""Players that are told a class obey it, and nothing else about the game changes."""

import pytest
import torch
from torch import nn

from runner import parts
from runner.game import build, sample
from runner.parts import PartError
from runner.scene import ImageShape
from runner.structures.labels import NormByClass, Word
from runner.train import train
from tests.runner.small import IMAGE, Bars, recipe, scene_of

SHAPE = ImageShape(channels=1, size=16, classes=2)
STRUCTURES = [
    {"name": "conditional"},
    {"name": "conditional", "settings": {"critic": "projection"}},
    {"name": "auxiliary-classifier"},
]
KINDS = ["concatenation", "projection", "classifier"]


@pytest.fixture(params=STRUCTURES, ids=KINDS)
def structure(request):
    return request.param


def game_of(structure, backbone="dcgan", **changes):
    return build(recipe(backbone, structure=structure, **changes), SHAPE, 0)


@pytest.mark.parametrize("backbone", ["mlp", "conv", "dcgan", "resnet", "infogan"])
def test_every_backbone_can_be_told_classes(structure, backbone):
    scene = scene_of(game_of(structure, backbone))
    assert scene["fake"].shape == (8, 1, 16, 16)
    assert scene["real_score"].shape == scene["fake_score"].shape == (8,)


@pytest.mark.parametrize("name", parts.penalty.known)
def test_penalties_ask_the_critic_with_labels(structure, name):
    made = recipe("mlp", structure=structure, penalties=({"name": name},))
    done = train(build(made, SHAPE, 0), made, Bars(8), budget=16, precision="float32")
    assert done.images_seen == 16


def test_lazy_penalties_stay_lazy():
    lazy = {"name": "r1", "settings": {"interval": 4}}
    made = recipe(structure=STRUCTURES[0], penalties=(lazy,))
    done = train(build(made, SHAPE, 0), made, Bars(8), budget=8 * 4, precision="float32",
                 look_every=8)  # fmt: skip
    assert ["r1" in look.losses for look in done.history] == [True, False, False, False]


def test_images_without_labels_are_refused(structure):
    with pytest.raises(PartError, match="put each class into a folder"):
        build(recipe(structure=structure), IMAGE, 0)


def test_the_inner_product_of_a_projection_is_what_the_label_adds():
    """Miyato and Koyama (2018), Eq. 3."""
    critic = game_of(STRUCTURES[1], "mlp").networks["critic"].eval()
    images = torch.rand(5, 1, 16, 16)
    zeros, ones = (torch.full((5,), label) for label in (0, 1))
    features = critic.features(images, zeros).flatten(1)
    fit = critic.fit.weight  # (features, classes)
    added = features @ (fit[:, 1] - fit[:, 0])
    assert torch.allclose(critic(images, ones) - critic(images, zeros), added, atol=1e-5)


def test_a_norm_by_class_is_batch_norm_with_scales_of_its_own():
    word = Word()
    plain, by_class = nn.BatchNorm2d(3), NormByClass(nn.BatchNorm2d(3), 2, word)
    values, labels = torch.randn(6, 3, 4, 4), torch.tensor([0, 1, 0, 1, 1, 0])
    with torch.no_grad():
        by_class.scale.weight[1], by_class.shift.weight[1] = 2.0, 0.5
    word.labels = labels
    expected = plain(values)
    expected[labels == 1] = 2 * expected[labels == 1] + 0.5
    assert torch.allclose(by_class(values), expected, atol=1e-6)


@pytest.mark.parametrize("structure", STRUCTURES, ids=KINDS)
def test_samples_have_classes_as_often_as_training_saw_them(structure):
    game = game_of(structure)
    generator = game.networks["generator"]
    generator.seen += torch.tensor([0, 5])
    labels = scene_of(game, {"any": torch.zeros(50)})["labels"]
    assert labels.tolist() == [1] * 50
    first = torch.cat(list(sample(game, 30, seed=3)))
    assert torch.equal(first[:10], torch.cat(list(sample(game, 10, seed=3))))
    assert generator.seen.tolist() == [0, 5]  # sampling is no training


def test_training_counts_labels_and_the_average_keeps_the_count(structure):
    made = recipe("mlp", structure=structure)
    done = train(build(made, SHAPE, 0), made, Bars(8), budget=8 * 4, precision="float32")
    assert done.generator.seen.sum() == 32


def test_labels_are_obeyed_after_a_little_training():
    """The bars of a class stand in its place: by far more than a thin margin."""
    rates = {"rate": 2e-3, "betas": (0.0, 0.9)}
    made = recipe("mlp", structure=STRUCTURES[0], optimizer=rates, settings={"width": 64},
                  penalties=({"name": "r1", "settings": {"gamma": 1.0}},))  # fmt: skip
    done = train(build(made, SHAPE, 0), made, Bars(64), budget=64 * 400, precision="float32")
    batch = next(Bars(256, seed=5))
    fake = scene_of(done.game, batch)["fake"]
    for label in (0, 1):
        mine, theirs = batch["labels"] == label, batch["labels"] != label
        image = fake[mine].mean(0)
        apart = [(image - batch["real"][which].mean(0)).abs().mean() for which in (mine, theirs)]
        assert apart[0] < apart[1] / 2
