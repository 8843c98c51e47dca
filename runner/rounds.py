"""Rounds of a game: all that changes while it is played, which is what a checkpoint holds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from runner.average import Average, lasting
from runner.device import LEAST_SCALE, Policy
from runner.memory import Before, Buffers, free, parts_of, ran_out
from runner.plan import Precision
from runner.scene import Game, Scene, Term, Turn, needs, terms_due
from runner.signs import SIGNS_EVERY, SIGNS_OF, Tally, means, note, signs_of

# Rounds between two looks for NaN. A look waits for a GPU, and costs nothing on a CPU.
CHECK_EVERY = {"cpu": 1}
CHECK_ELSEWHERE = 50


class Batches(Protocol):
    """Endless batches that can go on where they stopped."""

    def __next__(self) -> Mapping[str, Tensor]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Look(NamedTuple):
    """A point of the curves."""

    images_seen: int
    losses: dict[str, float]  # means since the look before
    signs: dict[str, float]  # of how the players fare, see runner/signs.py; means as well


class Trained(NamedTuple):
    game: Game  # with the averaged generator, in eval mode
    images_seen: int
    rounds: int
    seconds: float  # of training, over all sessions
    history: list[Look]
    precision: Precision
    micro_batch: int | None = None  # images at a time, where a batch did not fit into memory

    @property
    def generator(self) -> nn.Module:
        return self.game.networks["generator"]


class Diverged(ArithmeticError):
    """A loss is no longer finite, or the "weights" are not."""

    def __init__(self, images_seen: int, loss: str, history: list[Look]) -> None:
        super().__init__(images_seen, loss, history)  # as they are: it crosses process borders
        self.images_seen = images_seen
        self.loss = loss
        self.history = history  # until then

    def __str__(self) -> str:
        return f"not finite after {self.images_seen:,} images: {self.loss}"


class Decay(NamedTuple):
    """Rates that stay, and then fall on a line to zero at the end of the run."""

    begins: float | None  # a share of the run
    ends: int  # real images shown to the critic

    def share(self, images_seen: int) -> float:
        """Of the rates that the recipe gives."""
        if self.begins is None:
            return 1.0
        left = 1 - images_seen / self.ends
        return min(1.0, max(0.0, left / (1 - self.begins)))


class Splitting(NamedTuple):
    """What happens when memory runs out."""

    of_the_batch: Sequence[str]  # what is not quite the same in parts
    tell: Callable[[str], None]

    @property
    def least(self) -> int:
        """Images of a part: statistics of a single one are none."""
        return 2 if self.of_the_batch else 1


@dataclass
class Run:
    """Everything that changes while training: what a checkpoint holds."""

    game: Game
    batches: Batches
    device: torch.device
    precision: Precision
    half_life: float
    seed: int
    decay: Decay
    compiled: bool = False
    split: Splitting | None = None  # None: running out of memory is an error
    parts: int = 1  # in which a batch goes through
    images_seen: int = 0
    rounds: int = 0
    seconds: float = 0.0
    tally: Tally = field(default_factory=dict)  # of losses
    signs: Tally = field(default_factory=dict)
    history: list[Look] = field(default_factory=list)
    batch: dict[str, Tensor] = field(default_factory=dict)  # the last one drawn
    kept: dict[str, Tensor] = field(default_factory=dict)  # worked out ahead for the next turn

    def __post_init__(self) -> None:
        networks = self.game.networks
        self.policy = Policy(self.device, self.precision, self.compiled)
        self.policy.settle(networks.train())
        self.optimizers = [turn.optimizer(self.learnt_in(turn)) for turn in self.game.turns]
        self.rates = [[group["lr"] for group in o.param_groups] for o in self.optimizers]
        self.scalers = [self.policy.scaler() for _ in self.game.turns]
        self.steps = [0 for _ in self.game.turns]
        live = nn.ModuleDict({name: networks[name] for name in self.game.averaged})
        self.average = Average(live, self.half_life)
        self.rng = torch.Generator(self.device).manual_seed(self.seed)
        self.buffers = Buffers(networks)

    def play_round(self) -> None:
        self.policy.begin_round()
        before = self.images_seen
        for index, turn in enumerate(self.game.turns):
            for name, network in self.game.networks.items():
                network.requires_grad_(name in turn.players)
            coming = self.game.turns[index + 1 : index + 2]
            for left in reversed(range(turn.times)):
                self.step(index, turn, *(coming if not left else ()))
        self.rounds += 1
        if self.rounds % CHECK_EVERY.get(self.device.type, CHECK_ELSEWHERE) == 0:
            self.check_losses()
        self.average.update(self.images_seen - before, self.images_seen)

    def step(self, index: int, turn: Turn, coming: Turn | None = None) -> None:
        """`coming` is the turn after this step, if that is the last one of its own."""
        if turn.fresh:
            self.draw()
        optimizer, scaler = self.optimizers[index], self.scalers[index]
        self.set_rates(index)
        scene = self.find_gradients(index, terms_due(turn, self.steps[index]), coming)
        scaler.unscale_(optimizer)
        if self.reads_signs:
            note(self.signs, signs_of(turn, scene))
        scaler.step(optimizer)
        scaler.update()
        for consequence in turn.after:
            scene.work_out(consequence)
        self.steps[index] += 1

    def find_gradients(
        self, index: int, terms: Mapping[str, Term], coming: Turn | None = None
    ) -> Scene:
        """Where memory runs out the batch is halved, and the step begins anew as if never tried."""
        before = Before.of(self.rng)
        self.buffers.remember()
        while True:
            self.optimizers[index].zero_grad()
            try:
                if self.parts > 1:
                    return self.in_parts(index, terms, coming)
                return self.at_once(index, terms, coming)
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error) or not self.can_halve():
                    raise
            # Only here is nothing left of the error, whose frames hold what filled the memory.
            self.halve()
            before.restore(self.rng)
            self.buffers.restore()

    def at_once(self, index: int, terms: Mapping[str, Term], coming: Turn | None) -> Scene:
        ahead = self.ahead(self.game.turns[index], coming) if coming and coming.shares else {}
        cut_off = {name: value.detach() for name, value in ahead.items()}
        scene = self.scene({**self.batch, **self.kept, **cut_off})
        losses = self.losses(scene, terms)
        self.go_back(index, losses.values())
        note(self.tally, {name: loss.detach() for name, loss in losses.items()})
        self.kept = ahead
        return scene

    def ahead(self, turn: Turn, coming: Turn) -> dict[str, Tensor]:
        """What the coming turn shares with this one, worked out so that its own players can learn.

        One generated batch teaches both: the critic, which gets it cut off from the generator, and
        after it the generator, which need not generate another.
        """
        players = [self.game.networks[name] for name in coming.players if name not in turn.players]
        for network in players:
            network.requires_grad_(True)
        scene = self.scene(self.batch)
        with self.policy.autocast():
            found = {name: scene[name] for name in coming.shares}
        for network in players:
            network.requires_grad_(False)
        return found

    def in_parts(self, index: int, terms: Mapping[str, Term], coming: Turn | None) -> Scene:
        """The mean over a batch is the mean over parts, each weighing as many images as it has.

        What the coming turn shares and no network works out, as latents, is kept for it; the rest
        it works out anew, so that what only gradients need is let go with each part.

        Parts draw their random numbers one after another, so they are others than the whole would
        draw wherever more than the latents are drawn.
        """
        after = self.game.turns[index].after
        asked = {name for consequence in after for _, name in needs(consequence)}
        if self.reads_signs:
            asked.update(SIGNS_OF)
        drawn = self.drawn(coming.shares) if coming else []
        asked.update(drawn)
        known: dict[str, list[Tensor]] = {}
        sums: dict[str, Tensor] = {}
        done = 0
        for part in parts_of({**self.batch, **self.kept}, self.parts):
            if done:
                self.buffers.restore()
            scene = self.scene(part)
            count = scene["count"]
            done += count
            losses = self.losses(scene, terms)
            weighted = {name: count / self.count * loss for name, loss in losses.items()}
            self.go_back(index, weighted.values())
            for name, loss in weighted.items():
                sums[name] = sums.get(name, 0) + loss.detach()
            for name in asked & scene.known.keys() - self.game.networks.keys():
                known.setdefault(name, []).append(scene.known[name].detach())
            self.buffers.gather(count / done)
        self.buffers.leave_mean()
        note(self.tally, sums)
        found = {name: torch.cat(all) for name, all in known.items()}
        self.kept = {name: found[name] for name in drawn if name in found}
        return self.scene({**self.batch, **found})

    def drawn(self, names: Iterable[str]) -> list[str]:
        """Those of the quantities that do not come out of a network."""
        networks = self.game.networks.keys()
        return [
            name
            for name in names
            if not any(needed in networks for _, needed in needs(self.game.quantities[name]))
        ]

    def go_back(self, index: int, losses: Iterable[Tensor]) -> None:
        total = sum(losses, torch.zeros((), device=self.device))
        torch.autograd.backward(self.scalers[index].scale(total))

    def scene(self, batch: Mapping[str, Tensor]) -> Scene:
        count = len(next(iter(batch.values())))
        around = {"count": count, "rng": self.rng, "device": self.device}
        return Scene(self.game.quantities, {**self.game.networks, **batch, **around})

    def can_halve(self) -> bool:
        return self.split is not None and self.parts < self.count // self.split.least

    def halve(self) -> None:
        assert self.split is not None  # or it could not
        self.kept = {name: self.kept[name].detach() for name in self.drawn(self.kept)}
        free(self.device)
        held = self.micro_batch or self.count
        self.parts = min(2 * self.parts, self.count // self.split.least)
        says = f"out of memory with {held} images at a time: it goes on with {self.micro_batch}, "
        says += f"{self.parts} parts of each batch being added up"
        if self.split.of_the_batch:
            seen = " and ".join(self.split.of_the_batch)
            says += f", which is not quite the same for {seen}"
        self.split.tell(says)

    @property
    def micro_batch(self) -> int | None:
        return -(-self.count // self.parts) if self.parts > 1 else None

    def set_rates(self, index: int) -> None:
        if self.decay.begins is not None:
            share = self.decay.share(self.images_seen - self.count)  # before this batch
            groups = self.optimizers[index].param_groups
            for group, rate in zip(groups, self.rates[index], strict=True):
                group["lr"] = share * rate

    def losses(self, scene: Scene, terms: Mapping[str, Term]) -> dict[str, Tensor]:
        with self.policy.autocast():
            losses = {name: scene.work_out(term) for name, term in terms.items()}
        return losses

    def draw(self) -> None:
        self.batch = {k: self.policy.placed(value) for k, value in next(self.batches).items()}
        self.images_seen += self.count

    @property
    def count(self) -> int:
        return len(next(iter(self.batch.values())))

    def learnt_in(self, turn: Turn) -> list[nn.Parameter]:
        return [p for name in turn.players for p in self.game.networks[name].parameters()]

    # Health and curves -----------------------------------------------------------------------

    @property
    def reads_signs(self) -> bool:
        return self.rounds % SIGNS_EVERY == 0

    @property
    def last_losses(self) -> dict[str, float]:
        return self.history[-1].losses if self.history else {}

    def look(self) -> None:
        self.check_losses()
        self.check_scales()
        signs = {name: value for name, value in means(self.signs).items() if isfinite(value)}
        self.history.append(Look(self.images_seen, means(self.tally), signs))
        self.tally, self.signs = {}, {}

    def check_losses(self) -> None:
        """A sum that is not finite had a loss that was not."""
        for name, (total, _) in self.tally.items():
            if not total.isfinite():
                raise Diverged(self.images_seen, name, self.history)

    def check_scales(self) -> None:
        """In float16 a step with infinite gradients is left out: were all of them, nothing learns."""
        for scaler in self.scalers:
            if scaler.is_enabled() and scaler.get_scale() < LEAST_SCALE:
                raise Diverged(self.images_seen, "gradients", self.history)

    def check_weights(self) -> None:
        """What is saved or handed over is finite: the last step may have had a NaN gradient."""
        self.check_losses()
        if not self.weights_are_finite():
            raise Diverged(self.images_seen, "weights", self.history)

    def weights_are_finite(self) -> bool:
        both = (self.game.networks, self.average.networks)
        tensors = [tensor for networks in both for _, tensor in lasting(networks)]
        return bool(torch.stack([t.isfinite().all() for t in tensors]).all())

    def trained(self) -> Trained:
        networks = nn.ModuleDict({**self.game.networks, **self.average.networks}).eval()
        game = replace(self.game, networks=networks)
        return Trained(
            game,
            self.images_seen,
            self.rounds,
            self.seconds,
            self.history,
            self.precision,
            self.micro_batch,
        )

    # Checkpoints -----------------------------------------------------------------------------

    def identity(self) -> dict[str, Any]:
        return {
            "image": self.game.image._asdict(),
            "seed": self.seed,
            "device": self.device.type,
            "precision": self.precision,
            "compiled": self.compiled,
            "average half-life": self.half_life,
            "rates end": self.decay.ends if self.decay.begins is not None else None,
        }

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers, strings and containers only."""
        on_gpu = self.device.type == "cuda"
        return {
            "networks": self.game.networks.state_dict(),
            "average": self.average.networks.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "scalers": [scaler.state_dict() for scaler in self.scalers],
            "batches": self.batches.state_dict(),
            "batch": self.batch,
            "rng": self.rng.get_state(),
            "cpu rng": torch.get_rng_state(),
            "cuda rng": torch.cuda.get_rng_state(self.device) if on_gpu else None,
            "images_seen": self.images_seen,
            "rounds": self.rounds,
            "steps": self.steps,
            "parts": self.parts,
            "seconds": self.seconds,
            "tally": self.tally,
            "signs": self.signs,
            "history": [tuple(look) for look in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.game.networks.load_state_dict(state["networks"])
        self.average.networks.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for scaler, saved in zip(self.scalers, state["scalers"], strict=True):
            if saved:  # of one that scales nothing there is nothing
                scaler.load_state_dict(saved)
        self.batches.load_state_dict(state["batches"])
        self.batch = {k: self.policy.placed(value) for k, value in state["batch"].items()}
        self.rng.set_state(state["rng"])
        torch.set_rng_state(state["cpu rng"])
        if state["cuda rng"] is not None:
            torch.cuda.set_rng_state(state["cuda rng"], self.device)
        self.images_seen, self.rounds = state["images_seen"], state["rounds"]
        self.steps, self.seconds = state["steps"], state["seconds"]
        self.parts = state["parts"]
        self.tally, self.signs = (
            {name: (total.to(self.device), count) for name, (total, count) in state[kind].items()}
            for kind in ("tally", "signs")
        )
        self.history = [Look(*look) for look in state["history"]]
