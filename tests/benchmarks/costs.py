"""What the options of the space cost, beside a plain DCGAN: python -m tests.benchmarks.costs

The figures of `relative_cost` and `relative_memory` in knowledge/axes/ and GENERATOR_TURN in
advisor/costs.py: colour images of 32 px, batches of 64, networks as the options give them, float32 on
one thread. Time is the processor's for one turn of the critic and one of the generator, each time
beside the plain DCGAN's. Memory is what a turn keeps for its gradients, with weights, gradients and
Adam's two moments.
"""

from statistics import median
from time import process_time

import torch
from torch import Tensor

from advisor.compose import compose
from knowledge.library import Library, load
from knowledge.schema import Recipe, Slot
from runner.game import build
from runner.scene import ImageShape
from runner.train import Decay, Run
from tests.benchmarks.loop import BATCH

IMAGE = ImageShape(channels=3, size=32)
REPETITIONS = 7
NEVER = Decay(None, 0)
LOSS = {"weight-clipping": "wgan", "weight-decay": "ls-gan"}  # that the option belongs to
MEASURED: tuple[Slot, ...] = ("architecture", "regularization", "normalization", "optimizer")


class Noise:
    """One batch, over and over: only the loop is measured."""

    def __init__(self) -> None:
        self.real = torch.rand(BATCH, IMAGE.channels, IMAGE.size, IMAGE.size) * 2 - 1

    def __next__(self) -> dict[str, Tensor]:
        return {"real": self.real}

    def state_dict(self) -> dict[str, object]:
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None:
        pass


def main() -> None:
    torch.set_num_threads(1)
    runs = {name: started(recipe) for name, recipe in recipes(load()).items()}
    plain = runs["plain"]
    print("| option | time | memory |\n|---|---:|---:|")
    shares = []
    for name, run in runs.items():
        seconds(run)  # the first one warms up
        pairs = [(seconds(run), seconds(plain)) for _ in range(REPETITIONS)]
        shares += [generator / critic for _, (critic, generator) in pairs]
        time = median(sum(own) / sum(other) for own, other in pairs)
        print(f"| {name} | {time:.2f} | {kept(run) / kept(plain):.2f} |")
    print(f"\nA generator's turn takes {median(shares):.2f} of a critic's.")


def recipes(library: Library) -> dict[str, Recipe]:
    """The plain DCGAN, and it with one option changed at a time."""
    plain = {
        **library.baseline.combination, "architecture": "dcgan", "regularization": "none"
    }  # fmt: skip
    points = {"plain": plain}
    for slot in MEASURED:
        for option in library.axes[slot].options:
            if option.id != plain[slot]:
                points[f"{slot}: {option.id}"] = {
                    **plain,
                    slot: option.id,
                    "loss": LOSS.get(option.id, "gan"),
                }
    return {name: compose(point, None, (), library)[0] for name, point in points.items()}


def started(recipe: Recipe) -> Run:
    game = build(recipe, IMAGE, seed=0)
    return Run(game, Noise(), torch.device("cpu"), "float32", 0.05, 0, NEVER)


def seconds(run: Run) -> list[float]:
    """Of the processor, for each turn."""
    found = []
    for index in range(len(run.game.turns)):
        movers(run, index)
        begun = process_time()
        run.step(index, run.game.turns[index])
        found.append(process_time() - begun)
    return found


def movers(run: Run, index: int) -> None:
    for name, network in run.game.networks.items():
        network.requires_grad_(name in run.game.turns[index].players)


def kept(run: Run) -> int:
    """Bytes at the peak of training."""
    weights = sum(p.nbytes for net in run.game.networks.values() for p in net.parameters())
    return 4 * weights + max(graph(run, index) for index in range(len(run.game.turns)))


def graph(run: Run, index: int) -> int:
    """What the graph of one step holds on to, each storage once."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    movers(run, index)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run.step(index, run.game.turns[index])
    return sum(storages.values())


if __name__ == "__main__":
    main()
