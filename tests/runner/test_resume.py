"""Killed and resumed runs end with the weights of uninterrupted ones; bad files are told apart."""

import errno
import os
import pickle

import pytest
import torch

from runner import checkpoint
from runner.checkpoint import CheckpointError
from runner.game import build
from runner.train import train
from tests.runner.small import IMAGE, Bars, recipe

ROUNDS = 8
RECIPES = {
    "batch norm, lazy R1": recipe(
        critic_norm="batch-norm", penalties=({"name": "r1", "settings": {"interval": 3}},)
    ),
    "SN-GAN": recipe(
        "conv",
        divergence="hinge",
        loss={"name": "raw-score"},
        normalizers=({"name": "spectral-norm"},),
        optimizer={"critic_steps": 2, "betas": (0.0, 0.9)},
    ),
    "WGAN": recipe(
        "mlp",
        divergence="wasserstein",
        loss={"name": "minimax"},
        constraints=({"name": "weight-clipping"},),
        optimizer={"name": "rmsprop", "critic_steps": 3, "critic_weight_decay": 1e-3},
    ),
    "BEGAN, decaying, augmented": recipe(
        structure={"name": "auto-encoder-critic", "settings": {"code": 4}},
        divergence="wasserstein",
        loss={"name": "equilibrium", "settings": {"gain": 0.1, "diversity": 0.9}},
        generator_penalties=({"name": "pulling-away"},),
        augmentations=({"name": "color"}, {"name": "translation"}, {"name": "cutout"}),
        optimizer={"decay_from": 0.25},
    ),
    "VAE-GAN": recipe("mlp", structure={"name": "vae-gan"}, penalties=({"name": "consistency"},)),
    "RaGAN with penalty": recipe(
        "resnet",
        loss={"name": "relativistic-average"},
        penalties=({"name": "gradient-penalty"}, {"name": "dragan"}),
        normalizers=({"name": "weight-norm"},),
    ),
}


class Killed(Exception):
    pass


def play(plan, path=None, die_after=None, rounds=ROUNDS, **others):
    """Saves every third round."""
    a_round = 8 * plan.optimizer.critic_steps

    def progress(report):
        if die_after and report.images_seen >= die_after * a_round:
            raise Killed

    others = {"precision": "float32", "seed": 5} | others
    return train(
        build(plan, IMAGE, 1), plan, Bars(8), budget=a_round * rounds, checkpoint=path,
        save_every=a_round * 3, look_every=a_round, on_progress=progress, **others,
    )  # fmt: skip


