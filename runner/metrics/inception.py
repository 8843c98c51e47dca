"""Features of the published FID: Inception with the weights of 2015, by torch-fidelity."""

import hashlib
import io
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from runner.metrics.engines import Engine, run_by
from runner.metrics.errors import MetricError
from runner.metrics.network import NetworkFeatures, digest_of, load_weights

SIZE = 299  # pixels
NAME = f"inception-2015@{SIZE}"
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


def inception(weights: Path | None, device: torch.device, engine: Engine) -> NetworkFeatures:
    """2048 features, before the classes.

    Weights other than those of 2015 are taken, but then the name says so and no score is an FID.
    """
    path = weights or weights_at_hand() or _download()
    published = _sha256(path) == SHA256
    if not published and weights is None:
        raise MetricError(f"{path} is not the Inception of 2015, or not all of it; delete it.")
    state = load_weights(path)
    digest = digest_of(
        state,
        network="inception, torch-fidelity",
        layer="2048",
        size=SIZE,
        resize=RESIZE,
        scale="(x - 128) / 128",
        precision="float32",
        engine=engine,
    )
    batch_size = 16 if device.type == "cpu" else 256
    return NetworkFeatures(
        name=NAME if published else f"inception-{digest[:8]}@{SIZE}",
        dimension=2048,
        resize=RESIZE,
        digest=digest,
        engine=engine,
        prepare=prepared,
        forward=run_by(engine, _network(state, path), (batch_size, 3, SIZE, SIZE), device),
        device=device,
        batch_size=batch_size,
    )


def prepared(images: Tensor) -> Tensor:
    """Resized and scaled, to the bit as torch-fidelity does it; uint8 (B, 3, H, W)."""
    images = images.float()
    # Along the rows before there are more of them, which takes a third of the time.
    for axis in (3, 2):
        images = _resized(images, axis)
    return (images - 128) / 128


def _resized(images: Tensor, axis: int) -> Tensor:
    """By lines between pixels, not by areas, and from the corner, as TensorFlow 1 had it."""
    length = images.shape[axis]
    place = torch.arange(SIZE, device=images.device) * torch.tensor(length / SIZE)
    low = place.long()
    beyond = place - low
    low_values = images.index_select(axis, low)
    rise = images.index_select(axis, (low + 1).clamp_max(length - 1)) - low_values
    return low_values + rise * (beyond if axis == 3 else beyond[:, None])


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


def _network(state: dict[str, Tensor], path: Path) -> nn.Module:
    """From pixels that are resized and scaled to the features before the classes."""
    # Here, not above: it imports torchvision, which takes seconds.
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # torch-fidelity unpickles whatever the file holds, so it gets tensors that we wrote.
    safe = io.BytesIO()
    torch.save(state, safe)
    safe.seek(0)
    try:
        whole = FeatureExtractorInceptionV3("inception", ["2048"], safe)
    except RuntimeError as error:
        raise MetricError(f"{path} is not of Inception: {error}") from error
    layers = dict(whole.named_children())
    del layers["fc"]
    return nn.Sequential(*layers.values(), nn.Flatten())
