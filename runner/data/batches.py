"""Endless batches of an image set, the same from the same seed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from runner.data.images import Labels, Pixels, Points


class Batches(Iterator[dict[str, Tensor]]):
    """Every image once an epoch, in a new order; batches are whole and run across the epochs.

    Which images come next follows from the seed and the number already served, nothing else: that
    pair is the whole state.
    """

    def __init__(
        self,
        images: Pixels | Points,
        *,
        batch_size: int,
        seed: int,
        device: torch.device | str,
        labels: Labels | None = None,
        channels_last: bool = False,
    ) -> None:
        if not len(images) or batch_size < 1:
            raise ValueError(f"batches of {batch_size} from {len(images)} images")
        self.images, self.labels = images, labels
        self.batch_size, self.seed = batch_size, seed
        self.device = torch.device(device)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.served = 0  # images
        self.epoch, self.order = -1, np.empty(0, np.intp)

    def __next__(self) -> dict[str, Tensor]:
        """ "real": float32 in [-1, 1], (B, C, H, W); "labels": int64, (B,), where there are any."""
        rows = self.next_rows()
        values = self.moved(self.images[rows])
        if values.dtype == torch.uint8:  # points are in their range already
            values = values.to(torch.float32).div_(127.5).sub_(1)
        batch = {"real": values.contiguous(memory_format=self.layout)}
        if self.labels is not None:
            batch["labels"] = self.moved(self.labels[rows])
        return batch

    def next_rows(self) -> np.ndarray:
        """The images of the next batch, by number."""
        parts, missing = [], self.batch_size
        while missing:
            epoch, start = divmod(self.served, len(self.images))
            part = self.epoch_order(epoch)[start : start + missing]
            parts.append(part)
            missing -= len(part)
            self.served += len(part)
        return np.concatenate(parts)

    def epoch_order(self, epoch: int) -> np.ndarray:
        if epoch != self.epoch:
            random = np.random.default_rng((self.seed, epoch))
            self.epoch, self.order = epoch, random.permutation(len(self.images))
        return self.order

    def moved(self, values: np.ndarray) -> Tensor:
        """On the device; to a GPU without waiting for the copy."""
        tensor = torch.from_numpy(values)
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def state_dict(self) -> dict[str, Any]:
        return {"seed": self.seed, "served": self.served, "images": len(self.images)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another left off. Raises ValueError for the state of other images."""
        if state["images"] != len(self.images):
            raise ValueError(f"these are {len(self.images)} images, not {state['images']}")
        self.seed, self.served, self.epoch = int(state["seed"]), int(state["served"]), -1
