"""Are healthy trials left alone, and sick ones found? python -m tests.benchmarks.health [--write]

Real trials: small DCGANs on Fashion-MNIST at 16 px and MLPs on a ring of Gaussians. Each trains to
its end whatever is found, so that a wrong verdict shows, with ten looks where four are the default,
and so more occasions for one. About half an hour on one core; --write puts the figures into
docs/what-can-go-wrong.md.
"""

import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from advisor.advise import recommend
from advisor.profile import checked
from knowledge.library import build as library_of
from knowledge.schema import Recipe
from runner.plan import Overrides, RunPlan, Trial
from runner.prepare import Request, prepare
from runner.results import TrialResult
from runner.trial import run_trial
from tests.benchmarks.page import fill

PAGE = Path(__file__).parents[2] / "docs" / "what-can-go-wrong.md"
ROUNDS = 3000
BATCH = 32
WASSERSTEIN: dict[str, Any] = {"divergence": "wasserstein", "loss": {"name": "minimax"}}
SPECTRAL: dict[str, Any] = {"normalizers": ({"name": "spectral-norm"},), "critic_norm": "none"}
BARE: dict[str, Any] = {"critic_norm": "none", "generator_norm": "none"}


class Case(NamedTuple):
    changes: dict[str, Any]  # to a DCGAN with the non-saturating loss
    sick: tuple[str, ...] = ()  # what may be found; empty: nothing
    only: str | None = None  # "images", "points"


CASES = {
    # Healthy ones, with the settings of their papers or close to them.
    "non-saturating": Case({}),
    "saturating": Case({"loss": {"name": "minimax"}}),
    "hinge, spectral norm": Case(
        {"divergence": "hinge", "loss": {"name": "raw-score"}, **SPECTRAL,
         "optimizer": {"rate": 2e-4, "betas": (0.0, 0.9)}}
    ),
    "WGAN": Case(
        {**WASSERSTEIN, "constraints": ({"name": "weight-clipping"},),
         "optimizer": {"name": "rmsprop", "rate": 5e-5, "critic_steps": 5}}
    ),
    "WGAN-GP": Case(
        {**WASSERSTEIN, "penalties": ({"name": "gradient-penalty"},), "critic_norm": "none",
         "optimizer": {"rate": 1e-4, "betas": (0.0, 0.9), "critic_steps": 5}}
    ),
    "LSGAN": Case({"divergence": "least-squares"}),
    "RaLSGAN": Case(
        {"divergence": "least-squares-symmetric", "loss": {"name": "relativistic-average"}}
    ),
    "RSGAN": Case({"loss": {"name": "relativistic"}}),
    "BEGAN": Case(
        {"structure": {"name": "auto-encoder-critic"}, "divergence": "wasserstein",
         "loss": {"name": "equilibrium"}, **BARE, "optimizer": {"rate": 1e-4}},
        only="images",
    ),
    "R1": Case({"penalties": ({"name": "r1", "settings": {"gamma": 1.0}},), "critic_norm": "none"}),
    "VAE": Case({"structure": {"name": "vae"}, "optimizer": {"rate": 1e-3}}),
    # Sick ones, each made so on purpose.
    "a critic with fifty times the generator's rate": Case(
        {"loss": {"name": "minimax"}, **BARE,
         "optimizer": {"rate": 2e-5, "critic_rate": 1e-3, "critic_steps": 5}},
        ("critic-won", "stalled"), "images",
    ),
    "the same without saturation": Case(
        {**BARE, "optimizer": {"rate": 2e-5, "critic_rate": 1e-3, "critic_steps": 5}},
        ("critic-won", "stalled"), "images",
    ),
    "weights clipped to a millionth": Case(
        {**WASSERSTEIN,
         "constraints": ({"name": "weight-clipping", "settings": {"limit": 1e-6}},),
         "optimizer": {"name": "rmsprop", "rate": 5e-5}},
        ("critic-won", "stalled"),
    ),
    "rates a hundred times too high": Case(
        {"optimizer": {"rate": 2e-2, "betas": (0.9, 0.999)}},
        ("collapsed", "critic-won", "stalled", "diverged"), "images",
    ),
    "a critic that hardly learns": Case(
        {"optimizer": {"rate": 2e-3, "critic_rate": 1e-7}},
        ("collapsed", "stalled", "critic-won"), "images",
    ),
    "a generator that hardly learns": Case(
        {"optimizer": {"rate": 1e-8}}, ("critic-won", "stalled"), "images"
    ),
    "Wasserstein's distance without any bound": Case(
        {**WASSERSTEIN, "critic_norm": "none", "optimizer": {"rate": 1e-3}},
        ("diverged", "collapsed", "stalled", "critic-won"), "images",
    ),
}  # fmt: skip


