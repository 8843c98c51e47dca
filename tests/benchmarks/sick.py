"""Healthy trials, and such as were made sick on purpose: what health and diagnosis are measured on.

Small DCGANs on images of 16 px and MLPs on a ring of Gaussians. Each case is a run of one trial in
a folder of its own and trains to its end whatever is found, so that a wrong verdict shows, with ten
looks where four are the default, and so more occasions for one. What has been trained is not
trained again: verdicts can be changed and looked at again within a minute or two.
"""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

from advisor.advise import recommend
from advisor.profile import checked
from knowledge.files import write_whole
from knowledge.library import build as library_of
from knowledge.schema import Recipe
from runner.data import open_images
from runner.data.cache import cache_folder
from runner.data.split import FEWEST
from runner.data.whole import whole_folder
from runner.execute import folder_of
from runner.kept import result_in
from runner.parts.backbones import Networks, backbone, dcgan
from runner.plan import Overrides, RunPlan, Trial
from runner.prepare import Request, prepare
from runner.results import TrialResult
from runner.scene import ImageShape
from runner.trial import run_trial

ROUNDS = 3000
BATCH = 32
FEW = {"few": 64, "ten": 10}  # images of sets that can be learnt by heart
HELD_OUT = 2000

WASSERSTEIN: dict[str, Any] = {"divergence": "wasserstein", "loss": {"name": "minimax"}}
SPECTRAL: dict[str, Any] = {"normalizers": ({"name": "spectral-norm"},), "critic_norm": "none"}
BARE: dict[str, Any] = {"critic_norm": "none", "generator_norm": "none"}
CLIPPED: dict[str, Any] = {"optimizer": {"name": "rmsprop", "rate": 5e-5}, **WASSERSTEIN}
LARGE: dict[str, Any] = {"backbone": {"name": "dcgan", "settings": {"width": 16}}}
CRUSHING: dict[str, Any] = {"rate": 2e-5, "critic_rate": 1e-3, "critic_steps": 5}


class Case(NamedTuple):
    changes: dict[str, Any]  # to a DCGAN with the non-saturating loss
    sick: tuple[str, ...] | None = ()  # what health may find; empty: nothing; None: not asked
    only: str | None = None  # "images", "points"
    provokes: str | None = None  # the trouble that it was made to have
    data: str | None = None  # another set: "few", "ten"
    rounds: int = ROUNDS


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
    # Sick ones, each made so on purpose, by the trouble that was meant.
    "a critic that hardly learns": Case(
        {"optimizer": {"rate": 2e-3, "critic_rate": 1e-7}},
        ("collapsed", "stalled", "critic-won"), "images", "mode-collapse",
    ),
    "a generator with fifty times the critic's rate": Case(
        {"optimizer": {"rate": 1e-3, "critic_rate": 2e-5}}, None, "images", "mode-collapse"
    ),
    "one latent": Case({"latent_dim": 1}, None, "images", "mode-collapse"),
    "a critic with fifty times the generator's rate": Case(
        {"loss": {"name": "minimax"}, **BARE, "optimizer": CRUSHING},
        ("critic-won", "stalled"), "images", "vanishing-gradient",
    ),
    "weights clipped to a millionth": Case(
        {**CLIPPED, "constraints": ({"name": "weight-clipping", "settings": {"limit": 1e-6}},)},
        ("critic-won", "stalled"), None, "vanishing-gradient",
    ),
    "decay that pins the critic to zero": Case(
        {"critic_norm": "none", "optimizer": {"rate": 2e-4, "critic_weight_decay": 10.0}},
        None, "images", "vanishing-gradient",
    ),
    "rates a hundred times too high": Case(
        {"optimizer": {"rate": 2e-2, "betas": (0.9, 0.999)}},
        ("collapsed", "critic-won", "stalled", "diverged"), "images", "unstable-training",
    ),
    "Wasserstein's distance without any bound": Case(
        {**WASSERSTEIN, "critic_norm": "none", "optimizer": {"rate": 1e-3}},
        ("diverged", "collapsed", "stalled", "critic-won"), "images", "unstable-training",
    ),
    "the Kullback-Leibler divergence without any bound": Case(
        {"divergence": "kl", "loss": {"name": "minimax"}, "critic_norm": "none",
         "optimizer": {"rate": 1e-3}},
        None, "images", "unstable-training",
    ),
    "a generator that hardly learns": Case(
        {"optimizer": {"rate": 1e-8}}, ("critic-won", "stalled"), "images", "non-convergence"
    ),
    "a penalty that leaves the critic flat": Case(
        {"penalties": ({"name": "r1", "settings": {"gamma": 1e7}},), **BARE},
        ("critic-won", "stalled", "collapsed"), "images", "non-convergence",
    ),
    "WGAN-GP with one critic step, momentum and a high rate": Case(
        {**WASSERSTEIN, "penalties": ({"name": "gradient-penalty"},), "critic_norm": "none",
         "optimizer": {"rate": 2e-3, "betas": (0.9, 0.999)}},
        None, "images", "non-convergence",
    ),
    "the same without saturation": Case(
        {**BARE, "optimizer": CRUSHING}, ("critic-won", "stalled"), "images", "imbalance",
        rounds=2200,
    ),
    "twenty critic steps at a high rate": Case(
        {"critic_norm": "none",
         "optimizer": {"rate": 1e-5, "critic_rate": 1e-3, "critic_steps": 20}},
        None, "images", "imbalance", rounds=400,
    ),
    "a critic with a millionth of the rate": Case(
        {"optimizer": {"rate": 2e-4, "critic_rate": 2e-10}}, None, "images", "imbalance"
    ),
    "a VAE-GAN of 64 images": Case(
        {**LARGE, "structure": {"name": "vae-gan"}, "optimizer": {"rate": 1e-3}},
        None, "images", "memorisation", data="few",
    ),
    "a VAE of 64 images": Case(
        {**LARGE, "structure": {"name": "vae"}, "optimizer": {"rate": 1e-3}},
        None, "images", "memorisation", data="few",
    ),
    "a VAE of ten images, with two latents": Case(
        {**LARGE, "structure": {"name": "vae"}, "latent_dim": 2, "optimizer": {"rate": 1e-3}},
        None, "images", "memorisation", data="ten",
    ),
    "a GAN of ten images": Case(LARGE, None, "images", "memorisation", data="ten"),
    "WGAN-GP of ten images": Case(
        {**LARGE, **WASSERSTEIN, "penalties": ({"name": "gradient-penalty"},),
         "critic_norm": "none", "optimizer": {"rate": 2e-4, "betas": (0.0, 0.9)}},
        None, "images", "memorisation", data="ten",
    ),
    "uneven overlap that cannot be unlearnt": Case(
        {"backbone": {"name": "uneven"}}, None, "images", "checkerboard", rounds=2000
    ),
    "sub-pixels that cannot be evened out": Case(
        {"backbone": {"name": "sub-pixels"}}, None, "images", "checkerboard", rounds=2000
    ),
    "a critic that sees every second pixel": Case(
        {"backbone": {"name": "half-blind"}}, None, "images", "checkerboard", rounds=2000
    ),
}  # fmt: skip


