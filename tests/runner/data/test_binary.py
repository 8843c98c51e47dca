import gzip
import io
import struct
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from runner.data import DataError, open_images
from runner.data.binary import read_idx


def idx(values):
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def random_images(count, seed=0, size=28):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A tiny Fashion-MNIST."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    train, test = random_images(150), random_images(30, 1)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(train)))
    labels = (np.arange(150) % 10).astype(np.uint8)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(test)))
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[:30])))
    return folder


def as_rows(images):
    return sorted(image.tobytes() for image in images)


def test_an_idx_folder_keeps_its_split_pixels_and_labels(folder):
    images = open_images(str(folder))
    assert images.train.shape == (150, 1, 32, 32)
    assert as_rows(images.train[..., 2:-2, 2:-2]) == as_rows(random_images(150))
    assert as_rows(images.held_out[..., 2:-2, 2:-2]) == as_rows(random_images(30, 1))
    assert images.classes == tuple("0123456789")
    assert images.held_out_is == "the test split"
    assert images.preparation == "28 px padded with zeros to 32"
    position = {image.tobytes(): row for row, image in enumerate(random_images(150))}
    rows = [position[image[:, 2:-2, 2:-2].tobytes()] for image in images.train]
    assert [row % 10 for row in rows] == images.labels.tolist()
    position = {image.tobytes(): row for row, image in enumerate(random_images(30, 1))}
    rows = [position[image[:, 2:-2, 2:-2].tobytes()] for image in images.held_out]
    assert [row % 10 for row in rows] == images.held_labels.tolist()


def test_a_test_split_without_labels_has_none(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    images = open_images(str(folder))
    assert images.labels is not None
    assert images.held_labels is None


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images.idx3-ubyte"])
def test_unpacked_and_kaggles_names_are_known_and_a_split_is_drawn(tmp_path, name):
    (tmp_path / name).write_bytes(idx(random_images(200)))
    images = open_images(str(tmp_path))
    assert (len(images.train), len(images.held_out)) == (180, 20)
    assert images.labels is None
    assert images.classes == ()


def test_named_sets_are_found_in_the_folder_of_data_sets(folder, monkeypatch):
    folder.rename(folder.parent / "fashion-mnist")
    monkeypatch.setenv("GAN_ADVISOR_DATA", str(folder.parent))
    images = open_images("fashion-mnist")
    assert (images.name, len(images.train)) == ("fashion-mnist", 150)
    assert images.classes[9] == "ankle boot"
    assert open_images(folder.parent / "fashion-mnist").classes[9] == "9"  # only the name knows


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, min_side=0)))
def test_what_was_written_as_idx_is_read_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("idx") / "some-idx3-ubyte"
    path.write_bytes(idx(values))
    assert np.array_equal(read_idx(path, 3), values)


@given(st.data())
def test_a_torn_idx_file_is_named(tmp_path_factory, data):
    whole = idx(random_images(3, size=4))
    path = tmp_path_factory.mktemp("idx") / "some-idx3-ubyte"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DataError, match="some-idx3-ubyte"):
        read_idx(path, 3)


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: b"no gzip" + data])
def test_a_torn_archive_is_named(folder, damage):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz cannot be read"):
        open_images(str(folder))


def test_labels_that_do_not_fit_the_images_are_refused(folder):
    labels = np.zeros(7, np.uint8)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(DataError, match="7 labels for the 150 images"):
        open_images(str(folder))


# CIFAR-10 ------------------------------------------------------------------------------------


def cifar_batches():
    """Six small batches of CIFAR-10: a label and three planes an image."""
    random = np.random.default_rng(0)
    records = random.integers(0, 256, (6, 30, 3073), np.uint8)
    records[..., 0] %= 10
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    return dict(zip(names, records, strict=True))


@pytest.mark.parametrize("packed", [True, False])
def test_cifar_is_read_from_its_binary_files(tmp_path, packed):
    if packed:
        with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as tar:
            for name, records in cifar_batches().items():
                entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                entry.size = records.nbytes
                tar.addfile(entry, io.BytesIO(records.tobytes()))
    else:
        for name, records in cifar_batches().items():
            (tmp_path / name).write_bytes(records.tobytes())

    images = open_images(str(tmp_path))

    *train, test = cifar_batches().values()
    train = np.concatenate(train)
    assert as_rows(images.train) == as_rows(train[:, 1:])
    assert as_rows(images.held_out) == as_rows(test[:, 1:])
    label = {record[1:].tobytes(): record[0] for record in [*train, *test]}
    assert images.labels.tolist() == [label[image.tobytes()] for image in images.train]
    assert images.held_labels.tolist() == [label[image.tobytes()] for image in images.held_out]
    assert images.classes[0] == "airplane"


def test_a_torn_cifar_batch_is_named(tmp_path):
    for name, records in cifar_batches().items():
        (tmp_path / name).write_bytes(records.tobytes()[:-1])
    with pytest.raises(DataError, match=r"data_batch_1\.bin is torn"):
        open_images(str(tmp_path))


def test_a_torn_cifar_archive_is_named(tmp_path):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(b"no tar" * 1000)[:-20])
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz cannot be read"):
        open_images(str(tmp_path))
