import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from runner.data import Batches

torch.set_num_threads(1)


def numbered(count):
    """Images whose pixels say which one it is."""
    return np.repeat(np.arange(count, dtype=np.uint8), 3 * 4 * 4).reshape(count, 3, 4, 4)


def batches(count=100, batch_size=8, seed=0, **options):
    return Batches(numbered(count), batch_size=batch_size, seed=seed, device="cpu", **options)


def numbers(batch):
    return ((batch["real"][:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 3))
def test_every_image_comes_once_an_epoch(count, batch_size, epoch):
    source = batches(count, batch_size)
    stream = []
    while len(stream) < (epoch + 1) * count:
        batch = numbers(next(source))
        assert len(batch) == batch_size
        stream += batch
    assert sorted(stream[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_differ_in_their_order():
    source = batches(100, 100)
    assert numbers(next(source)) != numbers(next(source))


def test_the_seed_decides_the_order():
    first, again, other = (numbers(next(batches(seed=seed))) for seed in (1, 1, 2))
    assert first == again != other


@given(st.integers(0, 40), st.integers(1, 70))
def test_a_resumed_stream_goes_on_exactly(served, batch_size):
    uninterrupted = batches(50, batch_size, seed=7, labels=np.arange(50))
    for _ in range(served):
        next(uninterrupted)
    file = io.BytesIO()
    torch.save(uninterrupted.state_dict(), file)
    file.seek(0)

    resumed = batches(50, batch_size, seed=99, labels=np.arange(50))
    next(resumed)
    resumed.load_state_dict(torch.load(file, weights_only=True))

    for _ in range(3):
        expected, found = next(uninterrupted), next(resumed)
        assert torch.equal(expected["real"], found["real"])
        assert torch.equal(expected["labels"], found["labels"])


def test_the_state_of_other_images_is_refused():
    with pytest.raises(ValueError, match="these are 100 images, not 99"):
        batches(100).load_state_dict(batches(99).state_dict())


def test_pixels_fill_minus_one_to_one_and_return_exactly():
    levels = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    real = next(Batches(levels, batch_size=256, seed=0, device="cpu"))["real"]
    assert (real.min(), real.max(), real.dtype) == (-1, 1, torch.float32)
    back = (real * 127.5 + 127.5).round().to(torch.uint8)
    assert sorted(back.flatten().tolist()) == list(range(256))


def test_labels_belong_to_their_images():
    source = batches(100, labels=np.arange(100)[::-1].copy())
    for _ in range(20):
        batch = next(source)
        assert batch["labels"].dtype == torch.int64
        assert [99 - number for number in numbers(batch)] == batch["labels"].tolist()


def test_without_labels_there_are_none():
    assert set(next(batches())) == {"real"}


@pytest.mark.parametrize("channels_last", [True, False])
def test_the_layout_in_memory_is_the_one_asked_for(channels_last):
    real = next(batches(channels_last=channels_last))["real"]
    assert real.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert torch.equal(real, next(batches())["real"])


def test_a_batch_may_be_changed_without_harm_to_the_images():
    source = batches(8, 8)
    next(source)["real"].zero_()
    assert sorted(numbers(next(source))) == list(range(8))


def test_images_may_lie_in_a_read_only_memory_map(tmp_path):
    np.save(tmp_path / "images.npy", numbered(20))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    source = Batches(mapped, batch_size=20, seed=0, device="cpu")
    assert sorted(numbers(next(source))) == list(range(20))


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (4, 0)])
def test_empty_batches_are_refused(count, batch_size):
    with pytest.raises(ValueError, match="batches of"):
        batches(count, batch_size)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_same_batches():
    images = numbered(100)
    there = Batches(images, batch_size=8, seed=0, device="cuda", labels=np.arange(100))
    here = Batches(images, batch_size=8, seed=0, device="cpu", labels=np.arange(100))
    for _ in range(5):
        on_gpu, on_cpu = next(there), next(here)
        assert torch.allclose(on_gpu["real"].cpu(), on_cpu["real"])
        assert torch.equal(on_gpu["labels"].cpu(), on_cpu["labels"])
