"""What is measured need not be asked."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from advisor.image_header import Unreadable, read_header
from advisor.measure import Unmeasurable, measure, report
from advisor.profile import checked
from knowledge.reading import read


def picture(seed, width=40, height=32, channels=3):
    """Eight noisy squares a side, so that thumbnails keep what tells them apart."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (8, 8, channels), np.uint8)
    pixels = blocks[np.arange(height) * 8 // height][:, np.arange(width) * 8 // width]
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """Ten cats, four dogs."""
    for number in range(14):
        folder = "cat" if number < 10 else "dog"
        save(picture(number), tmp_path / "photos" / folder / f"{number:02}.png")
    return tmp_path / "photos"


def test_images_are_counted_sized_and_sorted_into_classes(photos):
    found = measure(photos)
    assert found.images == found.distinct == 14
    assert found.shorter == (32, 32, 32)
    assert found.classes == {"cat": 10, "dog": 4}
    assert found.answers == {
        "modality": "images", "images": 14, "resolution": 32, "channels": "colour", "labels": "all"
    }  # fmt: skip


def test_what_is_measured_is_a_valid_profile(photos, library):
    assert checked(measure(photos).answers, library)


def test_a_flat_folder_leaves_labels_open(tmp_path):
    for number in range(3):
        save(picture(number), tmp_path / f"{number}.png")
    assert measure(tmp_path).classes == {}
    assert "labels" not in measure(tmp_path).answers


def test_the_middle_size_stands_for_all(tmp_path):
    for number, side in enumerate((16, 64, 64, 64, 200)):
        save(picture(number, side, side + 9), tmp_path / f"{number}.jpg")
    assert measure(tmp_path).shorter == (16, 64, 200)
    assert measure(tmp_path).answers["resolution"] == 64


def test_a_test_folder_is_not_trained_on(photos):
    (photos / "train").mkdir()
    for name in ("cat", "dog"):
        (photos / name).rename(photos / "train" / name)
    save(picture(99), photos / "test" / "cat" / "x.png")
    assert measure(photos).images == 14
    assert measure(photos).classes == {"cat": 10, "dog": 4}


def test_equal_files_are_counted_once(photos):
    again = photos / "dog" / "again.png"
    again.write_bytes((photos / "cat" / "00.png").read_bytes())
    found = measure(photos)
    assert found.copies == ("dog/again.png",)
    assert found.answers["images"] == 14


def test_nearly_equal_images_are_told(photos):
    save(picture(3), photos / "dog" / "again.jpg", quality=80)
    found = measure(photos)
    assert found.copies == ()
    assert (found.alike, found.looked_at) == (1, 15)
    assert measure(photos / "cat").alike == 0


def test_grey_is_seen_in_the_header_and_behind_colour(tmp_path):
    for number in range(3):
        save(picture(number, channels=1), tmp_path / "grey" / f"{number}.png")
        save(picture(number, channels=1).convert("RGB"), tmp_path / "hidden" / f"{number}.jpg")
    assert measure(tmp_path / "grey").grey
    assert measure(tmp_path / "hidden").grey


def test_what_cannot_be_read_is_told_and_not_counted(photos):
    whole = (photos / "cat" / "00.png").read_bytes()
    (photos / "cat" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "cat" / "empty.png").touch()
    (photos / "cat" / "words.jpg").write_text("not an image")
    found = measure(photos)
    assert found.images == 14
    assert dict(found.unreadable) == {
        "cat/cut.png": "cut off", "cat/empty.png": "empty", "cat/words.jpg": "not an image"
    }  # fmt: skip


def test_a_zip_is_measured_like_a_folder(photos, tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in photos.rglob("*.png"):
            archive.write(file, f"photos/{file.relative_to(photos)}")
    assert measure(path)._replace(where="") == measure(photos)._replace(where="")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no images"),
        ({"a.csv": "1,2", "b.csv": "3,4"}, "holds no images, but 2 .csv"),
        ({"a.png": "no"}, "none of the 1 images in"),
    ],
)
def test_a_folder_without_images_is_told_by_what_it_holds(files, says, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(Unmeasurable, match=says):
        measure(tmp_path)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(Unmeasurable, match="not there"):
        measure(tmp_path / "nowhere")


def test_the_report_names_files_and_counts(photos):
    (photos / "cat" / "empty.png").touch()
    said = list(report(measure(photos)))
    assert "14 images, colour, shorter side 32 px" in said[0]
    assert said[1] == "  classes: 2 folders of 4 to 10 images"
    assert said[2] == "  unreadable: 1 file: cat/empty.png (empty)"


# Headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "PPM", "GIF", "WEBP"])
def test_headers_agree_with_pillow(form, channels):
    file = io.BytesIO()
    picture(0, 37, 21, channels).save(file, form)
    size = file.tell()
    file.seek(0)
    header = read_header(file, size)
    assert header[:2] == (37, 21)
    if form in ("PNG", "JPEG", "TIFF", "PPM"):  # the others do not store grey as such
        assert header.grey == (channels == 1)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0" + b"x" * 9}])
def test_the_kinds_of_webp(options):
    file = io.BytesIO()
    picture(0, 37, 21).save(file, "WEBP", **options)
    size = file.tell()
    file.seek(0)
    assert read_header(file, size)[:2] == (37, 21)


def test_a_jpeg_with_long_notes_before_its_size():
    file = io.BytesIO()
    picture(0, 37, 21).save(file, "JPEG", exif=b"Exif\0\0" + b"x" * 60_000, progressive=True)
    size = file.tell()
    file.seek(0)
    assert read_header(file, size)[:2] == (37, 21)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_a_damaged_file_is_refused_or_read_but_never_breaks_anything(form):
    file = io.BytesIO()
    picture(0, 37, 21).save(file, form)
    whole = file.getvalue()
    random = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(whole[: random.integers(1, len(whole))])
        broken[random.integers(len(broken))] = random.integers(256)
        try:
            header = read_header(io.BytesIO(broken), len(broken))
        except Unreadable:
            continue
        assert header.width > 0 < header.height


# The command -------------------------------------------------------------------------------------

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "numpy", "PIL", "scipy"}:
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, Blocked())
from advisor.cli import main
main()
"""


def ask(photos, folder, code):
    command = [sys.executable, "-c", code, "ask", "--data", str(photos), "--json"]
    return subprocess.run(
        command, input="1\n\n", capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.mark.parametrize("code", [BLOCK, "from advisor.cli import main; main()"])
def test_only_the_rest_is_asked_with_or_without_pillow(photos, tmp_path, code):
    (tmp_path / "here").mkdir()
    done = ask(photos, tmp_path / "here", code)
    assert f"{photos}: 14 images" in done.stderr
    assert ("Pillow is not installed" in done.stderr) == (code == BLOCK)
    assert "How many training images" not in done.stderr
    assert "What are your data" not in done.stderr
    assert json.loads(done.stdout)["answers"]["resolution"] == 32
    text = (tmp_path / "here" / "profile.yaml").read_text()
    assert f"Measured in {photos}" in text
    assert read(tmp_path / "here" / "profile.yaml").data["images"] == 14
