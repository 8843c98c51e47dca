import numpy as np
import pytest
import torch

from runner.data import open_images
from runner.data.find import SYSTEM
from runner.metrics.stacked import classifier, modes
from runner.truth import STACKS, Model, of_stacks

torch.set_num_threads(1)

fashion = pytest.mark.skipif(not (SYSTEM / "fashion-mnist").is_dir(), reason="needs Fashion-MNIST")


def by_brightness(images):
    """Ten classes that cannot be mistaken."""
    return images[:, 0, 0, 0].astype(np.int64) // 25


def stacks(codes):
    """Images whose channels' classes are the digits of the codes."""
    digits = np.stack([codes // 100, codes // 10 % 10, codes % 10], 1)
    return (25 * digits + 12).astype(np.uint8)[:, :, None, None]


def test_a_perfect_generator_leaves_the_divergence_that_chance_leaves():
    codes = np.random.default_rng(0).integers(0, 1000, STACKS)
    found = modes(stacks(codes), by_brightness, 10)
    assert found["modes-covered"] == 1000
    assert found["reverse-kl"] == pytest.approx(999 / (2 * STACKS), rel=0.1)


@pytest.mark.parametrize("many", [1, 10, 250, 1000])
def test_equal_shares_of_some_modes_have_a_closed_form(many):
    codes = np.arange(1000).reshape(-1)[::-1][:many].repeat(3)
    found = modes(stacks(codes), by_brightness, 10)
    assert found["modes-covered"] == many
    assert found["reverse-kl"] == pytest.approx(np.log(1000 / many), abs=1e-12)


def test_the_order_of_channels_makes_other_modes():
    assert modes(stacks(np.array([12, 21, 102])), by_brightness, 10)["modes-covered"] == 3


def bars(count, seed):
    """Upright and lying bars with noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    images = random.integers(0, 100, (count, 1, 16, 16))
    for image, label, place in zip(images, labels, random.integers(2, 12, count), strict=True):
        image[0, :, place : place + 3] += 120
        if label:
            image[0] = image[0].T
    return images.astype(np.uint8), labels


@pytest.fixture
def learnt(tmp_path):
    def learn(**more):
        images, labels = bars(1500, 0)
        known = {"classes": 2, "fingerprint": "bars", "cache": tmp_path}
        return classifier(images, labels, **(known | more))

    return learn


def test_a_classifier_learns_and_knows_how_well(learnt):
    classify = learnt()
    images, labels = bars(500, 1)
    right = (classify(images) == labels).mean()
    assert right > 0.95
    assert classify.accuracy == pytest.approx(right, abs=0.05)


def test_it_is_trained_once_and_a_damaged_file_again(learnt, tmp_path, monkeypatch):
    first = learnt()
    (file,) = tmp_path.iterdir()
    kept = file.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("runner.metrics.stacked.fit", None)  # not callable
        again = learnt()
    images, _ = bars(100, 2)
    assert again.accuracy == first.accuracy
    assert (again(images) == first(images)).all()
    file.write_bytes(kept[:-100])
    assert learnt().accuracy == first.accuracy
    assert file.read_bytes() == kept


def test_other_data_have_another_classifier(learnt, tmp_path):
    learnt()
    learnt(fingerprint="other")
    assert len(list(tmp_path.iterdir())) == 2


def test_training_leaves_the_random_state_alone(learnt):
    before = torch.get_rng_state()
    learnt()
    assert torch.equal(torch.get_rng_state(), before)


@fashion
@pytest.mark.slow
def test_real_triples_have_nearly_all_modes():
    images = open_images("stacked-fashion", size=32)

    def draw(count, seed):
        rows = np.random.default_rng(seed).integers(0, len(images.train), count)
        return images.train[rows]

    found = of_stacks(images, "cpu")(Model(draw, None, None))
    assert found["classifier-accuracy"] > 0.87
    assert found["modes-covered"] == 1000
    assert found["reverse-kl"] < 0.04
