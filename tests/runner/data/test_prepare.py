import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.data.prepare import Unusable, luma, prepare, prepare_array
from tests.runner.data.conftest import picture


def file_of(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_a_lossless_image_of_the_right_size_keeps_its_pixels(kind):
    pixels = picture(0, 16)
    file = file_of(Image.fromarray(pixels), kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert np.array_equal(prepare(file, 16, 3), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_lossy_formats_come_close(kind):
    pixels = np.asarray(Image.fromarray(picture(0, 4)).resize((64, 64), Image.Resampling.BICUBIC))
    prepared = prepare(file_of(Image.fromarray(pixels), kind), 64, 3)
    assert np.abs(prepared - pixels.transpose(2, 0, 1).astype(float)).mean() < 12


@given(
    st.integers(8, 60), st.integers(8, 60), st.sampled_from([8, 16, 32]), st.sampled_from([1, 3])
)
def test_any_size_becomes_the_size_that_was_asked_for(width, height, size, channels):
    file = file_of(Image.new("RGB", (width, height), (10, 200, 30)))
    prepared = prepare(file, size, channels)
    assert prepared.shape == (channels, size, size)
    assert prepared.dtype == np.uint8
    assert all(len(np.unique(plane)) == 1 for plane in prepared)  # a plain image stays plain


@pytest.mark.parametrize("upright", [True, False])
def test_the_central_square_is_kept(upright):
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, 16:32] = picture(0, 16)
    image = Image.fromarray(pixels)
    image = image if upright else image.transpose(Image.Transpose.TRANSPOSE)
    prepared = prepare(file_of(image), 16, 3)
    expected = picture(0, 16).transpose(2, 0, 1)
    assert np.array_equal(prepared, expected if upright else expected.swapaxes(1, 2))


def test_reducing_antialiases():
    board = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)  # one pixel a field
    assert np.abs(prepare(file_of(Image.fromarray(board)), 16, 1).astype(int) - 127).max() <= 2


def test_a_large_jpeg_decoded_in_part_is_as_good_as_in_full():
    smooth = Image.fromarray(picture(0, 8)).resize((1024, 1024), Image.Resampling.BICUBIC)
    file = file_of(smooth, "JPEG", quality=95)
    full = Image.open(io.BytesIO(file)).resize((32, 32), Image.Resampling.LANCZOS)
    error = prepare(file, 32, 3).transpose(1, 2, 0) - np.asarray(full, float)
    assert np.sqrt((error**2).mean()) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_stand_upright(orientation):
    pixels = picture(0, 16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = {  # how a camera stores an upright picture (EXIF 2.3, orientation)
        1: lambda upright: upright,
        2: np.fliplr,
        3: lambda upright: np.rot90(upright, 2),
        4: np.flipud,
        5: lambda upright: upright.swapaxes(0, 1),
        6: np.rot90,
        7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
        8: lambda upright: np.rot90(upright, -1),
    }[orientation](pixels)
    file = file_of(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(prepare(file, 16, 3), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode):
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    if mode == "P":
        image = Image.new("P", (16, 16), 0)
        image.putpalette([0, 0, 0, 255, 0, 0])
        file = file_of(image, transparency=0)
    else:
        file = file_of(image.convert(mode))
    assert (prepare(file, 16, 3) == 255).all()


def test_half_transparent_is_mixed_with_white():
    prepared = prepare(file_of(Image.new("RGBA", (16, 16), (255, 0, 0, 128))), 16, 3)
    assert prepared[:, 0, 0].tolist() == [255, 127, 127]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_eight(kind):
    deep = np.repeat(np.arange(0, 65536, 4096, dtype=np.uint16)[None], 16, 0)
    image = Image.fromarray(deep)
    image = image.convert("I") if kind == "PPM" else image
    prepared = prepare(file_of(image, kind), 16, 1)
    assert np.array_equal(prepared[0], np.round(deep / 257).astype(np.uint8))


def test_floats_from_zero_to_one_fill_the_range():
    ramp = np.repeat(np.linspace(0, 1, 16, dtype=np.float32)[None], 16, 0)
    prepared = prepare(file_of(Image.fromarray(ramp), "TIFF"), 16, 1)
    assert np.array_equal(prepared[0], np.round(ramp * 255).astype(np.uint8))


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr"])
def test_other_modes_are_read(mode):
    image = Image.new("RGB", (16, 16), "white").convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert (prepare(file_of(image, kind), 16, 3) >= 253).all()


def test_only_the_first_frame_of_an_animation_counts():
    frames = [Image.new("L", (16, 16), level) for level in (0, 128, 255)]
    file = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (prepare(file, 16, 1) == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_an_image_with_too_few_pixels_says_so(size):
    with pytest.raises(Unusable, match="smaller than 8"):
        prepare(file_of(Image.new("RGB", size)), 16, 3)


# Raw arrays ----------------------------------------------------------------------------------


def test_the_mnist_family_is_padded_not_stretched():
    images = np.full((2, 1, 28, 28), 255, np.uint8)
    prepared, how = prepare_array(images, 32, None)
    assert np.array_equal(prepared[:, :, 2:-2, 2:-2], images)
    assert prepared.sum() == images.sum()
    assert "padded" in how


def test_28_pixels_stay_where_they_are_asked_for():
    images = picture(0, 28).transpose(2, 0, 1)[:, None]
    prepared, how = prepare_array(images, 28, None)
    assert np.array_equal(prepared, images)
    assert how == "as they are"


@pytest.mark.parametrize("size", [16, 64])
def test_raw_images_are_resized_as_files_are(size):
    pixels = picture(0, 32)
    prepared, _ = prepare_array(pixels.transpose(2, 0, 1)[None], size, None)
    assert np.array_equal(prepared[0], prepare(file_of(Image.fromarray(pixels)), size, 3))


def test_grey_is_repeated_where_colour_is_asked_for():
    images = picture(0, 32, 1).transpose(2, 0, 1)[None]
    prepared, _ = prepare_array(images, 32, 3)
    assert np.array_equal(prepared, np.concatenate([images] * 3, 1))


def test_colour_becomes_grey_as_pillow_does_it():
    pixels = picture(0, 64)
    grey = luma(pixels.transpose(2, 0, 1)[None])[0, 0]
    assert np.array_equal(grey, np.asarray(Image.fromarray(pixels).convert("L")))


# Transparency ------------------------------------------------------------------------------------


def half_seen():
    """Colours by chance, the left half of them fully transparent."""
    pixels = picture(0, 16, channels=4)
    pixels[:, :8, 3], pixels[:, 8:, 3] = 0, 255
    return pixels


def test_alpha_is_kept_where_it_is_asked_for():
    pixels = half_seen()
    prepared = prepare(file_of(Image.fromarray(pixels)), 16, 4)
    assert np.array_equal(prepared, pixels.transpose(2, 0, 1))
    grey = prepare(file_of(Image.fromarray(pixels)), 16, 2)
    assert np.array_equal(grey[1], pixels[..., 3])
    assert np.array_equal(grey[:1], luma(pixels[None, ..., :3].transpose(0, 3, 1, 2))[0])


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "CMYK", "I;16"])
@pytest.mark.parametrize("channels", [2, 4])
def test_what_has_no_alpha_is_opaque(mode, channels):
    image = Image.new("RGB", (16, 16), (102, 102, 102))
    image = Image.new("I;16", (16, 16), 102 * 257) if mode == "I;16" else image.convert(mode)
    prepared = prepare(file_of(image, "TIFF"), 16, channels)
    assert prepared.shape == (channels, 16, 16)
    assert (prepared[-1] == 255).all()
    assert abs(prepared[:-1].astype(int) - 102).max() <= 1


def test_a_transparent_colour_does_not_bleed_when_it_is_resized():
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (255, 0, 0, 0)  # red that nobody sees
    pixels[:, 16:] = (0, 0, 255, 255)
    red, _, _, alpha = prepare(file_of(Image.fromarray(pixels)), 8, 4)
    assert red[alpha > 0].max() == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("own", [1, 3])
def test_raw_images_come_with_any_channels(channels, own):
    raw = np.random.default_rng(0).integers(0, 256, (3, own, 8, 8), np.uint8)
    made, done = prepare_array(raw, 8, channels)
    assert made.shape == (3, channels, 8, 8)
    if channels in (2, 4):
        assert (made[:, -1] == 255).all()
        assert "opaque" in done
        made = made[:, :-1]
    if own == made.shape[1]:
        assert np.array_equal(made, raw)
