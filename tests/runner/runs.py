"""Runs that never ran: plans, results and whole run folders, for the tests of what follows them."""

from collections.abc import Mapping, Sequence

from knowledge.schema import Recipe
from runner.metrics.score import Score
from runner.plan import DataPlan, Measurement, RunPlan, Skip, Trial
from runner.results import Look, TrialResult

BUDGET = 2_000_000
NAMES = {"baseline": "non-saturating + spectral norm", "sn-gan": "SN-GAN"}
DATA = DataPlan(
    where="fashion-mnist",
    name="Fashion-MNIST",
    size=32,
    channels=1,
    train=60_000,
    held_out=10_000,
    held_out_is="the test split",
    classes=10,
    fingerprint="0123456789abcdef" * 4,
    skipped=0,
)
MEASUREMENT = Measurement(
    network="efficientnet-lite0",
    features="efficientnet-lite0@64",
    digest="feedbeef",
    weights=None,
    n=10_000,
    draws=2,
    look_n=2000,
    looks=4,
)


def plan(arms: Sequence[str], seeds: int = 3, *, latent_dim: int = 128) -> RunPlan:
    recipe = Recipe(
        backbone={"name": "dcgan"},
        divergence="jensen-shannon",
        loss={"name": "non-saturating"},
        latent_dim=latent_dim,
    )
    return RunPlan(
        data=DATA,
        measurement=MEASUREMENT,
        budget=BUDGET,
        seeds=tuple(range(seeds)),
        precision="float32",
        device="cpu",
        trials=tuple(
            Trial(
                arm=arm, name=NAMES.get(arm, arm.upper()), seed=seed, budget=BUDGET, recipe=recipe
            )
            for seed in range(seeds)
            for arm in arms
        ),
        skipped=(Skip(arm="vast", why="it needs images of 64 px or more, and these have 32"),),
    )


def score(value: float, *, spread: float = 0.0, **others) -> Score:
    """Of two draws that differ by so much."""
    known = {
        "metric": "fd-efficientnet-lite0@64-10k",
        "n_generated": 10_000,
        "n_reference": 10_000,
        "features": "efficientnet-lite0@64",
        "dimension": 1280,
        "resize": "bilinear, antialiased",
        "digest": "feedbeef",
        "reference": "cafe",
    }
    draws = (value * (1 - spread), value * (1 + spread))
    return Score.model_validate({**known, "value": value, "draws": draws, **others})


def finished(trial: Trial, value: float, **others) -> TrialResult:
    looks = tuple(
        Look(images_seen=trial.budget * k // 4, seconds=60.0 * k, value=value * (1 + 2 / k))
        for k in range(1, 5)
    )
    return TrialResult(
        trial=trial,
        status="finished",
        score=score(value, **others),
        looks=looks,
        images_seen=trial.budget,
        seconds=250.0,
        measuring_seconds=12.0,
        generator_parameters=3_500_000,
        critic_parameters=2_700_000,
    )


def diverged(trial: Trial, why: str = "the critic's loss is not a number") -> TrialResult:
    looks = (Look(images_seen=trial.budget // 4, seconds=60.0, value=300.0),)
    return TrialResult(
        trial=trial,
        status="diverged",
        why=why,
        looks=looks,
        images_seen=trial.budget * 3 // 10,
        seconds=80.0,
    )


def results(plan: RunPlan, values: Mapping[str, Sequence[float | None]]) -> list[TrialResult]:
    """A score for each arm and seed; None: it diverged."""
    ended = []
    for trial in plan.trials:
        of_arm = values[trial.arm]
        if trial.seed < len(of_arm):
            value = of_arm[trial.seed]
            ended.append(diverged(trial) if value is None else finished(trial, value))
    return ended
