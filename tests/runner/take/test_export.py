"""What is exported makes the original's images, runs without us, and tells what it is."""

import json
import runpy
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from runner.cli import app
from runner.keepsakes import SAYS, mark
from runner.metrics import to_uint8
from runner.plan import RunPlan
from runner.scene import ImageShape
from runner.settle import stored
from runner.take import TakeError, export, find, formats, read_generator
from runner.take.export import SCRIPT
from runner.take.formats import FORMATS, compared, written
from tests.runner import runs
from tests.runner.small import recipe
from tests.runner.take.drawing import cells, generate_of, ours, run_alone


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "out"
    return out, export(find(run), ["safetensors"], out)


def test_an_export_holds_files_script_picture_and_card(exported):
    out, checks = exported
    names = {"README.md", "generate.py", "generator.pt", "generator.safetensors", "samples.png"}
    assert {path.name for path in out.iterdir()} == names
    assert [check.file for check in checks] == ["generator.pt", "generator.safetensors"]
    assert checks[0].difference <= 1e-5
    assert checks[1].difference == 0


def test_the_script_draws_alone_what_we_draw(exported, run, tmp_path):
    out, _ = exported
    ended = run_alone(out / "generate.py", 70, 5, tmp_path / "alone.png")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    made = cells(tmp_path / "alone.png", ImageShape(3, 16)).astype(int)
    assert np.abs(made[:70] - to_uint8(ours(run, 70, 5)).numpy()).max() <= 1  # rounding
    assert made[:70].std() > 3
    assert (made[70:] == 0).all()


def test_the_script_draws_points_too(points, tmp_path, monkeypatch):
    export(find(points), [], tmp_path / "out")
    script = tmp_path / "out" / "generate.py"
    monkeypatch.setattr("sys.argv", [str(script), "3", "0", str(tmp_path / "points.json")])
    runpy.run_path(str(script), run_name="__main__")
    made = torch.tensor(json.loads((tmp_path / "points.json").read_text()))
    torch.testing.assert_close(made, ours(points, 3, 0).flatten(1))


def test_the_script_writes_points_as_json_where_nobody_names_a_file(points, tmp_path, monkeypatch):
    export(find(points), [], tmp_path / "out")
    script = tmp_path / "out" / "generate.py"
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert len(json.loads((tmp_path / "generated.json").read_text())) == 64


@pytest.mark.parametrize(
    ("words", "says"),
    [(("--help",), "COUNT"), (("abc",), "COUNT"), (("4", "x"), "COUNT"),
     (("4", "0", "x.png", "dog"), "no class 'dog'; known: none")],
)  # fmt: skip
def test_the_script_says_what_it_takes(exported, words, says, tmp_path, monkeypatch):
    script = exported[0] / "generate.py"
    monkeypatch.setattr("sys.argv", [str(script), *words])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=says):
        runpy.run_path(str(script), run_name="__main__")
    assert list(tmp_path.iterdir()) == []


def test_the_script_of_who_is_told_none_draws_none(exported):
    with pytest.raises(SystemExit, match="no class"):
        generate_of(exported[0])(4, label=0)


def test_the_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) < 40


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_scripts_pictures_hold_every_pixel_in_its_place(channels, tmp_path, monkeypatch):
    images = (torch.arange(64 * channels * 7 * 7) % 251).view(64, channels, 7, 7)
    script, out = shutil.copy(SCRIPT, tmp_path), tmp_path / "out.png"
    network = torch.jit.trace(Stored((images - 127.5) / 127.5), torch.zeros(64, 2))
    notes = {"latents": "2", "classes": "", "seen": ""}
    torch.jit.save(network, tmp_path / "generator.pt", _extra_files=notes)
    monkeypatch.setattr("sys.argv", [str(script), "11", "0", str(out)])
    runpy.run_path(str(script), run_name="__main__")
    assert Image.open(out).mode == ("L", "LA", "RGB", "RGBA")[channels - 1]
    found = cells(out, ImageShape(channels, 7))
    assert np.array_equal(found[:11], images[:11].numpy())
    assert (len(found), found[11:].max()) == (16, 0)


