import numpy as np
import pytest

from runner.data import DataError
from runner.data.source import Decoded
from runner.data.stacked import Stacked

TRAIN, TEST = 60, 20


class Numbered:
    """Grey images that show their number."""

    name = "numbered"

    def listing(self):
        return [1]

    def decode(self, size, channels, scratch, progress):
        images = np.arange(TRAIN + TEST, dtype=np.uint8)[:, None, None, None]
        held_out = np.arange(TRAIN + TEST) >= TRAIN
        return Decoded(np.tile(images, (1, 1, size, size)), "as they are", held_out=held_out)


def triples(tmp_path):
    return Stacked("stacked", Numbered()).decode(8, None, tmp_path, lambda done, total: None)


def test_every_image_stands_once_in_each_channel_of_its_side(tmp_path):
    decoded = triples(tmp_path)
    assert decoded.images.shape == (TRAIN + TEST, 3, 8, 8)
    for side, numbers in ((~decoded.held_out, range(TRAIN)), (decoded.held_out, range(TRAIN, 80))):
        for channel in range(3):
            assert sorted(decoded.images[side, channel, 0, 0]) == list(numbers)


def test_channels_are_in_orders_of_their_own_and_always_the_same(tmp_path):
    first = triples(tmp_path).images[:, :, 0, 0]
    assert (first == triples(tmp_path).images[:, :, 0, 0]).all()
    assert (first[:, 0] == first[:, 1]).mean() < 0.2
    assert (first[:, 1] == first[:, 2]).mean() < 0.2


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_three_channels_are_all_that_there_are(channels, tmp_path):
    with pytest.raises(DataError, match="three channels"):
        Stacked("stacked", Numbered()).decode(8, channels, tmp_path, lambda done, total: None)
