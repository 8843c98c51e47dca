from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from runner.metrics import extractor

openvino = pytest.param(
    "openvino", marks=pytest.mark.skipif(not find_spec("openvino"), reason="needs OpenVINO")
)
ENGINES = ("torch", openvino)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def efficientnet():
    return extractor("efficientnet-lite0")


@pytest.fixture(scope="session")
def scenes():
    """n colour images of a few overlapping rectangles, with the grain of a camera's sensor.

    Without the grain, EfficientNet finds faint noise further away than strong noise: a surface
    that is perfectly flat is nothing that it was trained on.
    """

    def make(n, seed=0, side=32):
        rng = np.random.default_rng(seed)
        images = np.repeat(rng.uniform(0, 255, (n, 3, 1, 1)), side, 2).repeat(side, 3)
        for image in images:
            for _ in range(4):
                top, left = rng.integers(0, side - 4, 2)
                height, width = rng.integers(4, side, 2)
                image[:, top : top + height, left : left + width] = rng.uniform(0, 255, (3, 1, 1))
        return (images + rng.normal(0, 6, images.shape)).clip(0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def blurred():
    def blur(images, sigma):
        reach = torch.arange(-8, 9)
        kernel = torch.exp(-(reach**2) / (2 * sigma**2))
        kernel = (kernel / kernel.sum()).repeat(3, 1)
        padded = F.pad(torch.from_numpy(images).float(), (8, 8, 8, 8), mode="replicate")
        rows = F.conv2d(padded, kernel.view(3, 1, 1, 17), groups=3)
        return F.conv2d(rows, kernel.view(3, 1, 17, 1), groups=3).round().byte().numpy()

    return blur


@pytest.fixture(scope="session")
def noisy():
    def noise(images, deviation):
        rng = np.random.default_rng(1)
        return (images + rng.normal(0, deviation, images.shape)).clip(0, 255).astype(np.uint8)

    return noise
