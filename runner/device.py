"""What is made of the hardware: precision, memory layout and compilation, decided in one place.

Nothing here asks for a GPU by name but where only a GPU has a thing; the tests play all of it on a
CPU.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from knowledge.schema import Recipe
from runner.plan import Precision

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
TENSOR_CORES = (7, 0)  # CUDA capability from which float16 is faster than float32

# CUDA graphs, where shapes stay as they are: a small network's step is a hundred launches that
# take longer than what they launch.
MODES = {"cuda": "reduce-overhead"}

# A loss scale so small means that gradients have not been finite for dozens of steps on end.
LEAST_SCALE = 2.0**-14


class Policy(NamedTuple):
    """How networks are laid out, computed and stepped."""

    device: torch.device
    precision: Precision
    compiled: bool = False
    layout: torch.memory_format = torch.channels_last

    def settle(self, networks: nn.Module) -> None:
        """Moves them to the device, once, before optimizers see their weights."""
        networks.to(self.device).to(memory_format=self.layout)

    def placed(self, value: Tensor) -> Tensor:
        """A batch from pinned memory comes while the device computes."""
        value = value.to(self.device, non_blocking=True)
        return value.contiguous(memory_format=self.layout) if value.ndim == 4 else value

    def autocast(self) -> torch.autocast:
        reduced = DTYPES.get(self.precision)
        return torch.autocast(self.device.type, reduced, enabled=reduced is not None)

    def scaler(self) -> torch.amp.GradScaler:
        """float16 loses gradients below 6e-8, so losses are scaled up (Micikevicius et al., 2018,
        "Mixed Precision Training", section 3.2) and steps with infinite gradients left out."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "float16")

    def compile(self, networks: nn.ModuleDict, recipe: Recipe) -> None:
        if self.compiled:
            for name in compilable(networks, recipe):
                networks[name].compile(mode=MODES.get(self.device.type))

    def begin_round(self) -> None:
        """What the round before left in the memory of CUDA graphs may be overwritten from here."""
        if self.compiled and self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()


# Where a second derivative by the critic's input reaches the generator only through images that
# are cut off from it.
CUT_OFF = ("plain", "auto-encoder-critic")


def compilable(networks: nn.ModuleDict, recipe: Recipe) -> list[str]:
    """Compiled networks have no second derivatives, which most penalties take, and cannot renew a
    weight between two calls and one backward pass, as spectral norm does."""
    able = {
        "critic": not (recipe.penalties or recipe.normalizers),
        "generator": not recipe.generator_penalties and recipe.structure.name in CUT_OFF,
    }
    return [name for name in networks if able.get(name)]


def chosen_precision(precision: Precision | Literal["auto"], device: torch.device) -> Precision:
    """What the hardware computes with fastest, unless told."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16"
        capable = torch.cuda.get_device_capability(device) >= TENSOR_CORES
        return "float16" if capable else "float32"
    native = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


# When to compile --------------------------------------------------------------------------------

LONG = 120.0  # seconds of training below which it is not even tried: compiling takes up to a minute
GAIN = 1.1  # so much faster a whole trial has to be, compiling included
ALIKE = 0.05  # relative difference of first losses; bfloat16 has three digits


class Trying(NamedTuple):
    """An arm's pace as it is and compiled, and what that costs."""

    plain: float  # real images per second
    compiled: float
    seconds: float  # of compiling, once a trial
    difference: float  # of the first rounds' losses, relative


def worth_trying(budget: int, plain: float) -> bool:
    return budget / plain >= LONG


def repays(budget: int, tried: Trying) -> bool:
    """Whether a trial of so many images ends earlier with compiled networks, and as it should."""
    if not tried.difference <= ALIKE:  # NaN is no agreement
        return False
    return GAIN * (tried.seconds + budget / tried.compiled) <= budget / tried.plain
