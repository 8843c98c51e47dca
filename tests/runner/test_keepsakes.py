import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from runner import keepsakes
from runner.data import ImageSet
from runner.game import build
from runner.keepsakes import BETWEEN, NEAREST, ROWS, SAYS, STEPS, WAYS, between, keep, slerp
from runner.metrics.copies import SHOWN
from runner.pictures import GAP
from runner.plan import RunPlan
from runner.prepare import Prepared
from runner.settle import stored
from runner.take.generator import read_generator
from tests.runner.metrics.test_references import Pixels
from tests.runner.small import IMAGE, recipe
from tests.runner.take.conftest import COLOUR, left_behind

SCORES = {  # seed 1 is the first finished one of the first arm
    "sn-gan": (None, 11.0, 12.0),
    "baseline": (21.0, 20.0, 22.0),
}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(keepsakes, "cache_folder", lambda _: tmp_path / "cache")
    monkeypatch.setattr("runner.prepare.cache_folder", lambda _: tmp_path / "cache")


@pytest.fixture
def run(tmp_path):
    return left_behind(tmp_path / "run", recipe(latent_dim=13), data=COLOUR, scores=SCORES)


def images(train, held_out):
    return ImageSet(
        name="some", train=train, held_out=held_out, labels=None, classes=(),
        fingerprint="0", held_out_is="", preparation="",
    )  # fmt: skip


def noise(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 16, 16), dtype=np.uint8)


def quiet(says):
    assert not says.startswith("caution")


def pixels(path):
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"), float)


def prepared(run, train, n=60):
    plan = stored(RunPlan, run / "plan.json")
    how = plan.measurement.model_copy(update={"look_n": n})
    return Prepared(
        plan.model_copy(update={"measurement": how}), images(train, noise(80, 1)), Pixels()
    )


def test_what_repeats_training_images_is_told_and_shown_beside_them(run, monkeypatch):
    train = noise(260, 2)
    monkeypatch.setattr(keepsakes, "sampler", lambda game: lambda n, seed: train[100 : 100 + n])
    told = []
    keep(run, prepared(run, train), told.append)
    assert told == ["looking for training images that sn-gan-seed1 repeats"]
    about = json.loads((run / SAYS).read_text())
    assert (about["arm"], about["trial"]) == ("sn-gan", "sn-gan-seed1")
    assert (about["count"], about["against"], about["of"]) == (60, 260, 260)
    assert about["share_copied"] == 1
    assert about["z"] < -5
    assert about["says"].startswith("Memorisation: 100.0 % of 60 samples")
    assert [pair["picked"] for pair in about["pairs"]] == ["nearest"] * 4 + ["as it came"] * 4
    for pair in about["pairs"]:
        assert (pair["distance"], pair["nearer"]) == (0, 0)
        assert pair["of_real"] > 0.5
    seen = pixels(run / NEAREST)
    tile = about["tile"]
    assert about["columns"] == 1 + SHOWN
    assert seen.shape == (ROWS * (tile + GAP) - GAP, about["columns"] * (tile + GAP) - GAP, 3)
    for row in range(ROWS):
        cells = [seen[row * (tile + GAP) :, at * (tile + GAP) :][:tile, :tile] for at in (0, 1, 2)]
        assert np.abs(cells[0] - cells[1]).mean() < np.abs(cells[0] - cells[2]).mean() / 3


def test_what_repeats_nothing_is_told_as_well(run):
    keep(run, prepared(run, noise(200, 2)), quiet)
    about = json.loads((run / SAYS).read_text())
    assert about["share_copied"] == 0
    assert about["says"].startswith("No ")