def weights(done):
    return {k: v.clone() for k, v in done.game.networks.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("die_after", [3, 5, 6], ids=["just saved", "midway", "saved twice"])
@pytest.mark.parametrize("name", RECIPES)
def test_killed_and_resumed_equals_uninterrupted(name, die_after, precision, tmp_path):
    plan, path = RECIPES[name], tmp_path / "run.ckpt"
    whole = play(plan, precision=precision)
    with pytest.raises(Killed):
        play(plan, path, die_after, precision=precision)
    torch.rand(3)  # other draws in between do not matter
    resumed = play(plan, path, precision=precision)
    assert same(weights(whole), weights(resumed))
    assert resumed.history == whole.history
    assert resumed.images_seen == whole.images_seen


def test_saving_changes_nothing_and_a_finished_run_is_not_run_again(tmp_path):
    plan, path = RECIPES["SN-GAN"], tmp_path / "run.ckpt"
    whole, saved = play(plan), play(plan, path)
    assert same(weights(whole), weights(saved))

    class NoMore(Bars):
        def __next__(self):
            raise AssertionError

    again = train(build(plan, IMAGE, 1), plan, NoMore(8), budget=8 * 2 * ROUNDS, checkpoint=path,
                  precision="float32", seed=5)  # fmt: skip
    assert same(weights(again), weights(saved))
    assert again.seconds == saved.seconds


def test_a_larger_budget_extends_a_run_as_if_it_had_been_planned(tmp_path):
    plan, path = RECIPES["batch norm, lazy R1"], tmp_path / "run.ckpt"
    play(plan, path, rounds=4)
    assert same(weights(play(plan, path)), weights(play(plan)))


def test_half_written_optimizer_layouts_are_kept(tmp_path):
    """Fused Adam walks weights, slopes and moments in memory order: channels last must stay so."""
    plan, path = RECIPES["SN-GAN"], tmp_path / "run.ckpt"
    play(plan, path)
    saved = checkpoint.load(path)["run"]
    layouts = [m["exp_avg"] for m in saved["optimizers"][0]["state"].values()]
    assert any(m.ndim == 4 and m.is_contiguous(memory_format=torch.channels_last) for m in layouts)


# Other runs' checkpoints -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "settings", "difference"),
    [
        ({"optimizer": {"rate": 1e-3}}, {}, "recipe.optimizer.rate was 0.0002 and is now 0.001"),
        ({"penalties": ({"name": "r2"},)}, {}, "recipe.penalties.0.name was None and is now 'r2'"),
        ({}, {"seed": 6}, "seed was 5 and is now 6"),
        ({}, {"precision": "bfloat16"}, "precision was 'float32' and is now 'bfloat16'"),
        ({"optimizer": {"decay_from": 0.5}}, {"whole": 999}, "rates end was None and is now 999"),
        ({}, {"average_half_life": 0.1}, "average half-life was 0.05 and is now 0.1"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(other, settings, difference, tmp_path):
    path = tmp_path / "run.ckpt"
    play(recipe(), path, rounds=1)
    with pytest.raises(CheckpointError, match=difference):
        play(recipe(**other), path, rounds=1, **settings)


# Damaged files -----------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "run.ckpt"
    for number in (1, 2):
        checkpoint.save(path, {"number": number, "tensor": torch.arange(100.0) * number})
    return path


def test_the_newest_is_loaded_and_one_before_it_is_kept(two):
    assert checkpoint.load(two)["number"] == 2
    assert sorted(os.listdir(two.parent)) == ["run.ckpt", "run.ckpt.previous"]
    checkpoint.save(two, {"number": 3})
    assert checkpoint.load(two) == {"number": 3}
    assert len(os.listdir(two.parent)) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "foreign", "text"])
def test_a_damaged_file_is_noticed_and_the_older_one_used(damage, two):
    content = bytearray(two.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    two.write_bytes({"cut": content[:-100], "empty": b"", "flipped": content,
                     "foreign": pickle.dumps({"number": 9}), "text": b"hello"}[damage])  # fmt: skip
    with pytest.warns(UserWarning, match=r"run\.ckpt is damaged"):
        assert checkpoint.load(two)["number"] == 1


def test_no_file_or_none_that_is_whole(tmp_path, two):
    assert checkpoint.load(tmp_path / "none") is None
    for file in (two, checkpoint.previous(two)):
        file.write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert checkpoint.load(two) is None


def test_a_crash_between_the_two_renames_loses_nothing(two, monkeypatch):
    rename, calls = os.replace, []

    def crash(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(two, {"number": 3})
    assert checkpoint.load(two)["number"] == 2


def test_a_damaged_file_never_takes_the_place_of_a_whole_one(two):
    two.write_bytes(b"damaged")
    checkpoint.save(two, {"number": 3})
    assert checkpoint.load(two)["number"] == 3
    two.unlink()
    assert checkpoint.load(two)["number"] == 1


def test_a_full_disk_leaves_the_old_checkpoint_and_nothing_half_written(two, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(two, {"number": 3})
    assert checkpoint.load(two)["number"] == 2
    assert sorted(os.listdir(two.parent)) == ["run.ckpt", "run.ckpt.previous"]


def test_loading_executes_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trapped"),)

    checkpoint.save(tmp_path / "run", {"trap": Trap()})
    with pytest.raises(pickle.UnpicklingError):
        checkpoint.load(tmp_path / "run")
    assert not (tmp_path / "trapped").exists()
