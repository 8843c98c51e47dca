import multiprocessing
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from runner.metrics import MetricError, engines, extractor
from runner.metrics.engines import chosen_engine, run_by

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs OpenVINO")


def without_openvino(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def test_the_fast_one_is_taken_on_a_cpu_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: name == "openvino")
    assert chosen_engine("auto", CPU) == "openvino"
    assert chosen_engine("torch", CPU) == "torch"
    assert chosen_engine("auto", CUDA) == "torch"


def test_torch_is_always_there(monkeypatch):
    without_openvino(monkeypatch)
    assert chosen_engine("auto", CPU) == "torch"
    assert extractor("efficientnet-lite0").engine == "torch"


@pytest.mark.parametrize("name", ["efficientnet-lite0", "coordinates"])
def test_an_extractor_is_had_again_by_its_engine(name):
    first = extractor(name)
    assert extractor(name, engine=first.engine).digest == first.digest


def test_an_engine_that_is_not_there_is_said(monkeypatch):
    without_openvino(monkeypatch)
    with pytest.raises(MetricError, match=r"not installed: pip install 'gan-advisor\[fast\]'"):
        extractor("efficientnet-lite0", engine="openvino")


def test_a_gpu_has_torch():
    with pytest.raises(MetricError, match="on cuda the engine is torch"):
        chosen_engine("openvino", CUDA)


@pytest.mark.parametrize("name", ["openvin", "onnx", ""])
def test_an_unknown_engine_is_answered_with_the_known_ones(name):
    with pytest.raises(MetricError, match="auto, torch, openvino") as error:
        extractor("efficientnet-lite0", engine=name)
    assert ("did you mean openvino?" in str(error.value)) == (name == "openvin")


def test_a_broken_installation_is_said(monkeypatch):
    network = torch.nn.Flatten()
    forward = run_by("openvino", network, (2, 3, 4, 4), CPU)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "openvino.frontend", None)
    engines.core.cache_clear()
    with pytest.raises(MetricError, match=r"cannot be loaded.*the engine torch can"):
        forward(torch.zeros(2, 3, 4, 4))


@needs_openvino
def test_engines_have_digests_of_their_own():
    digests = {extractor("efficientnet-lite0", engine=e).digest for e in ("torch", "openvino")}
    assert len(digests) == 2


@needs_openvino
def test_engines_differ_by_rounding(scenes):
    images = scenes(70)
    a, b = (extractor("efficientnet-lite0", engine=e)(images) for e in ("torch", "openvino"))
    assert np.linalg.norm(a - b) < 1e-5 * np.linalg.norm(a)
    assert (a != b).any()


@needs_openvino
def test_it_takes_as_many_threads_as_torch_has(scenes):
    fast = extractor("efficientnet-lite0", engine="openvino")
    fast(scenes(4))
    torch.set_num_threads(2)
    fast(scenes(4))
    compiled = {
        threads: request.get_compiled_model().get_property("INFERENCE_NUM_THREADS")
        for (_, threads), request in fast.forward.requests.items()
    }
    assert compiled == {1: 1, 2: 2}


@needs_openvino
@pytest.mark.parametrize("method", ["fork", pytest.param("forkserver", marks=pytest.mark.slow)])
def test_other_processes_find_the_same_features(method, scenes):
    """Also where the parent has used it before. Several threads of torch's own do not survive."""
    fast = extractor("efficientnet-lite0", engine="openvino")
    here = fast(scenes(70))
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    given = (fast if method == "fork" else None, scenes(70), theirs)
    process = context.Process(target=find, args=given)
    process.start()
    try:
        assert ours.poll(60), "the process hangs"
        assert (ours.recv() == here).all()
    finally:
        process.kill()
        process.join()


def find(extract, images, pipe):
    torch.set_num_threads(1)
    pipe.send((extract or extractor("efficientnet-lite0", engine="openvino"))(images))


@needs_openvino
def test_nobody_is_told(scenes, monkeypatch):
    """OpenVINO's own conversion would call its makers."""
    telemetry = pytest.importorskip("openvino_telemetry")

    def tell(*_, **__):
        raise AssertionError("telemetry")

    monkeypatch.setattr(telemetry.Telemetry, "__init__", tell)
    monkeypatch.setattr(telemetry.Telemetry, "send_event", tell)
    extractor("efficientnet-lite0", engine="openvino")(scenes(2))
