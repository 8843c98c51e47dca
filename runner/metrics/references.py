"""The held-out images that every candidate is measured against, and a cache of their features."""

import hashlib
import os
import tempfile
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from runner.metrics.features import Extractor
from runner.metrics.frechet import Features, Target
from runner.metrics.kernel import KernelTarget
from runner.metrics.neighbours import Neighbourhoods
from runner.metrics.pixels import Images, pick
from runner.metrics.points import Cloud


@dataclass(frozen=True)
class Reference:
    """Real images as their features, ready to be held against."""

    extractor: Extractor
    features: NDArray[np.float32]  # (N, dimension)
    target: Target | Cloud
    key: str  # of the pixels and the features: scores against unlike ones cannot be compared

    @property
    def count(self) -> int:
        return self.target.count

    def distance(self, features: Features) -> float:
        """From features by this reference's extractor: Fréchet's, or Wasserstein's of points."""
        return self.target.distance(features)

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        return Neighbourhoods.of(self.features)

    @cached_property
    def kernel(self) -> KernelTarget:
        return KernelTarget(self.features)


def reference(
    images: Images, extractor: Extractor, *, n: int, cache: Path | None = None
) -> Reference:
    """n of the held-out images, always the same ones, uint8 (N, 1 or 3, H, W).

    With a cache folder the features are worked out once. The file's name is a hash of the pixels
    and of the extractor's digest, so nothing can be found under another data set's name; a torn
    or foreign file is worked out again.
    """
    picked = pick(images, n, seed=0)
    some = picked.cpu().numpy() if isinstance(picked, Tensor) else picked
    key = _key(some, extractor)
    file = cache / f"reference-{key[:32]}.safetensors" if cache else None
    found = _read(file, key, extractor) if file else None
    if found is None:
        features = extractor(some)
        found = Reference(extractor, features, Target.of(features), key)
        if file:
            _write(found, file)
    return found


def reference_points(points: Images, extractor: Extractor, *, n: int) -> Reference:
    """n of the held-out points, always the same ones, to be held against one by one."""
    picked = pick(points, n, seed=0)
    some = picked.cpu().numpy() if isinstance(picked, Tensor) else picked
    features = extractor(some)
    return Reference(extractor, features, Cloud(features), _key(some, extractor))


def _key(images: NDArray[np.generic], extractor: Extractor) -> str:
    digest = hashlib.sha256(f"reference 1 {extractor.digest} {images.shape}".encode())
    digest.update(np.ascontiguousarray(images).reshape(-1).data)
    return digest.hexdigest()


def _read(file: Path, key: str, extractor: Extractor) -> Reference | None:
    """None where there is no such file, or not a whole one of ours."""
    try:
        with safe_open(file, framework="np") as stored:
            if (stored.metadata() or {}).get("key") != key:
                return None
            features, mean, root = (stored.get_tensor(k) for k in ("features", "mean", "root"))
    except (OSError, SafetensorError):
        return None
    return Reference(extractor, features, Target(mean, root, len(features)), key)


def _write(reference: Reference, file: Path) -> None:
    """Whole or not at all. A cache that cannot be written costs time, not the run."""
    assert isinstance(reference.target, Target)  # points are measured anew every time
    tensors: dict[str, NDArray[np.floating]] = {
        "features": reference.features,
        "mean": reference.target.mean,
        "root": reference.target.root,
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as beside:
            save_file(tensors, Path(beside) / file.name, metadata={"key": reference.key})
            os.replace(Path(beside) / file.name, file)
    except (OSError, SafetensorError) as error:
        warnings.warn(f"The reference was not kept in {file.parent}: {error}", stacklevel=3)
