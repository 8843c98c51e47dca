"""A frozen network as an extractor of features."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from runner.metrics import pixels
from runner.metrics.engines import Engine, Forward
from runner.metrics.errors import MetricError
from runner.metrics.pixels import Images


@dataclass(frozen=True)
class NetworkFeatures:
    """A frozen network's features, a batch at a time; grey images are repeated to three channels.

    On a CPU an image's features have the same bits whatever images come with it. Another machine
    differs by rounding, which the digest does not tell.
    """

    name: str
    dimension: int
    resize: str
    digest: str
    engine: Engine
    prepare: Callable[[Tensor], Tensor]  # uint8 (B, 3, H, W) to what the network sees
    forward: Forward
    device: torch.device
    batch_size: int

    @torch.inference_mode()
    def __call__(self, images: Images) -> NDArray[np.float32]:
        """uint8 (N, 1 or 3, H, W) to (N, dimension)."""
        pixels.check(images)
        features = torch.empty(len(images), self.dimension, device=self.device)
        with _full_precision(self.device):
            for start in range(0, len(images), self.batch_size):
                some = slice(start, start + self.batch_size)
                batch = self._moved(images[some])
                count = len(batch)
                # Always full: for few images other kernels are chosen, which round otherwise.
                batch = F.pad(batch, (0, 0, 0, 0, 0, 0, 0, self.batch_size - count))
                seen = self.prepare(batch.expand(-1, 3, -1, -1))
                features[some] = self.forward(seen)[:count]
        return features.cpu().numpy()

    def _moved(self, images: Images) -> Tensor:
        # A copy: a memory map may be read-only, and then torch warns.
        batch = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
        if self.device.type == "cuda" and not batch.is_cuda:
            batch = batch.pin_memory()  # so that the next batch is copied while this one is seen
        return batch.to(self.device, non_blocking=True)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """float32 whatever the caller trains in: autocast and TF32 would change the features."""
    with ExitStack() as settings:
        settings.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            settings.enter_context(
                torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                )
            )
        yield


def digest_of(weights: Mapping[str, Tensor], **protocol: str | int) -> str:
    """sha256 over a network's tensors and the settings it is used with."""
    digest = hashlib.sha256(json.dumps(protocol, sort_keys=True).encode())
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name; nothing in the file is executed. Raises MetricError naming the file."""
    try:
        weights: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise MetricError(f"There is no weights file {path}.") from None
    except Exception as error:  # a damaged file can fail in any way
        raise MetricError(f"{path} cannot be read as network weights: {error}") from error
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise MetricError(f"{path} does not hold network weights (a dictionary of tensors).")
    return weights
