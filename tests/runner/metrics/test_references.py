import dataclasses

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from runner.metrics import Moments, frechet_distance, reference


@dataclasses.dataclass
class Pixels:
    """The cheapest features: the pixels. It counts how often it is asked."""

    name: str = "pixels"
    dimension: int = 48
    resize: str = "none"
    engine: str = "none"
    digest: str = "0"
    calls: int = 0

    def __call__(self, images):
        self.calls += 1
        return np.asarray(images).reshape(len(images), -1).astype(np.float32)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (200, 3, 4, 4), dtype=np.uint8)


def test_the_distance_is_that_of_the_moments(images):
    held_out = reference(images[:100], Pixels(), n=100)
    features = Pixels()(images[100:])
    expected = frechet_distance(Moments.of(Pixels()(images[:100])), Moments.of(features))
    assert held_out.distance(features) == pytest.approx(expected, rel=1e-9)
    assert held_out.count == 100


@pytest.mark.parametrize("n", [20, 150])
def test_a_stored_reference_is_the_fresh_one_to_the_bit(images, tmp_path, n):
    pixels = Pixels()
    fresh = reference(images, pixels, n=n, cache=tmp_path / "new" / "cache")
    stored = reference(images, pixels, n=n, cache=tmp_path / "new" / "cache")
    assert pixels.calls == 1
    assert stored.key == fresh.key == reference(images, Pixels(), n=n).key
    assert (stored.features == fresh.features).all()
    features = Pixels()(images[:50])
    assert stored.distance(features) == fresh.distance(features)
    assert [file.suffix for file in (tmp_path / "new" / "cache").iterdir()] == [".safetensors"]


def test_what_the_distance_depends_on_has_its_own_key(images):
    one_pixel_on = images.copy()
    one_pixel_on[7, 0, 0, 0] ^= 1
    turned = images.transpose(0, 1, 3, 2)
    keys = {
        reference(images, Pixels(), n=200).key,
        reference(images, Pixels(), n=199).key,
        reference(images[:150], Pixels(), n=150).key,
        reference(images[:199], Pixels(), n=199).key,
        reference(one_pixel_on, Pixels(), n=200).key,
        reference(turned, Pixels(), n=200).key,
        reference(images[::-1], Pixels(), n=200).key,
        reference(images.reshape(200, 3, 2, 8), Pixels(), n=200).key,
        reference(images, Pixels(digest="1"), n=200).key,
    }
    assert len(keys) == 9


def test_tensors_and_views_have_the_key_of_their_pixels(images):
    key = reference(images, Pixels(), n=100).key
    assert reference(torch.from_numpy(images), Pixels(), n=100).key == key
    assert reference(np.asfortranarray(images), Pixels(), n=100).key == key


def test_fewer_images_are_drawn_from_all_classes():
    sorted_by_class = np.repeat(np.arange(10, dtype=np.uint8), 100)[:, None, None, None]
    held_out = reference(sorted_by_class, Pixels(dimension=1), n=200)
    assert set(held_out.features.ravel()) == set(range(10))


@pytest.mark.parametrize("damage", ["torn", "empty", "text", "foreign", "another"])
def test_a_damaged_file_is_made_again(images, tmp_path, damage):
    pixels = Pixels()
    fresh = reference(images, pixels, n=100, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    match damage:
        case "torn":
            file.write_bytes(whole[: len(whole) // 2])
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("no reference")
        case "foreign":
            save_file({"features": np.zeros((2, 2), np.float32)}, file)
        case "another":
            reference(images, pixels, n=99, cache=tmp_path)
            (other,) = set(tmp_path.iterdir()) - {file}
            file.write_bytes(other.read_bytes())
    calls = pixels.calls
    again = reference(images, pixels, n=100, cache=tmp_path)
    assert pixels.calls == calls + 1
    assert (again.features == fresh.features).all()
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_costs_a_warning(images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="was not kept"):
        held_out = reference(images, Pixels(), n=100, cache=tmp_path / "file")
    assert held_out.count == 100


def test_a_failing_write_leaves_nothing_behind(images, tmp_path, monkeypatch):
    def fail(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr("runner.metrics.references.save_file", fail)
    with pytest.warns(UserWarning, match="No space left"):
        reference(images, Pixels(), n=100, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
