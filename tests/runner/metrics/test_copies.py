import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import kstest, mannwhitneyu, norm

from runner.metrics import copies as module
from runner.metrics import extractor, reference, reference_points
from runner.metrics.copies import (
    MARGIN,
    NEARER,
    ROBUST,
    Nearness,
    compared,
    copies,
    detail,
    distinct,
    mann_whitney,
    memorisation,
    nearness,
    small,
)
from tests.runner.metrics.test_references import Pixels


def cloud(n, seed, d=16, spread=1.0):
    return (np.random.default_rng(seed).normal(0, spread, (n, d))).astype(np.float32)


def near(relative):
    relative = np.asarray(relative, float)
    return Nearness(relative, relative[:, None], np.zeros((len(relative), 1), int))


TRAIN, HELD_OUT = cloud(3000, 0), cloud(1000, 1)


# The figures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("m", "n"), [(40, 40), (300, 17), (5, 200)])
def test_z_is_mann_and_whitneys(m, n, ties):
    rng = np.random.default_rng(m)
    a, b = rng.normal(0.2, 1, m), rng.normal(0, 1, n)
    if ties:
        a, b = a.round(), b.round()
    theirs = mannwhitneyu(a, b, alternative="less", method="asymptotic", use_continuity=False)
    assert norm.cdf(mann_whitney(a, b)) == pytest.approx(theirs.pvalue)


def test_z_of_what_is_all_the_same_is_zero():
    assert mann_whitney(np.ones(9), np.ones(4)) == 0


def test_the_share_below_the_lowest_of_few_has_its_closed_form():
    """That all of m draws lie below the lowest of n others: one in (m + n choose m) orders."""
    found = compared(near([1, 2, 3]), near([4, 5, 6, 7]), 10)
    assert (found.share_copied, found.expected) == (1, 1 / 5)
    assert found.p == pytest.approx(1 / 35)
    assert compared(near([5, 6, 7]), near([4, 5, 6, 7]), 10).p == 1


def test_a_copy_is_nearer_by_a_margin():
    real = near(np.arange(200) + 10)  # 1 % of them are at 11 or nearer
    made = near([0, MARGIN * 11 - 0.01, MARGIN * 11 + 0.01, 300])
    assert compared(made, real, 10).share_copied == 0.5


def test_fresh_samples_have_a_standard_normal_z_and_the_expected_share():
    """Over draws of the samples and of the held-out images, of one distribution and one set."""
    to_train = nearness(cloud(400, 0, d=4))
    found = [
        compared(to_train(cloud(200, 2 * at + 1, d=4)), to_train(cloud(300, 2 * at + 2, d=4)), 400)
        for at in range(200)
    ]
    assert kstest([each.z for each in found], "norm").pvalue > 0.01
    assert found[0].expected == pytest.approx(NEARER, rel=0.01)
    # Below the bar the density of a distribution in four dimensions grows with the fourth power.
    share = np.mean([each.share_copied for each in found])
    assert share == pytest.approx(MARGIN**4 * NEARER, rel=0.5)
    assert np.mean([each.p < 0.05 for each in found]) < 0.05


# What counts as near -----------------------------------------------------------------------------


def test_nearness_is_that_of_all_pairs_at_once(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 64)
    some = HELD_OUT[:200]
    found = nearness(TRAIN)(some)
    apart, within = cdist(some, TRAIN), np.sort(cdist(TRAIN, TRAIN))
    order = np.argsort(apart)[:, :4]
    np.testing.assert_array_equal(found.rows, order)
    np.testing.assert_allclose(found.distances, np.take_along_axis(apart, order, 1), rtol=1e-6)
    unit = np.minimum(within[order[:, 0], ROBUST], np.sort(apart)[:, ROBUST])
    expected = apart.min(1) / unit
    np.testing.assert_allclose(found.relative, expected, rtol=1e-6)


def test_a_scale_changes_nothing():
    """Near is what is nearer than the neighbours are."""
    there = nearness(1000 * TRAIN)(1000 * HELD_OUT).relative
    np.testing.assert_allclose(there, nearness(TRAIN)(HELD_OUT).relative, rtol=1e-4)


def test_an_image_that_is_in_the_set_several_times_is_copied_like_any_other():
    often = np.concatenate([TRAIN, np.repeat(TRAIN[:1], 3, 0)])
    found = nearness(often)(np.concatenate([TRAIN[:1], TRAIN[:1] + 0.01, HELD_OUT[:1]]))
    assert found.relative[0] == 0
    assert found.relative[1] < 0.05 < found.relative[2] < np.inf