def recipe(changes: dict[str, Any], backbone: str, width: int) -> Recipe:
    plain = {
        "backbone": {"name": backbone, "settings": {"width": width}},
        "latent_dim": 32,
        "divergence": "jensen-shannon",
        "loss": {"name": "non-saturating"},
        "batch_size": BATCH,
        "optimizer": {"rate": 2e-4, "betas": (0.5, 0.999)},
        "despite": tuple(r.id for r in library_of().rules if r.stage == "coherence"),
    }
    return Recipe.model_validate(plain | changes)


def plan_of(kind: str) -> RunPlan:
    """Any plan for the data; its trial's recipe is replaced."""
    library = library_of()
    advice = recommend(checked({"needs": ["quality"], "dataset": "cifar10"}, library), library)
    arm = advice.control.id if advice.control else advice.candidates[0].id
    overrides = Overrides(backbone="mlp" if kind == "points" else "dcgan", width=8, only=(arm,))
    settings = {"points": {"data": "ring8"}, "images": {"data": "fashion-mnist", "size": 16}}
    request = Request(
        **settings[kind], seeds=1, looks=10, samples=1000, look_samples=1000, health=False,
        precision="float32", overrides=overrides,
    )  # fmt: skip
    return prepare(advice, request, lambda done, total: None).plan


def watched(case: Case, kind: str, plan: RunPlan, *, rounds: int = ROUNDS) -> TrialResult:
    """Trains to the end, whatever is found."""
    made = recipe(case.changes, *(("mlp", 32) if kind == "points" else ("dcgan", 8)))
    steps = 1 if made.structure.name == "vae" else made.optimizer.critic_steps
    budget = rounds * BATCH * steps
    trial = Trial(arm=plan.arms[0], name="one", seed=0, budget=budget, recipe=made)
    rung = plan.rungs[-1].model_copy(update={"budget": budget})
    own = plan.model_copy(update={"budget": budget, "trials": (trial,), "rungs": (rung,)})
    with tempfile.TemporaryDirectory() as folder:
        return run_trial(trial, own, Path(folder), lambda event: None)


GIVEN_UP = re.compile(r"it would have been given up as (\S+) after ([\d,]+) images")


def found_in(result: TrialResult) -> tuple[str | None, float]:
    """What it would have been given up as, or what became of it; after which share of its budget."""
    for remark in result.remarks:
        if told := GIVEN_UP.match(remark):
            return told[1], int(told[2].replace(",", "")) / result.trial.budget
    status = None if result.status == "finished" else result.status
    return status, result.images_seen / result.trial.budget


class Row(NamedTuple):
    kind: str
    name: str
    sick: bool
    found: str | None
    at: float  # share of the budget
    best: float
    last: float
    coverage: float | None
    spread: float
    seconds: float


def row_of(kind: str, name: str, case: Case, plan: RunPlan) -> Row:
    begun = time.process_time()
    result = watched(case, kind, plan)
    found, share = found_in(result)
    values = [look.value for look in result.looks] or [float("nan")]
    last = result.looks[-1] if result.looks else None
    return Row(
        kind=kind,
        name=name,
        sick=bool(case.sick),
        found=found,
        at=share,
        best=min(values),
        last=values[-1],
        coverage=last.coverage if last else None,
        spread=(last.spread if last else None) or 0.0,
        seconds=time.process_time() - begun,
    )


def main(*arguments: str) -> None:
    torch.set_num_threads(1)
    rows = []
    for kind in ("images", "points"):
        plan = plan_of(kind)
        for name, case in CASES.items():
            if case.only in (None, kind):
                rows.append(row_of(kind, name, case, plan))
                print(rows[-1], file=sys.stderr, flush=True)
    report = "\n".join(figures(rows)) + "\n"
    print(report)
    if "--write" in arguments:
        fill(PAGE, report)


def figures(rows: Sequence[Row]) -> Iterator[str]:
    healthy, sick = [row for row in rows if not row.sick], [row for row in rows if row.sick]
    wrong, missed = [row for row in healthy if row.found], [row for row in sick if not row.found]
    yield (
        f"Of {len(healthy)} healthy trials {len(wrong) or 'none'} would have been given up, of "
        f"{len(sick)} sick ones {len(sick) - len(missed)} were found."
    )
    titles = {"images": "Fashion-MNIST, 16 px", "points": "A ring of eight Gaussians"}
    for kind, title in titles.items():
        yield f"\n**{title}**, {ROUNDS:,} generator steps with batches of {BATCH}.\n"
        yield "| trial | found | after | best look | last look | coverage | spread |"
        yield "|---|---|---:|---:|---:|---:|---:|"
        for row in rows:
            if row.kind == kind:
                name = f"*{row.name}*" if row.sick else row.name
                after = f"{row.at:.0%}".replace("%", " %") if row.found else ""
                covered = "" if row.coverage is None else f"{row.coverage:.3f}"
                yield (
                    f"| {name} | {row.found or 'nothing'} | {after} | {row.best:.4g} "
                    f"| {row.last:.4g} | {covered} | {row.spread:.2f} |"
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
