import io
import socket

import numpy as np
import pytest
import torch

from runner.metrics import MetricError, extractor, inception, metric_name
from tests.runner.metrics.conftest import ENGINES
from tests.runner.metrics.weights import random_inception

fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")


@pytest.fixture(scope="module")
def state():
    return random_inception()


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_features_are_torch_fidelitys(engine, state, file, scenes):
    ours = extractor("inception", weights=file, engine=engine)
    safe = io.BytesIO()
    torch.save(state, safe)
    safe.seek(0)
    theirs = fidelity.FeatureExtractorInceptionV3("inception", ["2048"], safe)
    images = scenes(4)
    with torch.inference_mode():
        (expected,) = theirs(torch.from_numpy(images))
    features = ours(images)
    assert features.shape == (4, 2048)
    assert features.std(0).max() > 1e-3
    np.testing.assert_allclose(features, expected.numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (299, 299), (17, 400), (1, 2)])
def test_pixels_are_resized_as_torch_fidelity_does_it_to_the_bit(shape):
    theirs = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    images = torch.randint(0, 256, (2, 3, *shape), dtype=torch.uint8)
    resize = theirs.interpolate_bilinear_2d_like_tensorflow1x
    resized = resize(images.float(), size=(299, 299), align_corners=False)
    assert torch.equal(inception.prepared(images), (resized - 128) / 128)


def test_other_weights_do_not_make_an_fid(file):
    ours = extractor("inception", weights=file)
    assert ours.name == f"inception-{ours.digest[:8]}@299"
    assert metric_name(ours, 10_000) == f"fd-inception-{ours.digest[:8]}@299-10k"


def test_the_weights_of_2015_make_an_fid(file, monkeypatch):
    monkeypatch.setattr(inception, "SHA256", inception._sha256(file))
    ours = extractor("inception", weights=file)
    assert ours.name == "inception-2015@299"
    assert metric_name(ours, 10_000) == "fid-inception-10k"


@pytest.mark.parametrize("name", inception.FILES)
def test_auto_is_inception_where_its_weights_are_at_hand(name, file, empty_cache, monkeypatch):
    assert extractor("auto").name == "efficientnet-lite0@64"
    empty_cache.mkdir(parents=True)
    (empty_cache / name).write_bytes(file.read_bytes())
    monkeypatch.setattr(inception, "SHA256", inception._sha256(file))
    assert extractor("auto").name == "inception-2015@299"


def test_auto_never_downloads(empty_cache, no_network):
    assert extractor("auto").name == "efficientnet-lite0@64"


def test_without_weights_and_network_it_is_said_what_to_do(empty_cache, no_network):
    with pytest.raises(MetricError, match=r"no network here.*efficientnet-lite0"):
        extractor("inception")
    assert list(empty_cache.iterdir()) == []


def test_a_torn_download_is_named(empty_cache, file):
    empty_cache.mkdir(parents=True)
    (empty_cache / inception.FILES[0]).write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(MetricError, match=f"{inception.FILES[0]} is not the Inception of 2015"):
        extractor("auto")


@pytest.mark.parametrize("name", ["inception", "efficientnet-lite0", "auto"])
@pytest.mark.parametrize("content", [None, b"", b"no weights", "tensor", "other network", "code"])
def test_a_file_without_the_weights_is_named(name, content, tmp_path):
    path = tmp_path / "weights.pth"
    ran = tmp_path / "ran"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        things = {
            "tensor": torch.zeros(3),
            "other network": {"weight": torch.zeros(3)},
            "code": Code(ran),
        }
        torch.save(things[content], path)
    with pytest.raises(MetricError, match=r"weights\.pth"):
        extractor(name, weights=path)
    assert not ran.exists()


class Code:
    """A pickle that would do something."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()
