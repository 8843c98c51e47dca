import errno
import json
import os
import socket

import numpy as np
import pytest

from runner.data import DataError, open_images
from runner.data import cache as caching
from runner.data.find import SYSTEM
from runner.data.images import fingerprint
from runner.data.whole import whole_folder
from tests.runner.data.conftest import picture, save

# What a person can get wrong -----------------------------------------------------------------


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} is empty"):
        open_images(tmp_path)


def test_a_folder_of_text_files_is_told_what_images_are(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"holds no images.*notes\.txt.*jpg.*png"):
        open_images(tmp_path)


@pytest.mark.parametrize(
    ("where", "guess"),
    [("fashion-mnits", "fashion-mnist"), ("Cifar_10", "cifar10"), ("shape", "shapes"), ("mnis", "mnist")],
)  # fmt: skip
def test_a_misspelt_name_gets_the_nearest_one_and_all_of_them(where, guess):
    with pytest.raises(DataError, match=f"{where}.*mean {guess}\\?.*cifar10, fashion-mnist, mnist"):
        open_images(where)


def test_a_misspelt_path_gets_its_sibling(pictures):
    with pytest.raises(DataError, match=f"did you mean {pictures}"):
        open_images(str(pictures)[:-1])


def test_nothing_near_is_not_guessed():
    with pytest.raises(DataError, match=r"'qqqqq'\. Give a folder"):
        open_images("qqqqq")


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    (tmp_path / "images.tar").touch()
    with pytest.raises(DataError, match=r"images\.tar is neither a folder nor a \.zip"):
        open_images(tmp_path / "images.tar")


def test_too_few_images_are_counted(tmp_path):
    for number in range(127):
        save(tmp_path / f"{number}.png", picture(number))
    with pytest.raises(DataError, match="127 usable images"):
        open_images(tmp_path)
    save(tmp_path / "127.png", picture(127))
    assert len(open_images(tmp_path).train) == 116


@pytest.mark.parametrize("wrong", [{"size": 4}, {"size": 5000}, {"channels": 5}])
def test_sizes_and_channels_have_limits(pictures, wrong):
    with pytest.raises(DataError, match="choose"):
        open_images(pictures, **wrong)


def test_a_folder_that_may_not_be_read_is_named(pictures, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "stat", forbidden)
    with pytest.raises(DataError, match="pictures cannot be read: Permission denied"):
        open_images(pictures)


def test_a_cache_that_is_a_file_is_named(pictures, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"cannot keep the decoded images in .*file.*another folder"
    ):
        open_images(pictures, cache=tmp_path / "file")


