"""Features of the published FID: Inception with the weights of 2015, by torch-fidelity."""

import hashlib
import io
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from runner.metrics.errors import MetricError
from runner.metrics.network import NetworkFeatures, digest_of, load_weights

NAME = "inception-2015@299"
RESIZE = "bilinear-tensorflow1"  # not antialiased: so every published FID was measured
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
FILES = (  # the same bytes, as torch-fidelity and as pytorch-fid name them
    "weights-inception-2015-12-05-6726825d.pth",
    "pt_inception-2015-12-05-6726825d.pth",
)


def inception(weights: Path | None, device: torch.device) -> NetworkFeatures:
    """2048 features, before the classes.

    Weights other than those of 2015 are taken, but then the name says so and no score is an FID.
    """
    path = weights or weights_at_hand() or _download()
    published = _sha256(path) == SHA256
    if not published and weights is None:
        raise MetricError(f"{path} is not the Inception of 2015, or not all of it; delete it.")
    state = load_weights(path)
    network = _network(state, path)
    network.to(device, memory_format=torch.channels_last)  # 1.5 times as fast on a CPU
    digest = digest_of(
        state,
        network="inception, torch-fidelity",
        layer="2048",
        size=299,
        resize=RESIZE,
        scale="(x - 128) / 128",
        precision="float32",
    )

    def features(images: Tensor) -> Tensor:
        (pooled,) = network(images.contiguous())
        return pooled  # type: ignore[no-any-return]

    return NetworkFeatures(
        name=NAME if published else f"inception-{digest[:8]}@299",
        dimension=2048,
        resize=RESIZE,
        digest=digest,
        network=features,
        device=device,
        batch_size=16 if device.type == "cpu" else 256,
    )


def weights_at_hand() -> Path | None:
    """Where torch-fidelity or pytorch-fid left the weights, if they did."""
    cached = (_cache() / name for name in FILES)
    return next((path for path in cached if path.is_file()), None)


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _download() -> Path:
    path = _cache() / FILES[0]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            URL, str(path), hash_prefix=SHA256, progress=sys.stderr.isatty()
        )
    except (OSError, RuntimeError) as error:  # no network, a full disk, other bytes
        raise MetricError(
            f"The Inception weights are neither at {path} nor to be had from {URL} ({error}). "
            "Put the file there, name it, or use the features efficientnet-lite0."
        ) from error
    return path


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise MetricError(f"There is no weights file {path}.") from None
    except OSError as error:
        raise MetricError(f"{path} cannot be read: {error}") from error


def _network(state: dict[str, Tensor], path: Path) -> Any:  # noqa: ANN401 - torch-fidelity has no types
    # Here, not above: it imports torchvision, which takes seconds.
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # torch-fidelity unpickles whatever the file holds, so it gets tensors that we wrote.
    safe = io.BytesIO()
    torch.save(state, safe)
    safe.seek(0)
    try:
        return FeatureExtractorInceptionV3("inception", ["2048"], safe)
    except RuntimeError as error:
        raise MetricError(f"{path} is not of Inception: {error}") from error