def test_they_are_made_once_and_again_where_another_trial_is_first(run):
    ready = prepared(run, noise(200, 2))
    keep(run, ready, quiet)
    times = {name: (run / name).stat().st_mtime_ns for name in (NEAREST, SAYS, BETWEEN)}
    keep(run, ready, quiet)
    assert {name: (run / name).stat().st_mtime_ns for name in times} == times
    (run / "trials/sn-gan-seed1/generator.safetensors").write_bytes(
        (run / "trials/sn-gan-seed2/generator.safetensors").read_bytes()
    )
    keep(run, ready, quiet)
    assert all((run / name).stat().st_mtime_ns > time for name, time in times.items())


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory.\nTried"), OSError("gone")]
)
def test_what_goes_wrong_is_a_sentence_and_leaves_nothing_wrong_behind(run, monkeypatch, error):
    ready = prepared(run, noise(200, 2))
    keep(run, ready, quiet)
    (run / "trials/sn-gan-seed1/generator.safetensors").write_bytes(
        (run / "trials/sn-gan-seed2/generator.safetensors").read_bytes()
    )

    def raises(*_):
        raise error

    monkeypatch.setattr(keepsakes, "memorised", raises)
    told = []
    keep(run, ready, told.append)
    _, says = told
    assert says.startswith("caution: no picture of nearest training images: ")
    assert "\n" not in says
    assert not (run / NEAREST).exists()
    assert not (run / SAYS).exists()


def test_a_run_without_a_finished_trial_has_none_and_says_nothing(tmp_path):
    run = left_behind(tmp_path / "run", recipe(), data=COLOUR, scores={"sn-gan": (None, None)})
    keep(run, prepared(run, noise(200, 2)), pytest.fail)
    assert not list(run.glob("*.webp"))


# What lies between samples ---------------------------------------------------------------------


def test_halfway_on_a_great_circle_is_as_far_from_both_and_as_long():
    start, end = torch.eye(3)[:1], torch.eye(3)[1:2]
    half = slerp(start, end, 0.5)
    torch.testing.assert_close(half, torch.tensor([[0.5, 0.5, 0.0]]).sqrt())


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_steps_on_a_great_circle_have_equal_angles(share):
    start, end = (torch.nn.functional.normalize(torch.randn(5, 7), dim=1) for _ in range(2))
    at = slerp(start, end, share)
    whole = (start * end).sum(1).acos()
    torch.testing.assert_close(
        (start * at).sum(1).clamp(-1, 1).acos(), share * whole, atol=2e-3, rtol=0
    )
    torch.testing.assert_close(at.norm(dim=1), torch.ones(5))


def test_the_ends_are_the_latents_themselves_and_equals_stay_where_they_are():
    start, end = torch.randn(4, 9), torch.randn(4, 9)
    torch.testing.assert_close(slerp(start, end, 0.0), start)
    torch.testing.assert_close(slerp(start, end, 1.0), end)
    torch.testing.assert_close(slerp(start, start, 0.3), start)


def test_the_way_begins_and_ends_at_samples_and_changes_in_small_steps(run):
    game = read_generator(run / "trials/sn-gan-seed1/generator.safetensors")
    way = between(game)
    assert way == between(game)
    keep(run, prepared(run, noise(200, 2)), quiet)
    assert (run / BETWEEN).read_bytes() == way
    seen = pixels(run / BETWEEN)
    assert seen.shape == (WAYS * (64 + GAP) - GAP, STEPS * (64 + GAP) - GAP, 3)
    cells = [seen[:64, at * (64 + GAP) :][:, :64] for at in range(STEPS)]
    steps = [np.abs(a - b).mean() for a, b in pairwise(cells)]
    assert max(steps) < np.abs(cells[0] - cells[-1]).mean()


def test_the_way_of_a_generator_that_is_told_a_class_stays_in_it():
    asked = []
    game = build(recipe(structure={"name": "conditional"}), IMAGE._replace(classes=3), 0)
    game.networks["generator"].register_forward_pre_hook(
        lambda network, given: asked.append(given[1])
    )
    assert between(game)
    rows = asked[-1].view(WAYS, STEPS)
    assert (rows == rows[:, :1]).all()
