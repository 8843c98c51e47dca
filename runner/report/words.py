"""Standings, trials and recipes in words: the same wherever a report is written."""

from collections.abc import Iterator, Sequence

from knowledge.schema import Recipe
from runner.metrics import Score
from runner.results import Leaderboard, Standing, TrialResult
from runner.wording import figures, images, part

KINDS = {"noise": "noise", "mean": "the mean image", "blur": "blurred real images"}
OF_POINTS = {"mean": "the mean point"}


def held(board: Leaderboard, *, points: bool = False) -> list[tuple[str, Score]]:
    """What stands below the arms for comparison, real images, or points, first."""
    real = [("real points" if points else "real images", board.floor)] if board.floor else []
    kinds = {**KINDS, **OF_POINTS} if points else KINDS
    return [*real, *((kinds.get(name, name), score) for name, score in board.anchors.items())]


def place(each: Standing, standings: Sequence[Standing]) -> str:
    if each.mean is None:
        return "–"
    tied = sum(other.rank == each.rank for other in standings) > 1
    return f"{each.rank}=" if tied else str(each.rank)


def in_words(result: TrialResult) -> str:
    """What its looks saw, and how it ended."""
    seed, looks = result.trial.which, result.looks
    says = f"{seed} without a look"
    if looks:
        says = f"{seed} at {figures(looks[-1].value)} after {images(looks[-1].images_seen)} images"
        if len(looks) > 1:
            says = f"{seed} from {figures(looks[0].value)} to{says.removeprefix(f'{seed} at')}"
    ended = f", {result.status} at {images(result.images_seen)}"
    return says if result.status in ("finished", "paused") else says + ended


def recipe_rows(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """How an arm was trained, in the words of its YAML."""
    optimizer = recipe.optimizer
    yield "backbone", part(recipe.backbone)
    yield "structure", part(recipe.structure)
    chosen = recipe.divergence
    divergence = chosen if isinstance(chosen, str) else part(chosen)
    yield "loss", f"{part(recipe.loss)}, divergence {divergence}"
    lists = ("penalties", "generator_penalties", "augmentations", "normalizers", "constraints")
    for name in lists:
        if parts := getattr(recipe, name):
            yield name.replace("_", " "), "; ".join(map(part, parts))
    yield "normalization", f"critic {recipe.critic_norm}, generator {recipe.generator_norm}"
    rates = f"rate {optimizer.rate:g}"
    if optimizer.critic_rate is not None:
        rates = f"generator's {rates}, critic's {optimizer.critic_rate:g}"
    inner = f"betas {optimizer.betas[0]:g} and {optimizer.betas[1]:g}"
    if optimizer.name == "rmsprop":
        inner = f"smoothing {optimizer.smoothing:g}"
    if optimizer.critic_weight_decay:
        inner += f", critic's weight decay {optimizer.critic_weight_decay:g}"
    if optimizer.decay_from is not None:
        inner += f", rates falling to zero from {optimizer.decay_from:.0%} of the run on"
    yield "optimizer", f"{optimizer.name}, {rates}, {inner}"
    yield "critic steps", f"{optimizer.critic_steps} for each generator step"
    yield "batch", f"{recipe.batch_size} images, {recipe.latent_dim} latents"
    if recipe.despite:
        yield "in spite of", f"the rules {', '.join(recipe.despite)}"
