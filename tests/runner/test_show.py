"""What `gan-runner show` prints: counted by hooks, held against torch's own counters."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from typer.testing import CliRunner

from runner.anatomy import anatomy
from runner.cli import app
from runner.game import build
from runner.parts import backbone
from runner.recipes import RecipeError, read_recipe
from runner.scene import ImageShape
from tests.runner.small import IMAGE, recipe


def taken_apart(plan, image=IMAGE, **others):
    game = build(plan, image, 0)
    return anatomy(game, plan, **others), game


@pytest.mark.parametrize("name", backbone.known)
@pytest.mark.parametrize("normalizers", [(), ({"name": "spectral-norm"},)], ids=["plain", "SN"])
def test_flops_and_parameters_are_torchs(name, normalizers):
    plan = recipe(name, normalizers=normalizers, critic_norm="layer-norm")
    built, game = taken_apart(plan)
    inputs = {"generator": torch.randn(1, 16), "critic": torch.randn(1, 1, 16, 16)}
    for network in built.networks:
        net = game.networks[network.name].eval()  # no power iteration
        with FlopCounterMode(display=False) as counter:
            net(inputs[network.name])
        assert network.flops == counter.get_total_flops()
        assert network.parameters == sum(p.numel() for p in net.parameters())
        assert network.parameters == sum(layer.parameters for layer in network.layers)


@pytest.mark.parametrize("name", ["cgan", "acgan", "sagan"])
def test_what_is_told_a_class_is_shown_for_ten(name):
    ended = CliRunner().invoke(app, ["show", name, "--width", "4"])
    assert ended.exit_code == 0, ended.stderr
    assert "parameters" in ended.stdout


def test_layers_come_in_the_order_of_their_use_with_the_shapes_of_one_image():
    built, _ = taken_apart(recipe("conv", normalizers=({"name": "weight-norm"},)))
    critic = next(network for network in built.networks if network.name == "critic")
    convolutions = [layer.output for layer in critic.layers if layer.kind == "Conv2d"]
    assert convolutions[0] == (8, 16, 16)
    assert [shape[1] for shape in convolutions] == [16, 8, 8, 4, 4, 2, 2]
    assert critic.layers[-1].output == ()


def test_memory_is_what_autograd_keeps():
    """An MLP critic: the inputs of its layers and of its activations' slopes, in float32."""
    plan = recipe("mlp", settings={"width": 32, "depth": 1})
    few, _ = taken_apart(plan, count=4)
    many, _ = taken_apart(plan, count=16)
    for one, other in zip(few.turns, many.turns, strict=True):
        assert one.bytes_per_image == pytest.approx(other.bytes_per_image, rel=0.05)
    critic = many.turns[0]
    # Twice, for real and fake: the image, the hidden layer before and after its activation.
    least, most = 2 * 4 * (256 + 32), 2 * 4 * (256 + 2 * 32) + 4 * 8
    assert least <= critic.bytes_per_image <= most


def test_a_penalty_keeps_more_and_another_optimizer_less():
    plain, _ = taken_apart(recipe())
    penalised, _ = taken_apart(recipe(penalties=({"name": "gradient-penalty"},)))
    assert penalised.bytes_per_image > 1.3 * plain.bytes_per_image
    rmsprop, _ = taken_apart(recipe(optimizer={"name": "rmsprop"}))
    assert plain.fixed_bytes - rmsprop.fixed_bytes == 4 * plain.parameters


@pytest.mark.parametrize("name", ["auto-encoder-critic", "vae-gan", "vae"])
def test_every_network_of_a_structure_is_shown(name):
    built, game = taken_apart(recipe("mlp", structure={"name": name}), ImageShape(2, 1))
    assert {network.name for network in built.networks} == set(game.networks)
    assert all(network.flops for network in built.networks)


# The command -------------------------------------------------------------------------------------


def shown(*arguments):
    return CliRunner().invoke(app, ["show", *arguments])


def test_show_prints_tables_or_json():
    said = shown("wgan-gp", "--size", "16", "--width", "8")
    assert said.exit_code == 0
    for word in ("ConvTranspose2d", "gradient-penalty", "parameters", "MFLOP", "MB"):
        assert word in said.output
    found = json.loads(shown("vae", "--size", "16", "--width", "8", "--json").output)
    assert [network["name"] for network in found["networks"]] == ["generator", "encoder"]
    assert found["turns"][0]["players"] == ["encoder", "generator"]


def test_show_reads_a_recipes_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("backbone: {name: mlp}\ndivergence: hinge\nloss: {name: raw-score}\n")
    assert read_recipe(str(path)).divergence == "hinge"
    assert shown(str(path), "--size", "8").exit_code == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("backbone: {name: mlp\n", "line 2"),
        ("backbone: {name: mlp}\nloss: {name: raw-score}\n", "divergence: Field required"),
        ("- 1\n", "is no recipe"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_recipe(content, says, tmp_path):
    path = tmp_path / "mine.yaml"
    if content:
        path.write_text(content)
    with pytest.raises(RecipeError, match=says):
        read_recipe(str(path))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["wgan-pg"], "did you mean 'wgan-gp'"),
        (["wgan-gp", "--size", "48"], "8, 16, 32, 64 or 128 px, not 48"),
        (["lsgan", "--backbone", "dcgna"], "did you mean 'dcgan'"),
    ],
)
def test_bad_input_gets_one_sentence_and_code_2(arguments, says):
    said = shown(*arguments)
    assert said.exit_code == 2
    assert says in said.output


def test_an_incoherent_file_is_refused_with_the_rules_reason(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "backbone: {name: dcgan}\ndivergence: wasserstein\nloss: {name: minimax}\n"
        "penalties: [{name: gradient-penalty}]\ncritic_norm: batch-norm\n"
    )
    said = shown(str(path))
    assert said.exit_code == 2
    assert "couples the images of a batch" in said.output