# Grids that no training takes away ---------------------------------------------------------------


def last_layers(pair: Networks, *layers: nn.Module) -> Networks:
    """In place of the DCGAN's last transposed convolution; what they draw with is not trained."""
    for layer in layers:
        layer.requires_grad_(False)
    *before, _, squashed = pair.generator
    return Networks(nn.Sequential(*before, *layers, squashed), pair.critic)


@backbone
def uneven(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Any = "none",
    generator_norm: Any = "batch-norm",
    outputs: int = 1,
    *,
    width: int = 64,
) -> Networks:
    """Kernels of three, all of equal weights, at a stride of two (Odena et al., 2016)."""
    pair = dcgan(image, latent_dim, critic_norm, generator_norm, outputs, width=width)
    layer = nn.ConvTranspose2d(width, image.channels, 3, 2, 1, output_padding=1)
    nn.init.normal_(layer.weight, 0.0, 0.1)
    with torch.no_grad():
        layer.weight[:] = 3 * layer.weight.mean((2, 3), keepdim=True)
    return last_layers(pair, layer)


@backbone
def sub_pixels(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Any = "none",
    generator_norm: Any = "batch-norm",
    outputs: int = 1,
    *,
    width: int = 64,
) -> Networks:
    """Each of four neighbours from weights of its own, as they were drawn (Aitken et al., 2017)."""
    pair = dcgan(image, latent_dim, critic_norm, generator_norm, outputs, width=width)
    return last_layers(pair, nn.Conv2d(width, 4 * image.channels, 3, 1, 1), nn.PixelShuffle(2))


@backbone
def half_blind(
    image: ImageShape,
    latent_dim: int,
    critic_norm: Any = "none",
    generator_norm: Any = "batch-norm",
    outputs: int = 1,
    *,
    width: int = 64,
) -> Networks:
    """A stride of two at the critic's door: what it does not see is left as it happens to be."""
    pair = dcgan(image, latent_dim, critic_norm, generator_norm, outputs, width=width)
    pair.critic.body = nn.Sequential(EverySecond(), pair.critic.body)
    return pair


