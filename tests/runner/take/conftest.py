"""Runs with generators to take home: they never trained, but are as a run leaves them."""

from functools import partial

import pytest
import torch

from runner.game import build
from runner.structures.labels import NormByClass, Told
from runner.trial import write_generator
from tests.runner import runs
from tests.runner.small import recipe

SCORES = {"baseline": (21.0, 20.0, 22.0), "sn-gan": (None, 11.0, 12.0)}  # seed 0 diverged


def left_behind(folder, made_of, *, data=runs.DATA, scores=SCORES, classes=(), **others):
    """A run folder whose finished trials hold generators of the recipe, told such classes."""
    planned = runs.plan(list(scores))
    trials = tuple(each.model_copy(update={"recipe": made_of}) for each in planned.trials)
    planned = planned.model_copy(update={"trials": trials, "data": data})
    ended = runs.results(planned, scores)
    runs.run_folder(folder, planned, ended, **others)
    for result in ended:
        if result.score:
            game = build(made_of, data.shape, result.trial.seed)
            lively(game.networks["generator"])
            path = folder / "trials" / result.trial.id / "generator.safetensors"
            write_generator(game, result.trial, path, classes)
    return folder


@torch.no_grad()
def lively(network):
    """As after training: batch norm has seen something, and images differ from one another."""
    rng = torch.Generator().manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.running_mean.copy_(0.1 * torch.randn(layer.running_mean.shape, generator=rng))
            layer.running_var.uniform_(0.5, 2.0, generator=rng)
            layer.num_batches_tracked += 3
        elif isinstance(layer, torch.nn.ConvTranspose2d):
            layer.weight.mul_(5)
        elif isinstance(layer, NormByClass):
            for each in (layer.scale, layer.shift):
                each.weight.copy_(torch.randn(each.weight.shape, generator=rng))
        elif isinstance(layer, Told):
            layer.seen += 7 * torch.arange(layer.classes) + 1


TOLD = {
    "concatenation": {"name": "conditional"},
    "projection": {"name": "conditional", "settings": {"critic": "projection"}},
    "classifier": {"name": "auxiliary-classifier"},
}
CLASSES = ("cat", "dog", "small  bird")  # one with more blanks than a line has
COLOUR = runs.DATA.model_copy(update={"channels": 3, "size": 16})
POINTS = runs.DATA.model_copy(
    update={"channels": 2, "size": 1, "where": "ring8", "name": "ring of 8", "classes": 8}
)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """SN-GAN is first, by seeds 1 and 2. Its latents are of an odd number."""
    folder = tmp_path_factory.mktemp("taken") / "run"
    return left_behind(folder, recipe(latent_dim=13), data=COLOUR)


@pytest.fixture(scope="session")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taken") / "points"
    return left_behind(folder, recipe("mlp"), data=POINTS, pictures=False)


@pytest.fixture(scope="session", params=TOLD)
def told(request, tmp_path_factory):
    """SN-GAN is told one of three classes, in each way that there is."""
    folder = tmp_path_factory.mktemp("taken") / request.param
    data = COLOUR.model_copy(update={"classes": len(CLASSES)})
    made = recipe(latent_dim=13, structure=TOLD[request.param])
    return left_behind(folder, made, data=data, classes=CLASSES, pictures=False)


@pytest.fixture
def leave(tmp_path):
    return partial(left_behind, tmp_path / "run")
