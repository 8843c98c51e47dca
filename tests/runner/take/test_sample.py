"""Which generator is taken, and what it draws."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from typer.testing import CliRunner

from runner.cli import app
from runner.take import TakeError, find, read_generator, write_samples
from runner.take.generator import drawn, has_normal_latents, truncated, within
from tests.runner import runs
from tests.runner.small import recipe

SN = "sn-gan-seed1"  # its seed 0 diverged


def cli(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def generator(run):
    return read_generator(find(run).weights)


def of(batches):
    return torch.cat(list(batches))


# Which one ------------------------------------------------------------------------------------


def test_a_run_gives_the_first_finished_seed_of_its_first_arm_and_says_so(run):
    taken = find(run)
    assert taken.trial.id == SN
    assert taken.run == run
    assert "first finished seed of SN-GAN" in taken.says


def test_a_trial_can_be_named(run):
    taken = find(run / "trials" / "baseline-seed2")
    assert (taken.trial.arm, taken.trial.seed, taken.run) == ("baseline", 2, run)


def test_a_trial_may_lie_apart_from_its_run(run, tmp_path):
    shutil.copytree(run / "trials" / SN, tmp_path / "mine")
    taken = find(tmp_path / "mine")
    assert (taken.trial.id, taken.run) == (SN, None)


def test_a_trial_that_was_moved_into_another_run_is_not_taken_for_one_of_its_own(run, leave):
    other = leave(recipe(latent_dim=8), data=runs.DATA)
    shutil.rmtree(other / "trials" / SN)
    shutil.copytree(run / "trials" / SN, other / "trials" / SN)
    assert find(other / "trials" / SN).run is None


def test_a_run_without_a_finished_trial_says_why(leave):
    none = leave(recipe(), scores={"sn-gan": (None, None), "baseline": (None,)})
    with pytest.raises(TakeError, match="no finished trial") as error:
        find(none)
    assert "the critic's loss is not a number" in str(error.value)


def test_a_failed_trial_says_how_it_failed(run):
    with pytest.raises(TakeError, match="sn-gan-seed0 did not finish: diverged"):
        find(run / "trials" / "sn-gan-seed0")


def test_an_unknown_trial_is_met_with_the_known_ones(run):
    with pytest.raises(TakeError, match="did you mean 'sn-gan-seed1'"):
        find(run / "trials" / "sngan-seed1")


@pytest.mark.parametrize("what", ["nowhere", "folder", "file.txt"])
def test_what_is_no_run_is_told(tmp_path, what):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").touch()
    with pytest.raises(TakeError, match=r"the folder of a run|neither a run"):
        find(tmp_path / what)


def test_a_waiting_trial_points_to_training_it_further(leave):
    run = leave(recipe())
    folder = run / "trials" / SN
    result = find(run).result.model_copy(update={"status": "paused", "score": None})
    runs.write(folder / "result.json", result)
    with pytest.raises(TakeError, match=r"continue .*--arm sn-gan"):
        find(folder)


def test_a_file_that_is_no_generator_is_told(leave):
    run = leave(recipe())
    weights = find(run).weights
    content = bytearray(weights.read_bytes())
    weights.write_bytes(content.replace(b'\\"dcgan\\"', b'\\"nogan\\"'))
    with pytest.raises(TakeError, match=r"no generator of this version.*nogan"):
        generator(run)
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(TakeError, match="no generator of this version"):
        generator(run)
    weights.unlink()
    with pytest.raises(TakeError, match="is missing"):
        find(run)


# What it draws --------------------------------------------------------------------------------


def test_the_first_samples_are_the_same_to_the_bit_however_many_are_drawn(run):
    game = generator(run)
    many = of(drawn(game, 150, seed=3))
    for count in (1, 16, 64, 65):
        assert torch.equal(of(drawn(game, count, seed=3)), many[:count])


def test_other_seeds_draw_other_samples(run):
    game = generator(run)
    first, second = (of(drawn(game, 4, seed=seed)) for seed in (0, 1))
    assert (first - second).abs().max() > 0.1


def test_reading_a_generator_leaves_random_numbers_alone(run):
    before = torch.get_rng_state()
    generator(run)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("bound", [0.04, 0.5, 2.0])
def test_truncated_latents_follow_the_truncated_normal(bound):
    latents = within(torch.randn(20_000, generator=torch.Generator().manual_seed(0)), bound)
    assert latents.abs().max() <= bound
    law = stats.truncnorm(-bound, bound)
    assert stats.kstest(latents.double().numpy(), law.cdf).pvalue > 0.01


def test_each_truncated_latent_is_the_quantile_of_the_whole_one():
    latents = torch.tensor([-2.5, -0.3, 0.0, 1.1, 4.0])
    wanted = stats.truncnorm(-0.7, 0.7).ppf(stats.norm.cdf(latents.double()))
    torch.testing.assert_close(within(latents, 0.7).double(), torch.from_numpy(wanted))


def test_a_wide_bound_changes_nothing():
    latents = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(within(latents, 30.0), latents)


def test_truncation_makes_samples_vary_less(run):
    game = generator(run)
    wide, narrow = (of(drawn(game, 64, seed=0, truncation=bound)) for bound in (None, 0.3))
    assert narrow.std(0).mean() < 0.7 * wide.std(0).mean()


def test_only_normal_latents_are_truncated(run):
    game = generator(run)
    assert has_normal_latents(game)
    uniform = {"latents": lambda count, rng: torch.rand(count, 13, generator=rng)}
    game.quantities.update(uniform)
    assert not has_normal_latents(game)
    with pytest.raises(TakeError, match="only normal latents"):
        truncated(game, 0.5)


# As files -------------------------------------------------------------------------------------


def test_a_folder_and_an_array_hold_the_same_pixels(run, tmp_path):
    game = generator(run)
    write_samples(game, tmp_path / "some", "folder", count=5, seed=0)
    write_samples(game, tmp_path / "some.npz", "npz", count=5, seed=0)
    array = np.load(tmp_path / "some.npz", allow_pickle=False)["arr_0"]
    assert (array.shape, array.dtype) == ((5, 16, 16, 3), np.uint8)
    files = sorted((tmp_path / "some").iterdir())
    assert [file.name for file in files] == [f"{number:05}.png" for number in range(5)]
    assert np.array_equal(array, [np.asarray(Image.open(file)) for file in files])
    assert list(tmp_path.glob(".*")) == []  # nothing unfinished


def test_alpha_is_kept_in_files_and_laid_on_white_in_a_picture(leave, tmp_path):
    data = runs.DATA.model_copy(update={"channels": 4, "size": 16})
    game = generator(leave(recipe(), data=data, pictures=False))
    write_samples(game, tmp_path / "some", "folder", count=2, seed=0)
    write_samples(game, tmp_path / "some.png", "grid", count=2, seed=0)
    assert Image.open(tmp_path / "some" / "00000.png").mode == "RGBA"
    assert Image.open(tmp_path / "some.png").mode == "RGB"


def test_a_folder_in_use_is_left_alone(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TakeError, match="exists and is not empty"):
        write_samples(generator(run), tmp_path, "folder", count=2, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_may_be_filled(run, tmp_path):
    (tmp_path / "empty").mkdir()
    write_samples(generator(run), tmp_path / "empty", "folder", count=2, seed=0)
    assert len(list((tmp_path / "empty").iterdir())) == 2


def test_the_current_folder_is_not_pulled_away(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TakeError, match="a new folder in this one"):
        write_samples(generator(run), tmp_path, "folder", count=2, seed=0)


def test_points_make_a_picture_or_an_array_and_no_folder(points, tmp_path):
    game = generator(points)
    write_samples(game, tmp_path / "some.npz", "npz", count=100, seed=0)
    write_samples(game, tmp_path / "some.png", "grid", count=100, seed=0)
    array = np.load(tmp_path / "some.npz")["arr_0"]
    assert (array.shape, array.dtype) == ((100, 2), np.float32)
    assert np.array_equal(array, of(drawn(game, 100, seed=0)).flatten(1).numpy())
    assert Image.open(tmp_path / "some.png").size == (512, 512)
    with pytest.raises(TakeError, match="points of a plane make no folder"):
        write_samples(game, tmp_path / "some", "folder", count=100, seed=0)


# As a command ---------------------------------------------------------------------------------


def test_the_command_writes_a_picture_and_says_of_what(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = cli("sample", run, "-n", 16)
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.strip() == "sn-gan-seed1-samples0.png"
    assert "the first finished seed of SN-GAN" in ended.stderr
    assert Image.open(tmp_path / "sn-gan-seed1-samples0.png").mode == "RGB"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--class", "cat"), "was trained without labels"),
        (("--grid", "--npz"), "choose one of"),
        (("--truncation", "0"), "a bound above 0"),
        (("--device", "tpu"), "no device 'tpu'"),
        (("-n", "20000"), "take --folder or --npz"),
    ],
)
def test_what_makes_no_sense_is_told(run, tmp_path, words, says):
    ended = cli("sample", run, "-o", tmp_path / "out.png", *words)
    assert ended.exit_code == 2
    assert says in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_truncating_says_what_it_costs(run, tmp_path):
    ended = cli("sample", run, "-o", tmp_path / "out.png", "--truncation", "0.5")
    assert ended.exit_code == 0, ended.stderr
    assert "fewer kinds" in ended.stderr
