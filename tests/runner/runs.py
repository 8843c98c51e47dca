"""Runs that never ran: plans, results and whole run folders, for the tests of what follows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from advisor.recommendation import (
    Candidate,
    Citation,
    Failure,
    Recommendation,
    Remark,
    Setting,
    Step,
    Support,
    Testimony,
)
from knowledge.schema import Recipe, Record
from runner.leaderboard import rank
from runner.metrics.score import Score
from runner.pictures import grid
from runner.plan import DataPlan, Measurement, Rung, RunPlan, Skip, Trial
from runner.results import Look, TrialResult
from runner.troubles import (
    TROUBLES,
    Cure,
    Diagnosed,
    Diagnosis,
    Figure,
    Finding,
    Next,
    Prescription,
    Trouble,
)

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
        rungs=(Rung(budget=BUDGET, seeds=seeds, keep=None),),
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


# Folders ---------------------------------------------------------------------------------------

CITATION = Citation(
    claim="table-1-001",
    says="It gives sharper images than weight clipping.",
    source="miyato2018",
    short="Miyato et al. 2018",
    locator="Table 2",
    url="https://arxiv.org/abs/1802.05957",
    condition="CIFAR-10",
    checks=("mixed: another study found a tie. (Table 3)",),
)
AGAINST = CITATION.model_copy(update={"claim": "table-1-002", "says": "It costs more time."})


def advice(planned: RunPlan, *, control: str | None = None) -> Recommendation:
    """What a plan may have come from: each arm with something of everything."""
    arms = [candidate(t) for t in planned.trials if t.seed == planned.seeds[0]]
    step = Step(
        rule="k03",
        stage="coherence",
        layer="hard",
        says="No sigmoid where the loss wants raw scores",
        because="A probability is no score.",
        before=5040,
        after=592,
        dropped=("fgan",),
        citations=(CITATION,),
        counter=(AGAINST,),
        sources=("Nowozin et al. 2016",),
    )
    return Recommendation(
        advisor_version="0.1.0",
        answers={"task": "unconditional", "needs": ("quality", "diversity")},
        facts={"resolution": 32},
        funnel=(step, step.model_copy(update={"stage": "loss", "before": 592, "after": 6})),
        candidates=tuple(arm for arm in arms if arm.id != control),
        control=next((controlling(arm) for arm in arms if arm.id == control), None),
        conservative=next((arm.id for arm in arms if arm.id != control), None),
    )


def candidate(trial: Trial) -> Candidate:
    return Candidate(
        id=trial.arm,
        name=trial.name,
        gan=trial.arm,
        year=2018,
        role="candidate",
        combination={"architecture": "dcgan", "loss": trial.arm},
        recipe=trial.recipe,
        rank=1,
        standing="plausible",
        support=(Support(need="quality", for_=1, against=1, equal=0),),
        testimony=tuple(
            Testimony(need=need, vote=vote, lineage="miyato2018", direct=True, citation=citation)
            for need in ("quality", "diversity")
            for vote, citation in ((1, CITATION), (-1, AGAINST))
        ),
        remarks=(
            Remark(rule="k05", layer="hard", says="No batch norm", because="One by one.",
                   citations=(CITATION,), counter=(AGAINST,)),
        ),
        settings=(
            Setting(what="rate 0.0002", source="miyato2018", short="Miyato et al. 2018",
                    locator="Table 1"),
        ),
        fails=(
            Failure(says="It performs poorly with one critic step.", then="five of them",
                    sources=("Gulrajani et al. 2017",)),
        ),
    )  # fmt: skip


def controlling(arm: Candidate) -> Candidate:
    because = "A neutral study recommends it as the default."
    return arm.model_copy(update={"role": "control", "because": because, "testimony": ()})


def diagnosis(ended: Sequence[TrialResult]) -> Diagnosis:
    """Of trials that diverged, and of others that had nothing."""
    large = Figure(says="points of a loss that are spikes", value=0.3, limit=0.02)
    small = Figure(says="generator's gradient", value=2e-11, limit=1e-8, beyond="below")

    def finding(trouble: Trouble, result: TrialResult) -> Finding:
        if trouble == "checkerboard":
            return Finding(trouble=trouble, answer="cannot be told", says="there are no images")
        if result.status == "finished" or trouble not in ("unstable-training", "non-convergence"):
            return Finding(trouble=trouble, answer="not found", says="all is well")
        says = f"that is {trouble} & <more>"
        return Finding(trouble=trouble, answer="found", says=says, figures=(large, small))

    cures = (
        Cure(on="unstable-training, WGAN-GP", try_="WGAN-GP", says="It trains stably",
             citations=(CITATION,), of="candidate"),
        Cure(on="in general", try_="lower rates", says="Rates are too high", of="practice"),
    )  # fmt: skip
    return Diagnosis(
        trials=tuple(
            Diagnosed(
                trial=each.trial.id, arm=each.trial.arm, name=each.trial.name,
                which=each.trial.which, status=each.status, rounds=300,
                findings=tuple(finding(trouble, each) for trouble in TROUBLES),
            )
            for each in ended
        ),
        prescription=Prescription(
            asked=("unstable-training",), cures=cures, left_out=("LSGAN",), healthy=()
        ),
        note="three trials had too few steps",
        next=Next(file="next-recommendation.json", candidates=("wgan-gp",), names=("WGAN-GP",)),
    )  # fmt: skip


def run_folder(
    folder: Path,
    planned: RunPlan,
    ended: Sequence[TrialResult],
    *,
    recommended: Recommendation | None = None,
    control: str | None = None,
    real: float | None = 1.5,
    pictures: bool = True,
) -> Path:
    """As a run leaves it, without the report."""
    recommended = recommended or advice(planned, control=control)
    floor = score(real) if real else None
    write(folder / "plan.json", planned)
    write(folder / "recommendation.json", recommended)
    write(folder / "leaderboard.json", rank(planned, ended, floor, control))
    rng = np.random.default_rng(0)
    for result in ended:
        trial = folder / "trials" / result.trial.id
        write(trial / "result.json", result)
        if pictures:
            noise = rng.integers(0, 256, (16, planned.data.channels, 32, 32), np.uint8)
            (trial / "samples.png").write_bytes(grid(noise, columns=4))
    if pictures:
        grey = np.full((16, 1, 32, 32), 90, np.uint8)
        (folder / "real.png").write_bytes(grid(grey, columns=4))
    return folder


def write(path: Path, record: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.model_dump_json(indent=1), encoding="utf-8")