def test_among_nothing_but_copies_only_a_copy_is_near():
    alike = np.ones((20, 3), np.float32)
    found = nearness(alike)(np.array([[1, 1, 1], [1, 1, 2]], np.float32))
    assert found.relative.tolist() == [0, np.inf]


def test_what_lies_in_the_middle_of_all_is_near_to_nothing():
    """In many dimensions it is nearer to every image than these are to one another."""
    train = cloud(500, 0, d=500)
    middle, fresh = np.zeros((1, 500), np.float32), cloud(1, 1, d=500)
    assert cdist(middle, train).min() < cdist(train[:1], train[1:]).min() - 4
    assert nearness(train)(middle).relative[0] > nearness(train)(fresh).relative[0] - 0.1


# Cases with known answers ------------------------------------------------------------------------


def mixed(share, others):
    count = int(share * 1000)
    return np.concatenate([TRAIN[:count] + cloud(count, 7, spread=0.05), others[count:]])


FRESH = cloud(1000, 2)


@pytest.mark.parametrize(
    ("name", "made"),
    {
        "fresh draws": FRESH,
        "noise": cloud(1000, 3, spread=10),
        "shrunk": 0.7 * FRESH,
        "one point": np.repeat(FRESH[:1], 1000, 0),
        "few kinds": FRESH[:10].repeat(100, 0) + cloud(1000, 3, spread=0.3),
        "between training images": (TRAIN[:1000] + TRAIN[1000:2000]) / 2,
    }.items(),
)
def test_what_copies_nothing_is_not_said_to(name, made):
    assert not copies(made, TRAIN, HELD_OUT).found


@pytest.mark.parametrize(
    ("name", "share", "others"),
    [
        ("all", 1, FRESH),
        ("a tenth", 0.1, FRESH),
        ("a tenth, and the others bad", 0.1, cloud(1000, 3, spread=5)),
    ],
)
def test_copies_are_found_whatever_the_other_samples_are(name, share, others):
    found = copies(mixed(share, others), TRAIN, HELD_OUT)
    assert found.found
    assert found.share_copied == pytest.approx(share, abs=0.03)


def test_copies_alone_have_a_z_far_below_zero_and_noise_far_above():
    assert copies(mixed(1, FRESH), TRAIN, HELD_OUT).z < -30
    assert copies(cloud(1000, 3, spread=10), TRAIN, HELD_OUT).z > 30


def test_a_dense_kind_alone_is_no_copy():
    """Half of the images lie ten times as close together, and the generator makes only those."""
    train, held_out = (np.concatenate([0.1 * c[::2], 3 + c[::2]]) for c in (TRAIN, HELD_OUT))
    found = copies(0.1 * FRESH, train, held_out)
    assert not found.found
    plain = mann_whitney(cdist(0.1 * FRESH, train).min(1), cdist(held_out, train).min(1))
    assert plain < -15 < found.z


# Of images ---------------------------------------------------------------------------------------


