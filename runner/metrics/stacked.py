"""Modes of stacked images, counted by a classifier that is trained once and kept."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from knowledge.files import write_whole
from runner.metrics.modes import divergence

VERSION = 1  # raise it when training would end elsewhere
EPOCHS, BATCH, RATE = 3, 128, 2e-3
TESTED = 5_000  # images, a tenth of few, that the classifier is not trained on

Classify = Callable[[NDArray[np.uint8]], NDArray[np.int64]]  # (N, 1, S, S) to (N,)


def modes(images: NDArray[np.uint8], classify: Classify, classes: int) -> dict[str, float]:
    """Of the classes of three channels, (N, 3, S, S): how many occur, and KL from equal weights.

    One hit covers a mode, so that a classifier's errors cover modes that are not there: read the
    divergence beside it. PacGAN (Lin et al., 2018, section 4.2) takes 26,000 samples, which leave
    999 / 52,000 = 0.019 to the best.
    """
    codes = np.zeros(len(images), np.int64)
    for channel in range(images.shape[1]):
        codes = codes * classes + classify(images[:, channel : channel + 1])
    total = classes ** images.shape[1]
    counts = np.bincount(codes, minlength=total)
    return {
        "modes-covered": float((counts > 0).sum()),
        "reverse-kl": divergence(counts, np.full(total, 1 / total)),
    }


@dataclass(frozen=True)
class Classifier:
    network: nn.Module
    accuracy: float  # on images that it was not trained on
    device: torch.device

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        blocks = (images[start : start + 1000] for start in range(0, len(images), 1000))
        with torch.inference_mode():
            told = [self.network(pixels(block).to(self.device)).argmax(1).cpu() for block in blocks]
        return torch.cat(told).numpy()


def classifier(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    classes: int,
    fingerprint: str,
    cache: Path,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Of grey images (N, 1, S, S), in an order that is mixed; `fingerprint` is the data's."""
    device = torch.device(device)
    key = hashlib.sha256(f"classifier {VERSION} {fingerprint}".encode()).hexdigest()
    file = cache / f"{key[:32]}.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = layers(images.shape[-1], classes)
        accuracy = read(network, file, key)
        if accuracy is None:
            accuracy = fit(network, images, labels, device)
            cache.mkdir(parents=True, exist_ok=True)
            weights = {name: value.cpu() for name, value in network.state_dict().items()}
            metadata = {"classifier": json.dumps({"key": key, "accuracy": accuracy})}
            write_whole(file, save(weights, metadata))
    return Classifier(network.to(device).eval(), accuracy, device)


def layers(size: int, classes: int) -> nn.Sequential:
    widths = (1, 32, 64, 64)
    stack: list[nn.Module] = []
    for into, out in pairwise(widths):
        stack += [nn.Conv2d(into, out, 3, 2, 1), nn.BatchNorm2d(out), nn.ReLU()]
    side = -(-size // 8)
    return nn.Sequential(*stack, nn.Flatten(), nn.Linear(64 * side * side, classes))


def read(network: nn.Module, file: Path, key: str) -> float | None:
    """The accuracy of the weights that were kept, and None where there are none that fit."""
    try:
        with safe_open(file, framework="pt") as stored:
            metadata = json.loads((stored.metadata() or {})["classifier"])
            if metadata["key"] != key:
                return None
            network.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
            return float(metadata["accuracy"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError):
        return None


def fit(
    network: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    device: torch.device,
) -> float:
    """Trains, and returns the accuracy on the images kept aside."""
    aside = min(TESTED, len(images) // 10)
    network.to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    steps = EPOCHS * (-(-(len(images) - aside) // BATCH))
    falls = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    random = np.random.default_rng(0)
    for _ in range(EPOCHS):
        order = aside + random.permutation(len(images) - aside)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            scores = network(pixels(images[rows]).to(device))
            loss = F.cross_entropy(scores, torch.from_numpy(labels[rows]).to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falls.step()
    found = Classifier(network.eval(), 0.0, device)(images[:aside])
    return float((found == labels[:aside]).mean())


def pixels(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.array(images)).float() / 127.5 - 1
