"""The figures that verdicts rest on, where they are known beforehand."""

import numpy as np
import pytest

from runner.diagnosis.spectrum import ripple
from runner.diagnosis.variety import MOST, variety

RNG = np.random.default_rng


def photographs(count, size=32, channels=1, seed=0):
    """Smooth images with a little noise: a spectrum that falls, and no grid."""
    rng = RNG(seed)
    rough = rng.normal(size=(count, channels, 4, 4))
    at = (np.arange(size) + 0.5) / size * np.pi
    waves = np.stack([np.cos(k * at) for k in range(4)])  # (4, size)
    smooth = np.einsum("ncij,ix,jy->ncxy", rough, waves, waves)
    return (128 + 12 * smooth + rng.normal(0, 3, smooth.shape)).clip(0, 255).astype(np.uint8)


def pattern(period, size=32):
    """Every so manieth column brighter and the others darker, of mean square 1."""
    wave = np.cos(2 * np.pi * np.arange(size) / period)
    return wave / np.sqrt((wave**2).mean())


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (32, 3), (48, 1)])
def test_fresh_real_images_have_no_grid(size, channels):
    found = ripple(photographs(200, size, channels), photographs(200, size, channels, seed=1))
    assert found.over_real < 2
    assert found.levels < 1


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("levels", [3.0, 10.0])
def test_a_pattern_of_the_grid_is_found_with_its_period_and_its_amplitude(period, levels):
    real = photographs(200, seed=1)
    found = ripple((photographs(200) + levels * pattern(period)).round().astype(np.uint8), real)
    assert found.period == period
    assert found.levels == pytest.approx(levels, rel=0.2)
    assert found.over_real > 5


def test_real_images_with_the_same_grid_have_no_more_of_it():
    real, made = (
        (photographs(200, seed=seed) + 5 * pattern(2)).round().astype(np.uint8) for seed in (0, 1)
    )
    assert ripple(made, real).over_real == pytest.approx(1, rel=0.3)


def test_a_pattern_that_is_no_grid_is_not_taken_for_one():
    striped = (photographs(200) + 5 * pattern(32 / 5)).round().astype(np.uint8)
    assert ripple(striped, photographs(200, seed=1)).over_real < 2


def test_blurred_and_noisy_images_have_no_grid():
    real = photographs(200, seed=1)
    noisy = (photographs(200) + RNG(3).normal(0, 20, real.shape)).clip(0, 255).astype(np.uint8)
    assert ripple(noisy, real).over_real < 2
    smooth = photographs(200).astype(float)
    blurred = (smooth + np.roll(smooth, 1, 2) + np.roll(smooth, 1, 3)) / 3
    assert ripple(blurred.round().astype(np.uint8), real).over_real < 2


@pytest.mark.parametrize("kernel", [3, 5])
def test_kernels_that_their_stride_does_not_divide_leave_a_grid_where_others_leave_none(kernel):
    """Odena et al. (2016): uneven overlap, with all weights equal, of something smooth."""
    torch = pytest.importorskip("torch")
    real = photographs(200, seed=1)
    small = torch.from_numpy(photographs(200, 16).astype(np.float32)) - 100

    def enlarged(size, padding, extra):
        layer = torch.nn.ConvTranspose2d(1, 1, size, 2, padding, output_padding=extra, bias=False)
        torch.nn.init.constant_(layer.weight, 4 / size**2)
        with torch.no_grad():
            return (layer(small) + 100).clamp(0, 255).round().byte().numpy()

    uneven = ripple(enlarged(kernel, (kernel - 1) // 2, 1), real)
    even = ripple(enlarged(4, 1, 0), real)
    assert (uneven.period, even.levels < 1) == (2, True)
    assert uneven.levels > 2
    assert uneven.over_real > 20


def test_tiny_images_have_no_frequencies_beside():
    tiny = np.zeros((10, 1, 4, 4), np.uint8)
    assert ripple(tiny, tiny) is None


# Variety -----------------------------------------------------------------------------------------


def kinds(count, which, seed=0):
    """Images of ten kinds: a bright row each, on a noisy ground."""
    rng = RNG(seed)
    images = rng.integers(0, 40, (count, 1, 20, 20)).astype(np.uint8)
    for image, kind in zip(images, rng.choice(which, count), strict=True):
        image[0, 2 * kind : 2 * kind + 2] += 180
    return images


ALL = range(10)
TRAIN, HELD_OUT = kinds(1500, ALL, seed=1), kinds(1000, ALL, seed=2)


def test_fresh_images_of_all_kinds_neglect_none():
    found = variety(kinds(1000, ALL), TRAIN, HELD_OUT)
    assert found.neglected == 0
    assert found.cells == pytest.approx(found.of_real, rel=0.1)
    assert found.closeness == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("shown", [1, 3, 7])
def test_what_is_never_shown_is_neglected(shown):
    found = variety(kinds(1000, range(shown)), TRAIN, HELD_OUT)
    assert found.neglected == pytest.approx(1 - shown / 10, abs=0.06)
    assert found.cells / found.of_real == pytest.approx(shown / 10, rel=0.6)


def test_all_kinds_over_and_over_are_close_to_one_another():
    found = variety(np.repeat(kinds(100, ALL), 10, 0), TRAIN, HELD_OUT)
    assert found.neglected < 0.1
    assert found.closeness == 0


def test_poor_images_of_all_kinds_are_not_taken_for_few_kinds():
    """What features of a network do: to them all that is blurred is alike."""
    made = kinds(1000, ALL).astype(float)
    blurred = sum(np.roll(made, k, 3) for k in range(-3, 4)) / 7
    noisy = (0.6 * blurred + RNG(5).normal(30, 20, made.shape)).clip(0, 255).astype(np.uint8)
    assert variety(noisy, TRAIN, HELD_OUT).neglected < 0.3


def test_points_are_cells_of_the_plane():
    def ring(count, modes, seed):
        rng = RNG(seed)
        angle = 2 * np.pi * rng.choice(modes, count) / 8
        points = np.stack([np.cos(angle), np.sin(angle)], 1) + rng.normal(0, 0.02, (count, 2))
        return points.astype(np.float32).reshape(-1, 2, 1, 1)

    train, held_out = ring(2000, range(8), 1), ring(1000, range(8), 2)
    assert variety(ring(1000, range(8), 3), train, held_out).neglected < 0.05
    half = variety(ring(1000, range(4), 3), train, held_out)
    assert half.neglected == pytest.approx(0.5, abs=0.06)


def test_few_images_have_no_kinds_and_equal_ones_one():
    assert variety(TRAIN[:100], TRAIN[:10], HELD_OUT) is None
    same = np.zeros((300, 1, 16, 16), np.uint8)
    assert variety(same, same, same).neglected == 0


def test_more_images_than_are_looked_at_change_nothing():
    train = kinds(MOST + 500, ALL, seed=1)
    assert variety(HELD_OUT, train, HELD_OUT) == variety(HELD_OUT, train[:MOST], HELD_OUT)