class Stored(nn.Module):
    """Makes the same images of whatever it is given."""

    def __init__(self, images):
        super().__init__()
        self.register_buffer("images", images)

    def forward(self, latents):
        return self.images + 0 * latents.sum()


def test_nothing_of_the_machine_is_exported(exported, run):
    out, _ = exported
    here = str(SCRIPT.parents[2]).encode()
    for path in out.iterdir():
        assert here not in path.read_bytes()
        assert str(run.parent).encode() not in path.read_bytes()
    with zipfile.ZipFile(out / "generator.pt") as archive:  # stored, not compressed: seen above
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert not [name for name in archive.namelist() if "debug" in name]


def test_the_same_generator_is_exported_to_the_same_bytes(exported, run, tmp_path):
    out, _ = exported
    export(find(run), ["safetensors"], tmp_path / "again")
    for path in out.iterdir():
        if path.name != "generator.pt":  # torch numbers what it traces in a process
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


# Checks ---------------------------------------------------------------------------------------


def test_a_failed_check_is_an_error_and_leaves_nothing(run, tmp_path, monkeypatch):
    taken = find(run)
    other = find(run / "trials" / "baseline-seed0")
    swapped = FORMATS["safetensors"]._replace(
        write=lambda game, weights, path: path.write_bytes(other.weights.read_bytes())
    )
    monkeypatch.setitem(formats.FORMATS, "safetensors", swapped)
    with pytest.raises(TakeError, match="does not make the images"):
        export(taken, ["safetensors"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("off", [3e-5, float("nan")])
def test_a_small_difference_in_one_value_is_seen(run, off):
    game = read_generator(find(run).weights)
    network = game.networks["generator"]

    def almost(latents):
        with torch.no_grad():
            made = network(latents)
        made[-1, -1, -1, -1] += off
        return made

    check = compared(game, almost, FORMATS["torchscript"])
    assert not check.difference <= check.tolerance


def test_another_shape_is_told(run):
    game = read_generator(find(run).weights)
    with pytest.raises(TakeError, match="1 x 3 x 8 x 8 instead of 1 x 3 x 16 x 16"):
        compared(game, lambda latents: torch.zeros(len(latents), 3, 8, 8), FORMATS["onnx"])


@pytest.mark.parametrize(
    "backbone", ["mlp", "conv", "dcgan", "infogan", "resnet", "self-attention"]
)
@pytest.mark.parametrize("norm", ["batch-norm", "layer-norm"])
def test_every_backbone_becomes_torchscript(backbone, norm, tmp_path):
    from runner.game import build

    game = build(recipe(backbone, generator_norm=norm), ImageShape(1, 16), 0)
    game.networks.eval()
    check = written(FORMATS["torchscript"], game, tmp_path / "none", tmp_path)
    assert check.difference <= 1e-5


def test_a_generator_that_takes_more_than_normal_latents_is_not_exported(run, tmp_path):
    game = read_generator(find(run).weights)
    game.quantities["latents"] = lambda count, rng: torch.rand(count, 13, generator=rng)
    with pytest.raises(TakeError, match="normal latents, and nothing else"):
        written(FORMATS["torchscript"], game, tmp_path / "none", tmp_path)


def test_what_is_missing_for_onnx_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "NEEDED", ("onnx_of_nobody",))
    with pytest.raises(TakeError, match=r"gan-advisor\[export\]"):
        export(find(run), ["onnx"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # ten seconds
def test_onnx_makes_the_originals_images_for_any_number_of_latents(points, tmp_path):
    for name in formats.NEEDED:
        pytest.importorskip(name)
    checks = export(find(points), ["onnx"], tmp_path / "out")
    assert checks[-1].file == "generator.onnx"
    assert checks[-1].difference <= checks[-1].tolerance
    assert str(SCRIPT.parents[2]).encode() not in (tmp_path / "out/generator.onnx").read_bytes()


def test_a_network_whose_images_depend_on_the_batch_is_found_out(run, tmp_path):
    """As where tracing has learnt the size of a batch by heart."""
    game = read_generator(find(run).weights)
    game.networks["generator"] = OfTwo(game.networks["generator"])
    with pytest.raises((TakeError, RuntimeError)):
        written(FORMATS["torchscript"], game, tmp_path / "none", tmp_path)


class OfTwo(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, latents):
        return self.inner(latents) * (1 + 0.1 * len(latents))


# The card -------------------------------------------------------------------------------------


def test_the_card_says_data_licence_recipe_scores_protocol_and_limits(exported, run):
    text = (exported[0] / "README.md").read_text()
    board = json.loads((run / "leaderboard.json").read_text())
    for said in (
        "# SN-GAN on Fashion-MNIST",
        "Licence of the data: MIT",
        runs.DATA.fingerprint,
        "fd-efficientnet-lite0@64-10k = 11.0",
        "10,000 generated to 10,000 held-out images",
        "It is no FID",
        "digest `feedbeef`",
        "rate 0.0002: Miyato et al. 2018, Table 1",
        "over 2 seeds",
        "Seed 1 (the run has 0, 1 and 2)",
        "2,000,000 real images",
        "copies of training images",
        board["verdict"]["says"][:30],
    ):
        assert said in text, said


def test_the_card_says_what_was_found_of_copies_and_only_of_this_generator(run, tmp_path):
    """As keepsakes have it of the first arm."""
    own = shutil.copytree(run, tmp_path / "run")
    taken, plan = find(own), stored(RunPlan, own / "plan.json")

    def card(which, out):
        export(which, [], tmp_path / out)
        return (tmp_path / out / "README.md").read_text()

    found = {"count": 2000, "says": "No sign of memorisation: (z = 0.3).", "mark": "of another"}
    (own / SAYS).write_text(json.dumps(found))
    assert "Nobody has checked" in card(taken, "stale")
    (own / SAYS).write_text(json.dumps(found | {"mark": mark(taken.weights, plan)}))
    text = card(taken, "out")
    assert "2,000 samples were looked at for copies of training images. No sign of" in text
    assert "Nobody has checked" not in text
    assert "Nobody has checked" in card(find(own / "trials" / "baseline-seed0"), "other")


def test_the_card_of_a_lone_trial_says_that_it_knows_no_data(run, tmp_path):
    (tmp_path / "trial").mkdir()
    for name in ("result.json", "generator.safetensors"):
        content = (run / "trials" / "sn-gan-seed1" / name).read_bytes()
        (tmp_path / "trial" / name).write_bytes(content)
    export(find(tmp_path / "trial"), [], tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "the trial lies apart from its run" in text
    assert "= 11.0" in text


def test_names_of_users_are_no_markdown(leave, tmp_path):
    named = runs.DATA.model_copy(update={"name": "my *cats*\n# <b>", "where": "cats", "size": 16})
    export(find(leave(recipe(), data=named)), [], tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert r"# SN-GAN on my \*cats\* \# \<b\>" in text
    assert "not known to the program" in text


# As a command ---------------------------------------------------------------------------------


def test_the_command_exports_into_the_run_and_never_over_what_is_there(leave):
    run = leave(recipe("mlp"), data=runs.DATA.model_copy(update={"size": 16}))
    ended = CliRunner().invoke(app, ["export", str(run), "--format", "safetensors"])
    assert ended.exit_code == 0, ended.stderr
    out = run / "exports" / "sn-gan-seed1"
    assert ended.stdout.strip() == str(out)
    assert (out / "generator.safetensors").exists()
    assert "differs by nothing from the original" in ended.stderr
    again = CliRunner().invoke(app, ["export", str(run)])
    assert again.exit_code == 2
    assert "exists and is not empty" in again.stderr


def test_an_unknown_format_is_met_with_the_known_ones(run):
    ended = CliRunner().invoke(app, ["export", str(run), "--format", "tensorflow"])
    assert ended.exit_code == 2
    assert "no format 'tensorflow'" in ended.stderr
    assert "safetensors" in ended.stderr
