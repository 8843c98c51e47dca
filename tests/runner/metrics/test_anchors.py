import numpy as np
import pytest
import torch

from runner.metrics import (
    ANCHORS,
    SECONDARY,
    MetricError,
    anchors,
    extractor,
    floor,
    reference_points,
)
from runner.metrics import reference as reference_of
from runner.metrics.anchors import blurred, made_of
from tests.runner.metrics.test_references import Pixels

N = 100


def images(n, seed):
    """Bright up to some column, with grain."""
    random = np.random.default_rng(seed)
    bright = np.arange(16) < random.integers(2, 15, n)[:, None, None, None]
    return (60 + 100 * bright + random.integers(0, 30, (n, 1, 16, 16))).astype(np.uint8)


@pytest.fixture
def held_out():
    return reference_of(images(N, 0), Pixels(), n=N)


def points(n, seed):
    return np.random.default_rng(seed).normal(3, 1, (n, 2, 1, 1)).astype(np.float32)


def test_every_anchor_is_a_score_of_the_same_protocol(held_out):
    found = anchors(images(2 * N, 1), held_out)
    real = floor(images(2 * N, 1), held_out)
    assert list(found) == list(ANCHORS)
    for score in found.values():
        assert score.protocol == real.protocol
        assert tuple(score.secondary) == SECONDARY
        assert score.value > 1.5 * real.value


def test_noise_has_any_value_and_the_mean_one():
    real = images(N, 0)
    made = {name: make(N, 3) for name, make in made_of(real).items()}
    assert {name: (each.dtype, each.shape) for name, each in made.items()} == dict.fromkeys(
        ANCHORS, (np.uint8, real.shape)
    )
    assert len(np.unique(made["noise"])) == 256
    assert (made["mean"] == np.round(real.mean(0)).astype(np.uint8)).all()
    assert (made_of(real)["noise"](N, 4) != made["noise"]).any()


def test_blur_is_a_sixteenth_of_the_side():
    """A bright line of 64 px becomes a Gaussian of 4 px."""
    line = np.zeros((2, 1, 64, 64), np.uint8)
    line[0, 0, :, 32] = 250
    profile = blurred(line)[0, 0, 20].astype(float)
    expected = 250 * np.exp(-((np.arange(64) - 32) ** 2) / 32) / np.sqrt(32 * np.pi)
    np.testing.assert_allclose(profile, expected, atol=0.6)
    assert (blurred(line)[1] == 0).all()


def test_blur_leaves_flat_pictures_and_their_edges_alone():
    flat = np.arange(30, dtype=np.uint8)[:, None, None, None].repeat(8, 2).repeat(8, 3)
    assert (blurred(flat) == flat).all()


def test_points_have_a_box_and_a_mean():
    coordinates = extractor("coordinates")
    held_out = reference_points(points(300, 0), coordinates, n=300)
    train = points(300, 1)
    found = anchors(train, held_out)
    assert list(found) == ["noise", "mean"]
    # From one point to all others the transport is the mean distance.
    to_mean = np.linalg.norm(coordinates(points(300, 0)) - train.mean(0).ravel(), axis=1).mean()
    assert found["mean"].value == pytest.approx(to_mean, rel=1e-5)
    box = made_of(train)["noise"](4000, 0)
    assert (box.dtype, box.shape) == (np.float32, (4000, 2, 1, 1))
    assert (box >= train.min(0)).all()
    assert (box <= train.max(0)).all()
    np.testing.assert_allclose(box.mean(0), (train.min(0) + train.max(0)) / 2, atol=0.15)
    assert "kid" not in found["mean"].secondary
    assert found["mean"].secondary["coverage"] < 0.1 < found["noise"].secondary["coverage"]


@pytest.mark.parametrize("what", [anchors, floor])
def test_they_are_measured_once(what, held_out, tmp_path):
    pixels = held_out.extractor
    first = what(images(2 * N, 1), held_out, cache=tmp_path / "new")
    calls = pixels.calls
    assert what(images(2 * N, 1), held_out, cache=tmp_path / "new") == first
    assert what(torch.from_numpy(images(2 * N, 1)), held_out, cache=tmp_path / "new") == first
    assert pixels.calls == calls
    assert first == what(images(2 * N, 1), held_out)
    others = reference_of(images(N, 9), pixels, n=N)
    calls = pixels.calls
    assert what(images(2 * N, 1), others, cache=tmp_path / "new") != first
    assert what(images(2 * N, 2), held_out, cache=tmp_path / "new") != first
    assert what(images(2 * N, 1), held_out, seed=1, cache=tmp_path / "new") != first
    assert pixels.calls > calls


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"key": "0", "scores": {}}', b"\xff\xfe", "torn"]
)
def test_a_damaged_file_is_measured_again(content, held_out, tmp_path):
    first = anchors(images(N, 1), held_out, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "torn" else content)
    assert anchors(images(N, 1), held_out, cache=tmp_path) == first
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_costs_a_warning(held_out, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="were not kept"):
        assert anchors(images(N, 1), held_out, cache=tmp_path / "file")


def test_the_floor_is_the_mean_of_its_draws(held_out):
    real = floor(images(3 * N, 1), held_out, draws=2, seed=4)
    assert real.draws == tuple(
        floor(images(3 * N, 1), held_out, seed=seed).value for seed in (4, 5)
    )


def test_fewer_training_images_than_samples_are_refused(held_out):
    with pytest.raises(MetricError, match=f"so not {N}"):
        anchors(images(N - 1, 1), held_out)
