"""What is exported of generators that are told a class does as it is told."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from runner.game import build
from runner.metrics import to_uint8
from runner.scene import ImageShape
from runner.take import TakeError, export, find, formats, read_generator
from runner.take.export import MOST_ROWS
from runner.take.formats import FORMATS, compared, written
from tests.runner.small import recipe
from tests.runner.take.conftest import COLOUR, POINTS, TOLD
from tests.runner.take.drawing import cells, generate_of, ours, run_alone


@pytest.fixture(scope="module")
def exported_told(told, tmp_path_factory):
    """Once for each of the structures."""
    out = tmp_path_factory.mktemp("exported") / "out"
    return out, export(find(told), ["safetensors"], out)


def test_a_told_generator_makes_the_originals_images_of_every_class(exported_told):
    _, checks = exported_told
    assert [check.file for check in checks] == ["generator.pt", "generator.safetensors"]
    assert checks[0].difference <= checks[0].tolerance < 1e-3
    assert checks[1].difference == 0


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_every_class_is_held_against_the_original(classes):
    made = recipe("mlp", structure=TOLD["concatenation"])
    game = build(made, ImageShape(1, 8, classes), 0)
    seen = {}
    for latents, labels in formats.batches(game):
        assert len(latents) == len(labels)
        seen.setdefault(len(labels), set()).update(labels.tolist())
    assert set(seen) == set(formats.PROBES)
    assert seen[max(seen)] == set(range(classes))
    for some in seen.values():
        assert len(some) >= min(classes, formats.BLOCK)


@pytest.mark.parametrize("label", [None, 0, 2, "cat", "small bird", "1"])
def test_the_script_draws_of_classes_what_we_draw(exported_told, told, label):
    generate = generate_of(exported_told[0])
    made = generate(70, seed=5, label=label)
    number = {"cat": 0, "small bird": 2, "1": 1}.get(label, label)
    torch.testing.assert_close(made, ours(told, 70, 5, number), atol=1e-5, rtol=0)
    assert torch.equal(generate(3, seed=5, label=label), made[:3])
    assert not made.requires_grad


def test_names_and_numbers_of_classes_travel_with_the_network(exported_told):
    with zipfile.ZipFile(exported_told[0] / "generator.pt") as archive:
        extra = {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()
                 if "/extra/" in name}  # fmt: skip
    assert extra == {"latents": "13", "classes": "cat\ndog\nsmall bird", "seen": "1\n8\n15"}


@pytest.mark.parametrize("told", ["projection"], indirect=True)
def test_a_class_by_name_is_drawn_where_nothing_of_ours_is(exported_told, told, tmp_path):
    out = tmp_path / "dogs.png"
    ended = run_alone(exported_told[0] / "generate.py", 9, 3, out, "dog")
    assert (ended.returncode, ended.stderr) == (0, "")
    made = cells(out, ImageShape(3, 16)).astype(int)[:9]
    assert np.abs(made - to_uint8(ours(told, 9, 3, 1)).numpy()).max() <= 1  # rounding


@pytest.mark.parametrize("label", ["dgo", 3, -1, ""])
def test_the_script_knows_no_other_classes(exported_told, label):
    with pytest.raises(SystemExit, match="no class"):
        generate_of(exported_told[0])(4, label=label)


def test_points_of_a_class_are_drawn_too(leave, tmp_path):
    run = leave(recipe("mlp", structure=TOLD["projection"]), data=POINTS, pictures=False)
    export(find(run), [], tmp_path / "out")
    made = generate_of(tmp_path / "out")(70, seed=2, label=7)
    torch.testing.assert_close(made, ours(run, 70, 2, 7))
    assert Image.open(tmp_path / "out" / "samples.png").size == (512, 512)


WRONG = {
    "ignores labels": lambda labels: torch.zeros_like(labels),
    "takes one class for another": lambda labels: torch.where(labels == 2, 0, labels),
    "knows one batch by heart": lambda labels: torch.arange(len(labels)) % 3,
    "takes all of a batch for the first": lambda labels: labels[:1].expand(len(labels)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_who_does_not_do_as_told_is_found_out(told, wrong):
    game = read_generator(find(told).weights)
    network = game.networks["generator"]

    @torch.no_grad()
    def run(latents, labels):
        return network(latents, WRONG[wrong](labels))

    check = compared(game, run, FORMATS["torchscript"])
    assert check.difference > 100 * check.tolerance


def test_a_trace_that_has_learnt_labels_by_heart_is_found_out(told, tmp_path):
    taken = find(told)
    game = read_generator(taken.weights)
    game.networks["generator"] = ByHeart(game.networks["generator"])
    with pytest.raises(TakeError, match="does not make the images"):
        written(FORMATS["torchscript"], game, taken.weights, tmp_path)


class ByHeart(nn.Module):
    """Looks at labels where no trace can follow."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.seen = inner, inner.seen

    def forward(self, latents, labels):
        most = int(labels.bincount().argmax())
        return self.inner(latents, labels) + most


def test_few_classes_have_a_row_each_of_the_same_latents(exported_told, told):
    folder, _ = exported_told
    with Image.open(folder / "samples.png") as picture:
        seen = np.asarray(picture).astype(int)
    assert seen.shape == (3 * 66 - 2, 8 * 66 - 2, 3)  # 16 px four times enlarged, and gaps
    for label in range(3):
        row = to_uint8(generate_of(folder)(8, seed=0, label=label)).numpy()
        for column, image in enumerate(row):
            shown = seen[66 * label : 66 * label + 64 : 4, 66 * column : 66 * column + 64 : 4]
            assert np.abs(shown - image.transpose(1, 2, 0)).max() <= 1  # rounding


def test_many_classes_are_shown_as_they_come(leave, tmp_path):
    data = COLOUR.model_copy(update={"classes": MOST_ROWS + 1})
    run = leave(recipe(structure=TOLD["concatenation"]), data=data, pictures=False)
    export(find(run), [], tmp_path / "out")
    assert Image.open(tmp_path / "out" / "samples.png").size == (8 * 66 - 2,) * 2
    text = (tmp_path / "out" / "README.md").read_text()
    assert "![Samples of the seed 0](samples.png)" in text
    assert f"| {MOST_ROWS} | {MOST_ROWS} | {7 * MOST_ROWS + 1} |" in text  # they have no names


def test_the_card_says_how_classes_are_told_and_which(exported_told, told):
    text = (exported_told[0] / "README.md").read_text()
    way = {
        "projection": "scales and shifts of its own after every batch norm",
        "concatenation": "a vector of zeros and a one",
        "classifier": "a vector of zeros and a one",
    }[told.name]
    for said in (
        "images in colour of 3 classes, one for each 13 normal numbers",
        "generate(64, seed=0, label=2)",
        "| 2 | small bird | 15 |",
        "3 classes, of which the generator is told one",
        "class-conditional-image-generation",
        "A class in each row",
        "latents and all classes, in batches",
        way,
    ):
        assert said in text, said
    assert "without labels" not in text


@pytest.mark.slow  # ten seconds
def test_onnx_takes_classes_in_batches_of_any_size(told, tmp_path):
    for name in formats.NEEDED:
        pytest.importorskip(name)
    checks = export(find(told), ["onnx"], tmp_path / "out")
    assert checks[-1].file == "generator.onnx"
    assert checks[-1].difference <= checks[-1].tolerance
    text = (tmp_path / "out" / "README.md").read_text()
    assert "`latents` and `labels` to `images`" in text
