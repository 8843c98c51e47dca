import numpy as np
import pytest
from PIL import Image

from advisor.advise import recommend
from advisor.profile import checked
from advisor.recommendation import Recommendation
from knowledge.library import build


@pytest.fixture(scope="session")
def advice() -> Recommendation:
    library = build()
    needs = {"needs": ["quality", "diversity", "generalisation"], "dataset": "cifar10"}
    return recommend(checked(needs, library), library)


@pytest.fixture(scope="session")
def advice_file(advice, tmp_path_factory):
    path = tmp_path_factory.mktemp("advice") / "advice.json"
    path.write_text(advice.model_dump_json())
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 240 small colour images in two classes."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for kind in ("bright", "dark"):
        (folder / kind).mkdir()
        for number in range(120):
            pixels = random.integers(0, 120, (16, 16, 3)) + (120 if kind == "bright" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{number}.png")
    return folder
