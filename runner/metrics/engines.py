"""What runs a frozen network: torch, or on a CPU OpenVINO, which takes a fraction of the time."""

import os
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from runner.metrics.errors import MetricError

Engine = Literal["torch", "openvino"]
Shape = tuple[int, int, int, int]
SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",  # else it takes bfloat16 where there is some
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,  # or all trials would sit on the first core
}
Forward = Callable[[Tensor], Tensor]  # float32 (B, 3, S, S) to (B, dimension)


def chosen_engine(name: str, device: torch.device) -> Engine:
    """The engine of that name; "auto" is OpenVINO on a CPU where it is installed.

    Their features differ by rounding, which is why an extractor's digest tells them apart. Raises
    MetricError where there is no such engine, or not here.
    """
    if name == "auto":
        return "openvino" if device.type == "cpu" and find_spec("openvino") else "torch"
    if name not in get_args(Engine):
        nearest = get_close_matches(name, ["auto", *get_args(Engine)], n=1)
        raise MetricError(
            f"There is no engine called {name!r}"
            + (f"; did you mean {nearest[0]}?" if nearest else ".")
            + f" There are: auto, {', '.join(get_args(Engine))}."
        )
    if name == "openvino" and device.type != "cpu":
        raise MetricError(f"OpenVINO is for the CPU; on {device.type} the engine is torch.")
    if name == "openvino" and not find_spec("openvino"):
        raise MetricError("OpenVINO is not installed: pip install 'gan-advisor[fast]'")
    return name  # type: ignore[return-value]


def run_by(engine: Engine, network: nn.Module, shape: Shape, device: torch.device) -> Forward:
    """In float32, for batches of one shape. OpenVINO is loaded when it is first needed."""
    network.eval().requires_grad_(False)
    if engine == "openvino":
        return OpenVino(network, shape)
    network.to(device).to(memory_format=torch.channels_last)  # 1.5 times as fast on a CPU

    def forward(batch: Tensor) -> Tensor:
        features: Tensor = network(batch.to(memory_format=torch.channels_last))
        return features

    return forward


class OpenVino:
    """As many threads as torch has when it is called: trials that run side by side have one each."""

    def __init__(self, network: nn.Module, shape: Shape) -> None:
        self.network, self.shape = network, shape
        self.requests: dict[tuple[int, int], Any] = {}

    def __call__(self, batch: Tensor) -> Tensor:
        # A fork has none of its parent's threads, and would wait for them.
        place = os.getpid(), torch.get_num_threads()
        if place not in self.requests:
            self.requests[place] = self.compiled(*place)
        given = batch.contiguous().numpy()
        (features,) = self.requests[place].infer([given], share_inputs=True).values()
        return torch.from_numpy(features)

    def compiled(self, process: int, threads: int) -> Any:  # noqa: ANN401 - OpenVINO is not always there
        settings = {**SETTINGS, "INFERENCE_NUM_THREADS": threads}
        model = core(process).compile_model(self.model, "CPU", settings)
        return model.create_infer_request()

    @cached_property
    def model(self) -> Any:  # noqa: ANN401
        # Not openvino.convert_model(), which would tell its makers that it was called.
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        with (
            warnings.catch_warnings(),
            torch.inference_mode(),
            torch.autocast("cpu", enabled=False),
        ):
            warnings.simplefilter("ignore", FutureWarning)  # torch means to give up tracing
            traced = TorchScriptPythonDecoder(
                self.network,
                example_input=(torch.zeros(1, *self.shape[1:]),),
                trace_kwargs={"check_trace": False},
            )
        frontend = FrontEndManager().load_by_framework("pytorch")
        model = frontend.convert(frontend.load(traced))
        model.reshape(list(self.shape))
        return model


@cache
def core(process: int) -> Any:  # noqa: ANN401
    try:
        from openvino import Core
    except ImportError as error:
        raise MetricError(f"OpenVINO cannot be loaded ({error}); the engine torch can.") from error
    return Core()
