"""Where a batch does not fit into memory it goes through in parts, whose gradients add up."""

import gc
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from knowledge.schema import Recipe

# What torch says, besides its own kind of error: the allocator of the CPU, and cuBLAS.
SAYS = ("not enough memory", "can't allocate memory", "DefaultCPUAllocator", "ALLOC_FAILED")

# Of these a part of a batch is not a part of the whole: they look at all its images together.
OF_THE_BATCH = {
    "relativistic-average": "the averages of its loss",
    "dragan": "DRAGAN's noise",
    "pulling-away": "its pulling-away term",
}


def ran_out(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAYS)


def of_the_batch(recipe: Recipe, networks: nn.Module) -> list[str]:
    """What is not the same when a batch goes through in parts, in words."""
    parts = (recipe.loss, *recipe.penalties, *recipe.generator_penalties)
    found = [OF_THE_BATCH[part.name] for part in parts if part.name in OF_THE_BATCH]
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in networks.modules()):
        found.append("its batch norm")
    return found


def parts_of(batch: Mapping[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    """So many parts of a batch, as even as can be."""
    split = {name: value.tensor_split(count) for name, value in batch.items()}
    return [{name: values[at] for name, values in split.items()} for at in range(count)]


def free(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


class Before(NamedTuple):
    """Random numbers as they stood before a step."""

    own: Tensor
    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def of(cls, rng: torch.Generator) -> "Before":
        on_gpu = rng.device.type == "cuda"
        cuda = torch.cuda.get_rng_state(rng.device) if on_gpu else None
        return cls(rng.get_state(), torch.get_rng_state(), cuda)

    def restore(self, rng: torch.Generator) -> None:
        rng.set_state(self.own)
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, rng.device)


class Buffers:
    """What forward passes leave in networks: vectors of spectral norm, statistics of batch norm.

    Every part of a batch finds them as they were before the step, and the step leaves the mean of
    what the parts left, which is what the whole batch would have left but for the variance between
    parts.
    """

    def __init__(self, networks: nn.Module) -> None:
        buffers = list(networks.buffers())
        self.live = [b for b in buffers if b.is_floating_point()]
        self.counters = [b for b in buffers if not b.is_floating_point()]
        self.before = [b.clone() for b in (*self.live, *self.counters)]
        self.mean: list[Tensor] = []

    def remember(self) -> None:
        copy([*self.live, *self.counters], self.before)
        self.mean = []

    def restore(self) -> None:
        copy(self.before, [*self.live, *self.counters])

    def gather(self, share: float) -> None:
        """After a part; `share` is its own of all the images so far."""
        if not self.live:
            return
        if not self.mean:
            self.mean = [b.clone() for b in self.live]
        else:  # between equal numbers it gives just that number
            torch._foreach_lerp_(self.mean, self.live, share)

    def leave_mean(self) -> None:
        copy(self.mean, self.live)


@torch.no_grad()
def copy(these: Iterable[Tensor], there: Iterable[Tensor]) -> None:
    sources, targets = list(these), list(there)
    if sources:
        torch._foreach_copy_(targets, sources)