class EverySecond(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return interpolate(images[:, :, ::2, ::2], scale_factor=2)


# Recipes and plans -------------------------------------------------------------------------------


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
    made = plain | changes
    given = made["backbone"]
    made["backbone"] = {**given, "settings": {"width": width, **given.get("settings", {})}}
    return Recipe.model_validate(made)


def plan_of(kind: str, data: str = "fashion-mnist") -> RunPlan:
    """Any plan for the data; its trial's recipe is replaced."""
    library = library_of()
    advice = recommend(checked({"needs": ["quality"], "dataset": "cifar10"}, library), library)
    arm = advice.control.id if advice.control else advice.candidates[0].id
    overrides = Overrides(backbone="mlp" if kind == "points" else "dcgan", width=8, only=(arm,))
    settings = {"points": {"data": "ring8"}, "images": {"data": data, "size": 16}}
    request = Request(
        **settings[kind], seeds=1, looks=10, samples=1000, look_samples=500, health=False,
        precision="float32", overrides=overrides,
    )  # fmt: skip
    return prepare(advice, request, lambda done, total: None).plan


def planned(case: Case, kind: str, plan: RunPlan, *, rounds: int | None = None) -> RunPlan:
    """The case as the one trial of the plan."""
    made = recipe(case.changes, *(("mlp", 32) if kind == "points" else ("dcgan", 8)))
    steps = 1 if made.structure.name == "vae" else made.optimizer.critic_steps
    budget = (rounds or case.rounds) * made.batch_size * steps
    trial = Trial(arm=plan.arms[0], name="one", seed=0, budget=budget, recipe=made)
    rung = plan.rungs[-1].model_copy(update={"budget": budget})
    return plan.model_copy(update={"budget": budget, "trials": (trial,), "rungs": (rung,)})


def trained(case: Case, kind: str, plan: RunPlan, folder: Path, **settings: Any) -> TrialResult:
    """To its end, whatever is found; or as it was trained before."""
    own = planned(case, kind, plan, **settings)
    trial = own.trials[0]
    place = folder_of(folder, trial)
    if found := result_in(place, trial):
        return found
    place.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "plan.json", own.model_dump_json(indent=1))
    begun = time.process_time()
    result = run_trial(trial, own, place, lambda event: None)
    write_whole(folder / "seconds.txt", f"{time.process_time() - begun:.1f}\n")
    return result


# Sets with too few images, as folders ----------------------------------------------------------


def few(name: str, data: str) -> str:
    """A folder with some images of the set to train on, and others held out."""
    folder = cache_folder(None) / "benchmarks" / f"{data}-{name}"
    if not folder.exists():
        source = open_images(data, size=16)
        with whole_folder(folder) as unfinished:
            times = -(-FEWEST // FEW[name])
            write_images(source.train[: FEW[name]], unfinished / "train", times)
            write_images(source.held_out[:HELD_OUT], unfinished / "test", 1)
    return str(folder)


def write_images(images: np.ndarray, folder: Path, times: int) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        for copy in range(times):
            Image.fromarray(image[0]).save(folder / f"{number:05}-{copy:02}.png")


# All of them -----------------------------------------------------------------------------------

Plans = Callable[[str, Case], RunPlan]


def plans(data: str = "fashion-mnist") -> Plans:
    """Plans by kind and set, each prepared once."""
    torch.set_num_threads(1)
    known: dict[tuple[str, str | None], RunPlan] = {}

    def plan(kind: str, case: Case) -> RunPlan:
        key = (kind, case.data)
        if key not in known:
            known[key] = plan_of(kind, few(case.data, data) if case.data else data)
        return known[key]

    return plan


def place(folder: Path, kind: str, name: str) -> Path:
    return folder / kind / re.sub(r"\W+", "-", name).strip("-")


def in_order(kind: str) -> list[tuple[str, Case]]:
    """The sick ones first: whether they became sick is the less certain part. Costly ones last."""

    def last(each: tuple[str, Case]) -> tuple[bool, int]:
        optimizer = each[1].changes.get("optimizer", {})
        return each[1].provokes is None, optimizer.get("critic_steps", 1)

    return sorted(((n, c) for n, c in CASES.items() if c.only in (None, kind)), key=last)


def main(folder: Path, *kinds: str) -> None:
    plan = plans()
    for kind in kinds or ("images", "points"):
        for name, case in in_order(kind):
            result = trained(case, kind, plan(kind, case), place(folder, kind, name))
            values = " ".join(f"{look.value:.3g}" for look in result.looks)
            print(f"{kind}: {name}: {result.status}; {values}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
