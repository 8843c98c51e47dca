import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.data import DataError, open_images
from runner.data.source import Decoded
from runner.data.split import arrange, boundary
from tests.runner.data.conftest import picture, save


def decoded(values, **options):
    """Images of one value each."""
    images = np.repeat(np.asarray(values, np.uint8), 3 * 4 * 4).reshape(-1, 3, 4, 4)
    return Decoded(images, "as they are", **options)


def values(source, rows):
    return source.images[rows, 0, 0, 0].tolist()


def test_a_tenth_is_held_out_and_said():
    order = arrange(decoded(range(200)))
    assert (len(order.train), len(order.held_out)) == (180, 20)
    assert order.held_out_is == "20 of the 200 images, drawn by their content"
    assert sorted([*order.train, *order.held_out]) == list(range(200))


@given(st.permutations(range(150)))
def test_the_order_in_which_images_come_changes_nothing(shuffled):
    one, other = decoded(range(150)), decoded(shuffled)
    first, second = arrange(one), arrange(other)
    assert values(one, first.train) == values(other, second.train)
    assert values(one, first.held_out) == values(other, second.held_out)


@given(st.lists(st.integers(0, 30), min_size=128, max_size=300))
def test_copies_are_never_on_both_sides(many):
    if len(set(many)) < 20:
        return
    source = decoded(many)
    order = arrange(source)
    assert not set(values(source, order.train)) & set(values(source, order.held_out))
    assert len(order.held_out) >= 1


@given(st.lists(st.integers(0, 5), min_size=2, max_size=100))
def test_the_boundary_lies_between_different_images(numbers):
    content = np.sort(np.array(numbers, np.uint64))
    cut = boundary(content)
    assert 1 <= cut <= len(content)
    assert cut == len(content) or content[cut - 1] != content[cut]
    assert cut < len(content) or len(set(numbers)) == 1


def test_at_most_ten_thousand_are_held_out():
    assert boundary(np.arange(10**6, dtype=np.uint64)) == 10_000


def test_copies_of_one_image_are_not_a_data_set():
    with pytest.raises(DataError, match="200 usable images are copies of 1 image: "):
        arrange(decoded([7] * 200))


@pytest.mark.parametrize(("count", "says"), [(0, "0 usable images are"), (1, "1 usable image is"),
                                             (127, "127 usable images are")])  # fmt: skip
def test_too_few_images_are_told(count, says):
    with pytest.raises(DataError, match=f"{says} too few: at least 128 are needed"):
        arrange(decoded(range(count)))


def test_a_given_split_is_kept_and_its_leaks_are_said():
    held_out = np.arange(200) >= 150
    order = arrange(decoded(range(200), held_out=held_out, held_out_is="the test split"))
    assert sorted(order.held_out) == list(range(150, 200))
    assert order.held_out_is == "the test split"
    leaky = decoded([*range(150), *range(45), *range(200, 205)], held_out=held_out, held_out_is="the test split")  # fmt: skip
    assert arrange(leaky).held_out_is == "the test split (45 of its 50 images are also trained on)"


def test_an_empty_test_split_is_no_split():
    order = arrange(decoded(range(200), held_out=np.zeros(200, np.bool_), held_out_is="gone"))
    assert len(order.held_out) == 20


def test_the_first_images_are_of_all_classes():
    source = decoded(range(250), labels=np.arange(250) // 50, classes=tuple("abcde"))
    order = arrange(source)
    assert set(source.labels[order.train[:40]]) == set(range(5))


def test_renaming_files_changes_nothing(pictures):
    before = open_images(pictures, size=12)
    for number in range(140):
        (pictures / f"{number:03}.png").rename(pictures / f"{(number * 37) % 140}-new.png")
    after = open_images(pictures, size=12)
    assert before.fingerprint == after.fingerprint
    assert np.array_equal(before.held_out, after.held_out)


def test_one_image_more_moves_at_most_one(pictures):
    before = {image.tobytes() for image in open_images(pictures, size=12).held_out}
    save(pictures / "more.png", picture(1000))
    after = {image.tobytes() for image in open_images(pictures, size=12).held_out}
    assert len(before - after) <= 1
