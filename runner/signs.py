"""How the players fare, told from what a step has worked out anyway and without waiting for a GPU."""

from collections.abc import Mapping

import torch
from torch import Tensor

from runner.scene import Scene, Turn

SIGNS_EVERY = 8  # rounds; a curve's point has the mean of several
SIGNS_OF = ("real_score", "fake_score", "fake")  # what they are told from

Tally = dict[str, tuple[Tensor, int]]  # sums and counts


def note(tally: Tally, values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        total, count = tally.get(name, (0, 0))
        tally[name] = (total + value, count + 1)


def means(tally: Tally) -> dict[str, float]:
    return {name: float(total) / count for name, (total, count) in tally.items()}


@torch.no_grad()
def signs_of(turn: Turn, scene: Scene) -> dict[str, Tensor]:
    """Once a turn's gradients are there.

    "real-score" and "fake-score": the critic's means; "told-apart": the share of pairs of which
    it scores the real image higher. "slope": root mean square of the generator's gradient.
    "spread": how far apart the generated images of a batch are, beside the real ones: the root
    of the mean variance of a pixel.
    """
    known = scene.known
    found: dict[str, Tensor] = {}
    if "critic" in turn.players and "real_score" in known and "fake_score" in known:
        real, fake = known["real_score"].detach(), known["fake_score"].detach()
        found = {"real-score": real.mean(), "fake-score": fake.mean()}
        found["told-apart"] = (real > fake).float().mean()
    if "generator" in turn.players:
        slopes = [p.grad for p in known["generator"].parameters() if p.grad is not None]
        size = sum(slope.numel() for slope in slopes)
        if slopes:
            found["slope"] = torch.stack(torch._foreach_norm(slopes)).norm() / size**0.5
        if "fake" in known:
            found["spread"] = spread(known["fake"]) / spread(known["real"])
    return found


def spread(images: Tensor) -> Tensor:
    return images.float().var(0).mean().sqrt()
