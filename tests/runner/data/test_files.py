import io
import os
import shutil
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.data import DataError, files, members, open_images
from runner.data.layout import lay_out
from tests.runner.data.conftest import picture, save


def zipped(folder, path):
    """Everything below a folder in a zip, under its relative path."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def as_rows(images):
    return sorted(image.tobytes() for image in images)


# Folders -------------------------------------------------------------------------------------


def test_a_flat_folder_has_no_labels(pictures):
    images = open_images(str(pictures), size=12)
    assert (images.name, images.size, images.channels) == ("pictures", 12, 3)
    assert (images.labels, images.classes) == (None, ())
    expected = [picture(number).transpose(2, 0, 1) for number in range(140)]
    assert as_rows([*images.train, *images.held_out]) == as_rows(expected)


def test_a_folder_a_class(tmp_path):
    for number in range(150):
        save(
            tmp_path / "set" / ("cats", "dogs", "owls")[number % 3] / f"{number}.png",
            picture(number),
        )
    images = open_images(str(tmp_path / "set"), size=12)
    assert images.classes == ("cats", "dogs", "owls")
    number = {picture(n).transpose(2, 0, 1).tobytes(): n for n in range(150)}
    assert [number[image.tobytes()] % 3 for image in images.train] == images.labels.tolist()


@pytest.mark.parametrize("packed", [True, False])
def test_train_and_test_folders_are_the_split(tmp_path, packed):
    for number in range(160):
        side = "train" if number < 130 else "test"
        save(tmp_path / "set" / side / f"class{number % 2}" / f"{number}.png", picture(number))
    where = zipped(tmp_path / "set", tmp_path / "set.zip") if packed else tmp_path / "set"
    images = open_images(where, size=12)
    pixels = [picture(number).transpose(2, 0, 1) for number in range(160)]
    assert as_rows(images.train) == as_rows(pixels[:130])
    assert as_rows(images.held_out) == as_rows(pixels[130:])
    assert images.held_out_is == "the test folder"
    assert images.classes == ("class0", "class1")
    assert images.labels.sum() == 65
    number = {image.tobytes(): row % 2 for row, image in enumerate(pixels)}
    assert images.held_labels.tolist() == [number[image.tobytes()] for image in images.held_out]


def test_images_beside_train_and_test_are_listed(tmp_path):
    for number in range(160):
        save(tmp_path / ("train" if number < 130 else "val") / f"{number}.png", picture(number))
    save(tmp_path / "preview.png", picture(999))
    images = open_images(tmp_path, size=12)
    assert len(images.train) + len(images.held_out) == 160
    assert [file for file, _ in images.skipped] == ["preview.png"]


@pytest.mark.parametrize(
    ("names", "classes", "labels", "held_out"),
    [
        (["a.png", "b.png"], (), None, None),
        (["set/a.png", "set/b.png"], (), None, None),
        (["x/y/cat/a.png", "x/y/dog/b.png"], ("cat", "dog"), [0, 1], None),
        (["10/a.png", "9/b.png"], ("9", "10"), [1, 0], None),
        (["cat/a.png", "b.png"], (), None, None),
        (["cat/1/a.png", "dog/b.png"], ("cat", "dog"), [0, 1], None),
        (["train/a.png", "train/b.png"], (), None, None),
        (["train/a.png", "test/b.png"], (), None, [False, True]),
        (["s/Train/cat/a.png", "s/Train/dog/b.png", "s/Val/c.png"], ("cat", "dog"), [0, 1, -1], [False, False, True]),
        (["train/cat/a.png", "train/dog/b.png", "val/dog/c.png", "val/elk/d.png"], ("cat", "dog"), [0, 1, 1, -1],
         [False, False, True, True]),
        (["train/all/a.png", "train/all/b.png", "val/all/c.png"], (), None, [False, False, True]),
    ],
)  # fmt: skip
def test_folders_mean_a_split_classes_or_nothing(names, classes, labels, held_out):
    layout = lay_out(names)
    assert layout.classes == classes
    assert (None if layout.labels is None else layout.labels.tolist()) == labels
    assert (None if layout.held_out is None else layout.held_out.tolist()) == held_out


def test_hidden_files_and_what_macos_leaves_are_not_images(pictures):
    for name in (".hidden.png", "__MACOSX/001.png", ".git/002.png"):
        save(pictures / name, picture(0))
    images = open_images(pictures, size=12)
    assert len(images.train) + len(images.held_out) == 140
    assert images.skipped == ()


def test_links_in_a_circle_end(pictures):
    (pictures / "again").symlink_to(pictures)
    images = open_images(pictures, size=12)
    assert len(images.train) + len(images.held_out) == 140


def test_links_to_images_are_followed(pictures, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "cats").symlink_to(pictures)
    assert len(open_images(tmp_path / "links", size=12).train) == 126


@pytest.mark.parametrize(
    "suffix", ["jpg", "JPEG", "bmp", "gif", "webp", "tif", "tiff", "ppm", "png"]
)
def test_every_common_format_is_read(tmp_path, suffix):
    for number in range(130):
        save(tmp_path / f"{number}.{suffix}", picture(number))
    images = open_images(tmp_path)
    assert len(images.train) + len(images.held_out) == 130


# Grey or colour ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("stored", [1, 3])
def test_grey_is_recognised_however_it_is_stored(tmp_path, stored, kind):
    for number in range(130):
        grey = picture(number, channels=1)
        save(tmp_path / f"{number}.{kind}", np.repeat(grey, stored, axis=2))
    assert open_images(tmp_path).channels == 1
    assert open_images(tmp_path, channels=3).channels == 3


def test_one_coloured_image_makes_a_set_coloured(tmp_path):
    for number in range(130):
        save(tmp_path / f"{number}.png", picture(number, channels=3 if number == 77 else 1))
    assert open_images(tmp_path).channels == 3
    assert open_images(tmp_path, channels=1).channels == 1


# Files that cannot be used -------------------------------------------------------------------


def test_broken_files_are_listed_with_a_reason_and_skipped(pictures):
    (pictures / "text.png").write_text("no image")
    (pictures / "empty.jpg").touch()
    save(pictures / "one-pixel.png", picture(0, 1))
    save(pictures / "torn.jpg", picture(0, 64))
    torn = (pictures / "torn.jpg").read_bytes()
    (pictures / "torn.jpg").write_bytes(torn[: len(torn) // 2])
    (pictures / "nowhere.png").symlink_to("gone.png")
    images = open_images(pictures, size=12)
    why = dict(images.skipped)
    assert set(why) == {"text.png", "empty.jpg", "one-pixel.png", "torn.jpg", "nowhere.png"}
    assert "1 × 1 pixels" in why["one-pixel.png"]
    assert "truncated" in why["torn.jpg"]
    assert why["text.png"] == "not an image that can be read"
    assert why["nowhere.png"] == "No such file or directory"
    assert len(images.train) + len(images.held_out) == 140
    assert open_images(pictures, size=12).skipped == images.skipped  # from the cache as well


def test_a_pipe_among_the_images_is_not_waited_for(pictures):
    os.mkfifo(pictures / "pipe.png")
    assert open_images(pictures, size=12).skipped == (("pipe.png", "not a regular file"),)


def test_names_that_are_no_text_are_listed_as_well_as_can_be(pictures):
    (pictures / os.fsdecode(b"\xff.png")).write_text("no image")
    assert [file for file, _ in open_images(pictures, size=12).skipped] == ["\ufffd.png"]


def test_mostly_broken_files_are_an_error(pictures):
    for number in range(141):
        (pictures / f"broken{number:03}.png").write_text("no image")
    with pytest.raises(DataError, match=r"141 of 281 images cannot be used.*broken000\.png"):
        open_images(pictures, size=12)


def test_one_pixel_images_are_an_error(tmp_path):
    for number in range(200):
        save(tmp_path / f"{number:03}.png", picture(number, 1))
    with pytest.raises(DataError, match=r"200 of 200 .*000\.png \(1 × 1 pixels"):
        open_images(tmp_path)


def test_decompression_bombs_are_skipped(pictures, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    save(pictures / "bomb.png", picture(0, 40))
    ((file, why),) = open_images(pictures, size=12).skipped
    assert file == "bomb.png"
    assert "decompression bomb" in why


def test_large_files_are_skipped(pictures, monkeypatch):
    monkeypatch.setattr(members, "LARGEST", 2000)
    save(pictures / "large.png", picture(0, 64))
    ((file, why),) = open_images(pictures, size=12).skipped
    assert file == "large.png"
    assert "MiB" in why


@given(st.data())
def test_no_damage_to_a_file_does_more_than_skip_it(data):
    file = io.BytesIO()
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"]))
    Image.fromarray(picture(0)).save(file, kind)
    content = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    member = members.Member("some", len(content), 0, lambda: bytes(content))
    with files.quiet():
        batch = files.decode_batch([member], 16, 3)
    assert len(batch.kept) + len(batch.skipped) == 1
    assert len(batch.images) == len(batch.kept)


def test_threads_change_nothing(pictures, cache, monkeypatch):
    (pictures / "070.png").write_text("no image")
    alone = open_images(pictures, size=12)
    shutil.rmtree(cache / "images")
    monkeypatch.setattr(files, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(files, "cores", lambda: 3)
    monkeypatch.setattr(files, "BATCH", 7)
    threaded = open_images(pictures, size=12)
    assert threaded.fingerprint == alone.fingerprint
    assert threaded.skipped == alone.skipped


# Zips ----------------------------------------------------------------------------------------


def test_a_zip_equals_its_folder(pictures, tmp_path):
    archive = zipped(pictures, tmp_path / "pictures.zip")
    assert open_images(archive, size=12).fingerprint == open_images(pictures, size=12).fingerprint


@pytest.mark.parametrize(
    "name", ["../out.png", "/out.png", "a/../../out.png", "..\\out.png", "C:/out.png"]
)
def test_entries_that_lead_out_of_a_zip_are_refused(pictures, tmp_path, name):
    archive = zipped(pictures, tmp_path / "pictures.zip")
    with zipfile.ZipFile(archive, "a") as hostile:
        hostile.write(pictures / "000.png", "decoy")
        hostile.getinfo("decoy").filename = name  # write() would tidy it up
        hostile.getinfo("decoy").orig_filename = name
        hostile._didModify = True
    before = sorted(tmp_path.rglob("*"))
    images = open_images(archive, size=12)
    ((file, why),) = images.skipped
    assert file == name
    assert "leads out" in why
    assert len(images.train) + len(images.held_out) == 140
    assert sorted(tmp_path.rglob("*")) == before


def test_an_entry_that_unpacks_to_too_much_is_skipped(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(members, "LARGEST", 10_000)
    archive = zipped(pictures, tmp_path / "pictures.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("bomb.png", bytes(20_000))
    ((file, _),) = open_images(archive, size=12).skipped
    assert file == "bomb.png"


def test_a_damaged_entry_is_skipped(pictures, tmp_path):
    archive = zipped(pictures, tmp_path / "pictures.zip")
    data = bytearray(archive.read_bytes())
    data[data.find(b"IDAT") + 8] ^= 0xFF  # in the pixels of 000.png
    archive.write_bytes(data)
    ((file, why),) = open_images(archive, size=12).skipped
    assert file == "000.png"
    assert "CRC" in why


def test_a_torn_zip_is_named(pictures, tmp_path):
    archive = zipped(pictures, tmp_path / "pictures.zip")
    archive.write_bytes(archive.read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"pictures\.zip cannot be read as a zip"):
        open_images(archive)


def test_images_with_alpha_are_carried_to_the_generator_and_back(tmp_path):
    for number in range(130):
        save(tmp_path / f"{number}.png", picture(number, channels=4))
    images = open_images(tmp_path, channels=4)
    assert (images.channels, images.kind) == (4, "colour with alpha")
    assert images.train[:, 3].min() == 0  # noise in the alpha, too
    assert open_images(tmp_path, channels=2).kind == "grey with alpha"
    assert open_images(tmp_path).kind == "colour"  # on white, unless it is asked for