def test_a_set_that_cannot_be_had_says_how_to_get_it(monkeypatch, cache):
    def no_network(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(DataError, match=r"mnist is not on this machine.*no network.*'shapes'"):
        open_images("mnist")
    assert list((cache / "downloads").iterdir()) == []


# The cache -----------------------------------------------------------------------------------


def the_folder(cache):
    (folder,) = (cache / "images").iterdir()
    return folder


def same(one, other):
    return (
        np.array_equal(one.train, other.train)
        and np.array_equal(one.held_out, other.held_out)
        and np.array_equal(one.held_labels, other.held_labels)
        and (one.fingerprint, one.held_out_is, one.preparation, one.skipped, one.classes)
        == (other.fingerprint, other.held_out_is, other.preparation, other.skipped, other.classes)
    )


def test_a_hit_equals_a_fresh_decode_and_decodes_nothing(pictures):
    decoded = []
    fresh = open_images(pictures, progress=lambda done, total: decoded.append((done, total)))
    assert decoded[-1] == (140, 140)
    decoded.clear()
    hit = open_images(pictures, progress=lambda done, total: decoded.append((done, total)))
    assert decoded == []
    assert same(fresh, hit)
    assert hit.fingerprint == fingerprint(hit.train, hit.held_out, hit.labels)


def test_other_sizes_channels_and_files_are_decoded_anew(pictures):
    found = [
        open_images(pictures),
        open_images(pictures, size=16),
        open_images(pictures, channels=1),
    ]
    save(pictures / "000.png", picture(999))
    found.append(open_images(pictures))
    assert len({images.fingerprint for images in found}) == 4


@pytest.mark.parametrize("file", ["train.npy", "held_out.npy", "meta.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data[:-40] + bytes(40),
        lambda data: b"[]",
    ],
    ids=["torn", "empty", "zeroed", "foreign"],
)
def test_a_damaged_cache_is_built_again(pictures, cache, file, damage):
    fresh = open_images(pictures)
    path = the_folder(cache) / file
    path.write_bytes(damage(path.read_bytes()))
    assert same(fresh, open_images(pictures))
    assert same(fresh, open_images(pictures))


def test_a_lost_file_is_built_again(pictures, cache):
    fresh = open_images(pictures)
    (the_folder(cache) / "train.npy").unlink()
    assert same(fresh, open_images(pictures))


def test_the_cache_is_never_unpickled(pictures, cache):
    fresh = open_images(pictures)
    path = the_folder(cache) / "train.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    meta = json.loads((the_folder(cache) / "meta.json").read_text())
    meta["files"]["train.npy"]["bytes"] = path.stat().st_size
    (the_folder(cache) / "meta.json").write_text(json.dumps(meta))
    assert same(fresh, open_images(pictures))


def test_large_sets_are_mapped_read_only(pictures, monkeypatch):
    loaded = open_images(pictures)
    monkeypatch.setattr(caching, "IN_MEMORY", 0)
    mapped = open_images(pictures)
    assert isinstance(mapped.train, np.memmap)
    assert not mapped.train.flags.writeable
    assert not isinstance(loaded.train, np.memmap)
    assert same(loaded, mapped)


def test_two_processes_may_build_the_same_folder(tmp_path):
    target = tmp_path / "target"
    with whole_folder(target) as slow:
        (slow / "file").write_text("slow")
        with whole_folder(target) as fast:
            (fast / "file").write_text("fast")
        assert (target / "file").read_text() == "fast"
    assert (target / "file").read_text() == "slow"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupted_decode_leaves_nothing(pictures, cache):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_images(pictures, progress=interrupt)
    assert list((cache / "images").iterdir()) == []


def test_a_full_disk_is_one_clear_sentence_and_leaves_nothing(pictures, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=f"{cache}: No space left on device.*GAN_ADVISOR_CACHE"):
        open_images(pictures)
    assert list((cache / "images").iterdir()) == []


def test_a_killed_process_leaves_nothing_for_good(pictures, cache):
    abandoned = cache / "images" / ".unfinished-abc"
    abandoned.mkdir(parents=True)
    os.utime(abandoned, (0, 0))
    recent = cache / "images" / ".unfinished-def"
    recent.mkdir()
    open_images(pictures)
    assert not abandoned.exists()
    assert recent.exists()


def test_the_cache_can_be_named(pictures, tmp_path, cache):
    open_images(pictures, cache=tmp_path / "mine")
    assert (tmp_path / "mine" / "images").is_dir()
    assert not (cache / "images").exists()


# The real thing ------------------------------------------------------------------------------


@pytest.mark.skipif(not (SYSTEM / "fashion-mnist").is_dir(), reason="dataset-fashion-mnist missing")
def test_debians_fashion_mnist():
    images = open_images("fashion-mnist")
    assert images.train.shape == (60_000, 1, 32, 32)
    assert images.held_out.shape == (10_000, 1, 32, 32)
    assert np.bincount(images.labels).tolist() == [6000] * 10
    assert np.bincount(images.held_labels).tolist() == [1000] * 10
    # The mean that everybody normalises with (0.2860 of 28 px), now of 32.
    assert images.train.mean() / 255 * (32 / 28) ** 2 == pytest.approx(0.2860, abs=1e-4)


def test_a_folder_that_another_process_replaces_while_it_is_read_is_read_again(
    pictures, tmp_path, monkeypatch
):
    reads = []

    def interrupted(folder, name):
        reads.append(folder)
        # First it is not there yet, then it is moved away for an equal one.
        return None if len(reads) <= 2 else caching.load(folder, name)

    monkeypatch.setattr("runner.data.open.load", interrupted)
    assert len(open_images(pictures, cache=tmp_path).train)
    assert len(reads) == 3