def images(n, seed, side=16):
    """Grainy, with a bright rectangle somewhere."""
    rng = np.random.default_rng(seed)
    made = rng.integers(0, 30, (n, 1, side, side))
    for image in made:
        top, left, height, width = rng.integers(0, side // 2, 4)
        image[:, top : top + height + 2, left : left + width + 2] += rng.integers(60, 200)
    return made.astype(np.uint8)


TRAINED, KEPT = images(500, 0), images(300, 1)


def looked_at(made, train=TRAINED, **others):
    held = reference(KEPT, Pixels(), n=200)
    return memorisation(lambda n, seed: made[:n], train, KEPT, held, **others)


def test_images_that_are_repeated_are_found_with_what_they_repeat():
    found = looked_at(TRAINED[100:300])
    assert found.found
    assert found.says.startswith("Memorisation: 100.0 % of 200 samples are nearer to a training")
    for space in ("features", "pixels"):
        assert found.of[space].found
        first = found.train[found.made[space].rows[:, 0]]
        np.testing.assert_array_equal(first, found.samples)


def test_fresh_images_are_not_and_a_subset_is_mentioned():
    found = looked_at(images(200, 2), most=400)
    assert not found.found
    assert found.says.startswith("No sign of memorisation: samples are no nearer")
    assert found.says.endswith(" 400 of the 500 training images were looked at.")
    assert looked_at(images(200, 2)).says.endswith(").")


def test_images_that_the_set_holds_many_times_are_copied_like_any_other():
    """More often than neighbours are asked for: all of them would stand at the same place."""
    few = TRAINED[:40]
    often = np.repeat(few, np.random.default_rng(5).integers(1, 30, 40), 0)
    noisy = few.astype(int) + np.random.default_rng(6).integers(-3, 4, few.shape)
    found = looked_at(np.clip(noisy, 0, 255).astype(np.uint8).repeat(5, 0), often)
    assert found.of["pixels"].share_copied == 1
    assert found.of["pixels"].against == 40
    assert np.array_equal(found.train[distinct(found.train)], found.train)
    assert " were looked at" not in found.says
    assert not looked_at(images(200, 2), often).found


def test_faintly_noisy_copies_are_found_in_pixels():
    noisy = np.clip(
        TRAINED[:200] + np.random.default_rng(3).integers(-3, 4, (200, 1, 16, 16)), 0, 255
    )
    found = looked_at(noisy.astype(np.uint8))
    assert found.of["pixels"].found
    assert found.of[found.worst].found


def test_training_images_are_measured_once(tmp_path):
    calls = []

    class Counting(Pixels):
        def __call__(self, given):
            calls.append(len(given))
            return super().__call__(given)

    held = reference(KEPT, Counting(), n=200)
    for _ in range(2):
        memorisation(lambda n, seed: TRAINED[:n], TRAINED, KEPT, held, cache=tmp_path)
    assert calls.count(500) == 1


def test_points_can_be_copied_too():
    train, held_out = (cloud(n, n, d=2).reshape(n, 2, 1, 1) for n in (900, 300))
    held = reference_points(held_out, extractor("coordinates"), n=300)
    for made, copied in ((train[:300], True), (cloud(300, 1, d=2).reshape(300, 2, 1, 1), False)):
        assert memorisation(lambda n, seed, m=made: m, train, held_out, held).found == copied


def skies(n, seed, side=16):
    """One image in twenty is hardly more than one colour, as photographs of the sky are."""
    made = images(n, seed, side).astype(float)
    plain = made[::20]
    flat = np.random.default_rng(seed + 100).uniform(60, 200, (len(plain), 1, 1, 1))
    made[::20] = flat + 0.2 * (plain - plain.mean((1, 2, 3), keepdims=True))
    return made.clip(0, 255).astype(np.uint8)


def of_skies(made):
    held = reference(skies(400, 1), Pixels(), n=200)
    return memorisation(lambda n, seed: made[:n], skies(1000, 0), skies(400, 1), held).of["pixels"]


GREYS = np.random.default_rng(9).uniform(60, 200, (200, 1, 1, 1))


@pytest.mark.parametrize("contrast", [0, 0.05])
def test_what_has_no_detail_is_near_to_a_sky_and_copies_nothing(contrast):
    there = contrast * images(200, 7) + np.broadcast_to(GREYS, (200, 1, 16, 16))
    assert not of_skies(there.astype(np.uint8)).found


def test_copies_of_skies_and_others_are_found():
    found = of_skies(skies(1000, 0)[100:300])
    assert found.found
    assert found.share_copied == 1


def test_detail_is_how_far_an_image_is_from_itself_blurred():
    flat, fine = np.full((2, 1, 16, 16), 80, np.uint8), np.zeros((1, 1, 16, 16), np.uint8)
    fine[..., ::2] = 255  # half of 256 pixels are half of white away from grey
    assert detail(flat).tolist() == [0, 0]
    assert detail(fine) == pytest.approx(0.5 * 16, rel=0.01)  # the edges have less around them
    assert detail(cloud(3, 0, d=2).reshape(3, 2, 1, 1)) is None
    large = np.repeat(np.repeat(images(3, 0, 32), 4, 2), 4, 3)  # of 128 px
    np.testing.assert_allclose(detail(large), detail(images(3, 0, 32)), rtol=1e-5)


def test_large_images_are_averaged_down():
    large = np.full((3, 3, 128, 96), 51, np.uint8)
    assert small(large).shape == (3, 3 * 32 * 32)
    assert small(large) == pytest.approx(0.2)
    one = images(2, 0)
    np.testing.assert_allclose(small(one), one.reshape(2, -1) / 255, rtol=1e-6)
    np.testing.assert_array_equal(small(torch.from_numpy(one)), small(one))


def test_memory_does_not_grow_with_the_samples():
    """Blocks of rows: pairs are never all there at once."""
    from tests.runner.metrics.test_neighbours import peak

    few, many = (peak(lambda n=n: nearness(TRAIN)(cloud(n, 1))) for n in (1000, 4000))
    assert many < 1.6 * few
