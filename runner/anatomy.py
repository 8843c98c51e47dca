"""What a game is made of: layers, parameters, FLOPs and memory per image."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from knowledge.schema import Recipe, Record
from runner.parts.attention import Mixed
from runner.scene import Game, Scene, Turn, terms_due

FLOAT = 4  # bytes
# Beside the weights: their slopes, what the optimizer remembers, and the average.
MOMENTS = {"adam": 2, "rmsprop": 1}


class Layer(Record):
    name: str
    kind: str  # as torch calls it
    output: tuple[int, ...]  # of one image
    parameters: int
    flops: int  # forward, of one image; a multiplication with its addition is two


class Network(Record):
    name: str
    layers: tuple[Layer, ...]
    parameters: int
    flops: int


class Move(Record):
    """A turn of the game."""

    players: tuple[str, ...]
    terms: tuple[str, ...]
    times: int
    bytes_per_image: int  # kept for the way back, in float32


class Anatomy(Record):
    schema_version: Literal[1] = 1
    recipe: Recipe
    channels: int
    size: int
    networks: tuple[Network, ...]
    turns: tuple[Move, ...]
    fixed_bytes: int  # whatever the batch: weights, slopes, moments and the average

    @property
    def parameters(self) -> int:
        return sum(network.parameters for network in self.networks)

    @property
    def bytes_per_image(self) -> int:
        """Of the hungriest turn: what is kept is let go before the next."""
        return max(turn.bytes_per_image for turn in self.turns)


def anatomy(game: Game, recipe: Recipe, *, count: int = 4) -> Anatomy:
    """Plays each turn once, on noise, without learning from it."""
    seen: dict[str, list[Layer]] = {name: [] for name in game.networks}
    with noted(game, seen):
        turns = tuple(move(game, turn, count) for turn in game.turns)
    networks = tuple(
        Network(
            name=name,
            layers=tuple(layers),
            parameters=weights_of(game.networks[name]),
            flops=sum(layer.flops for layer in layers),
        )
        for name, layers in seen.items()
        if weights_of(game.networks[name])
    )
    averaged = sum(weights_of(game.networks[name]) for name in game.averaged)
    copies = 2 + MOMENTS[recipe.optimizer.name]
    return Anatomy(
        recipe=recipe,
        channels=game.image.channels,
        size=game.image.size,
        networks=networks,
        turns=turns,
        fixed_bytes=FLOAT * (copies * sum(n.parameters for n in networks) + averaged),
    )


def move(game: Game, turn: Turn, count: int) -> Move:
    device = torch.device("cpu")
    rng = torch.Generator().manual_seed(0)
    real = torch.rand(count, game.image.channels, game.image.size, game.image.size, generator=rng)
    around = {"real": 2 * real - 1, "count": count, "rng": rng, "device": device}
    for name, network in game.networks.items():
        network.requires_grad_(name in turn.players)
    lasting = {t.untyped_storage().data_ptr() for t in game.networks.state_dict().values()}
    scene = Scene(game.quantities, {**game.networks, **around})
    with kept(lasting) as storages:
        losses = [scene.work_out(term) for term in terms_due(turn, 0).values()]
    total = sum(storages.values())
    del losses
    return Move(
        players=turn.players,
        terms=tuple(turn.terms),
        times=turn.times,
        bytes_per_image=round(total / count),
    )


@contextmanager
def kept(lasting: set[int]) -> Iterator[dict[int, int]]:
    """The bytes that autograd keeps, by their place in memory; weights are counted elsewhere."""
    storages: dict[int, int] = {}
    held = []  # a place must not be used again while it is counted

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in lasting:
            storages[storage.data_ptr()] = storage.nbytes()
            held.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield storages


@contextmanager
def noted(game: Game, seen: dict[str, list[Layer]]) -> Iterator[None]:
    """Every layer is written down when it is first used."""
    handles = []
    for network, module in game.networks.items():
        for name, layer in leaves(module):
            note = partial(write_down, name or "network", seen[network])
            handles.append(layer.register_forward_hook(note))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def write_down(
    name: str, layers: list[Layer], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor
) -> None:
    if any(layer.name == name for layer in layers):
        return
    layers.append(
        Layer(
            name=name,
            kind=type(module).__name__.removeprefix("Parametrized"),
            output=tuple(output.shape[1:]),
            parameters=weights_of(module),
            flops=flops(module, inputs[0], output) // len(output),
        )
    )


def leaves(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules that work by themselves: what rebuilds a weight belongs to the layer it is of."""
    for name, module in network.named_modules():
        inner = [child for child, _ in module.named_children() if child != "parametrizations"]
        if not inner and "parametrizations" not in name:
            yield name, module


def flops(module: nn.Module, given: Tensor, output: Tensor) -> int:
    """Of the layers that matter; what costs a few operations for each number counts as none."""
    if isinstance(module, nn.ConvTranspose2d):
        taps = prod(module.kernel_size) * module.out_channels // module.groups
        return 2 * given.numel() * taps
    if isinstance(module, nn.Conv2d):
        taps = prod(module.kernel_size) * module.in_channels // module.groups
        return 2 * output.numel() * taps
    if isinstance(module, nn.Linear):
        return 2 * output.numel() * module.in_features
    if isinstance(module, Mixed):  # each place with each, once for the keys and once for the values
        return 4 * output.numel() * prod(output.shape[2:])
    return 0


def weights_of(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
