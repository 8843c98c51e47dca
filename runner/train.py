"""The training loop: it plays turns, averages, looks, saves, and knows no GAN by name."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from knowledge.schema import Recipe
from runner import checkpoint as checkpoints
from runner.device import chosen_precision
from runner.memory import of_the_batch
from runner.plan import Precision
from runner.rounds import Batches, Decay, Look, Run, Splitting, Trained
from runner.scene import Game

LOOKS = 200  # points of the curves of a whole run


class Progress(NamedTuple):
    images_seen: int
    budget: int
    images_per_second: float
    losses: dict[str, float]  # of the last look
    seconds: float  # of training, over all sessions
    micro_batch: int | None = None  # images at a time, where a batch did not fit into memory
    history: Sequence[Look] = ()  # the whole curve so far


def train(
    game: Game,
    recipe: Recipe,
    batches: Batches,
    *,
    budget: int,
    whole: int | None = None,
    checkpoint: Path | None = None,
    precision: Precision | Literal["auto"] = "auto",
    device: torch.device | str = "cpu",
    compiled: bool = False,
    average_half_life: float = 0.05,
    seed: int = 0,
    identity: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    tell: Callable[[str], None] = checkpoints.warn,
    look_every: int | None = None,
    save_every: int | None = None,
    save_seconds: float = 60.0,
) -> Trained:
    """Plays rounds (every turn of the game) until the critic has been shown `budget` real images.

    The last round is finished, so a little more may be shown. `look_every` and `save_every` count
    images (by default: 200 looks a run; no saving but by the clock and at the end).
    `average_half_life` is a share of the run: half of the averaged generator's weight lies on that
    last part of it; 0 switches averaging off. Where `checkpoint` exists the run goes on from there,
    to the same weights that it would have had uninterrupted; a larger budget than before extends it.
    `whole` is the budget of the last stage of a run in stages: where rates decay, they end there.
    `identity` is what else must be the same as when the checkpoint was written; `tell` is told
    in a sentence what a user ought to know. A batch that does not fit into memory goes through in
    parts from there on.

    Raises Diverged, CheckpointError (the file is of another run), OSError (the disk is full) and
    what torch raises where not even one image fits.
    """
    device = torch.device(device)
    precision = chosen_precision(precision, device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)  # for what networks draw by themselves, as dropout does
        last = whole or budget
        decay = Decay(recipe.optimizer.decay_from, last)
        run = Run(game, batches, device, precision, average_half_life, seed, decay, compiled)
        run.policy.compile(game.networks, recipe)
        run.split = Splitting(of_the_batch(recipe, game.networks), tell)
        same = {"recipe": recipe.model_dump(mode="json"), **run.identity(), **(identity or {})}
        if checkpoint and (state := checkpoints.load(checkpoint, tell)) is not None:
            checkpoints.check_same_run(state["identity"], same, checkpoint)
            run.load_state_dict(state["run"])

        look_every = look_every or max(1, last // LOOKS)
        begun, images_before, seconds_before = time.perf_counter(), run.images_seen, run.seconds
        saved = told = begun
        while run.images_seen < budget:
            images = run.images_seen
            run.play_round()
            now = time.perf_counter()
            run.seconds = seconds_before + now - begun
            done = run.images_seen >= budget

            # Where the stages of a run end must not show in its curves.
            looked = passed(look_every, images, run.images_seen) or run.images_seen >= last
            if looked:
                run.look()
            if checkpoint:
                due = done or passed(save_every, images, run.images_seen)
                if due:
                    run.check_weights()
                elif now - saved > save_seconds:
                    # The clock must not decide when divergence is noticed: the next rounds do.
                    due, saved = run.weights_are_finite(), now
                if due:
                    checkpoints.save(checkpoint, {"identity": same, "run": run.state_dict()})
                    saved = now
            if on_progress and (looked or done or now - told > 1):
                pace = (run.images_seen - images_before) / (now - begun)
                seen, last_ones = run.images_seen, run.last_losses
                on_progress(
                    Progress(
                        seen, budget, pace, last_ones, run.seconds, run.micro_batch, run.history
                    )
                )
                told = now
        run.check_weights()
        return run.trained()


def passed(every: int | None, before: int, now: int) -> bool:
    return every is not None and now // every > before // every
