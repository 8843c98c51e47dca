import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Every test has a cache of its own, and no data sets but those of the system."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GAN_ADVISOR_CACHE", str(folder))
    monkeypatch.delenv("GAN_ADVISOR_DATA", raising=False)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """A flat folder of 140 colour images, all different."""
    folder = tmp_path / "pictures"
    for number in range(140):
        save(folder / f"{number:03}.png", picture(number))
    return folder


def picture(seed, size=12, channels=3):
    """Noise as (size, size, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (size, size, channels), np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, **options)
