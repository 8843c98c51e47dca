"""What is measured and drawn of generators that are told a class."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from runner.cli import app
from runner.data import open_images
from runner.game import build
from runner.metrics import extractor
from runner.told import FEWEST, intra_class, is_told, of_class
from runner.trial import write_generator
from tests.runner.runs import finished, plan
from tests.runner.small import IMAGE, recipe, scene_of

SHAPE = IMAGE._replace(classes=2)
TOLD = {"name": "conditional"}


class Places(torch.nn.Module):
    """Draws a bright half: the one of its class, or one that the latents choose."""

    seen = torch.ones(2)

    def __init__(self, obeys):
        super().__init__()
        self.obeys = obeys
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latents, labels):
        side = labels if self.obeys else (latents[:, 0] > 0).long()
        images = 0.1 * latents[:, :1, None, None] * torch.ones(1, 1, 16, 16) - 0.5
        images[torch.arange(len(side))[:, None], 0, :, (8 * side)[:, None] + torch.arange(8)] += 1
        return images


def game_that(obeys):
    game = build(recipe(structure=TOLD), SHAPE, 0)
    game.networks["generator"] = Places(obeys)
    return game


@pytest.fixture(scope="module")
def images():
    """What the obedient generator draws, with its labels."""
    labels = np.arange(240) % 2
    known = {"labels": torch.from_numpy(labels), "real": torch.zeros(240)}
    drawn = scene_of(game_that(True), known)["fake"].detach()
    pixels = ((drawn + 1) * 127.5).clamp(0, 255).byte().numpy()
    some = open_images("shapes", size=16)
    return replace(
        some, train=pixels, held_out=pixels, labels=labels, held_labels=None,
        classes=("left", "right"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def features():
    return extractor("efficientnet-lite0", engine="torch")


def test_who_ignores_labels_is_far_from_each_class_though_not_from_all(images, features):
    obeys, ignores = (
        intra_class(game_that(way), images, features, n=2 * FEWEST, seed=3) for way in (True, False)
    )
    assert ignores > 3 * obeys


def test_held_out_images_are_what_counts_where_they_have_labels(images, features):
    """A generator that repeats what it was trained on gains nothing by it."""
    nothing = replace(images, train=np.zeros_like(images.train), held_labels=images.labels)
    told = game_that(True)
    found = intra_class(told, nothing, features, n=2 * FEWEST, seed=3)
    assert found == intra_class(told, images, features, n=2 * FEWEST, seed=3)


def test_without_labels_or_with_few_images_of_a_class_there_is_none(images, features):
    told, plain = game_that(True), build(recipe(), IMAGE, 0)
    assert not is_told(plain)
    assert intra_class(plain, images, features, n=200, seed=0) is None
    assert intra_class(told, replace(images, labels=None), features, n=200, seed=0) is None
    assert intra_class(told, images, features, n=2 * FEWEST - 2, seed=0) is None


def test_a_class_can_be_asked_for():
    for label in (0, 1):
        labels = scene_of(of_class(game_that(True), label), {"any": torch.zeros(9)})["labels"]
        assert labels.tolist() == [label] * 9


@pytest.fixture
def trial(tmp_path):
    """A finished trial's folder, as `sample` finds it."""
    made = recipe(structure=TOLD)
    own = plan(["cgan"], 1).trials[0].model_copy(update={"recipe": made})
    result = finished(own, 100.0)
    (tmp_path / "result.json").write_text(result.model_dump_json())
    write_generator(build(made, SHAPE, 0), own, tmp_path / "generator.safetensors", ("cat", "dog"))
    return tmp_path


def asked(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_samples_of_a_class_by_name_and_number(trial, tmp_path):
    arrays = {}
    for name in ("dog", "1", "cat"):
        out = tmp_path / f"{name}.npz"
        done = asked("sample", trial, "--class", name, "--npz", "-n", 4, "-o", out)
        assert done.exit_code == 0, done.output
        arrays[name] = np.load(out)["arr_0"]
    assert (arrays["dog"] == arrays["1"]).all()
    assert (arrays["dog"] != arrays["cat"]).any()


def test_no_such_class_is_told_with_those_there_are(trial):
    done = asked("sample", trial, "--class", "dgo")
    assert done.exit_code == 2
    assert "did you mean 'dog'" in " ".join(done.stderr.split())


def test_the_file_says_which_classes_there_are(trial):
    with safe_open(trial / "generator.safetensors", "pt") as file:
        made_by = json.loads(file.metadata()["gan-advisor"])
    assert made_by["classes"] == ["cat", "dog"]
    assert made_by["image"]["classes"] == 2
