"""The gallery's page and pictures, from what lies in the folders of its runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from math import exp, inf, log
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from knowledge.library import Library
from runner.data.points import MIXTURES
from runner.results import TrialResult
from tests.benchmarks.gallery_pictures import gallery, write_pictures
from tests.benchmarks.gallery_predictions import (
    APART,
    Aspect,
    Figures,
    Prediction,
    Verdict,
    predictions,
    tally,
    verdict,
)
from tests.benchmarks.gallery_systems import GROUNDS, SYSTEMS, System
from tests.benchmarks.page import fill

TOYS = tuple(ground.data for ground in GROUNDS if ground.data in MIXTURES)
IMAGES = GROUNDS[-1].data
NAMES = {system.id: system.name for system in SYSTEMS}
ANCHORS = {
    "floor": "real images against real ones",
    "blur": "blurred real images",
    "noise": "noise",
    "mean": "the mean image",
}
HOW: Mapping[Aspect, str] = {
    "quality": "the Fréchet distance on Fashion-MNIST",
    "diversity": "one and the share of modes that are missing on both toys",
    "matching": "the energy distance on both toys",
}

# Lin et al. (2018), Table 1, ten runs, and Srivastava et al. (2017), Table 1, five; far longer runs
# of larger networks. Modes, high quality in %, KL of the ring; then of the grid.
PUBLISHED = (
    ("GAN, PacGAN's Table 1", ("6.3 ± 0.5", "98.2", "0.45"), ("17.3 ± 0.8", "94.8", "0.70")),
    ("ALI, PacGAN's Table 1", ("6.6 ± 0.3", "97.6", "0.36"), ("24.1 ± 0.4", "95.7", "0.14")),
    ("PacGAN2, its Table 1", ("7.9 ± 0.1", "95.6", "0.07"), ("23.8 ± 0.7", "91.3", "0.13")),
    ("GAN, VEEGAN's Table 1", ("1", "99.3", ""), ("3.3", "0.5", "")),
    ("unrolled GAN, VEEGAN's Table 1", ("7.6", "35.6", ""), ("23.6", "16", "")),
    ("VEEGAN, its Table 1", ("8", "52.9", ""), ("24.6", "40", "")),
)


class Outcome(NamedTuple):
    """What has ended of one system on one ground."""

    results: tuple[TrialResult, ...]
    refused: str | None = None
    pace: float | None = None  # real samples for a second of the processor

    @property
    def finished(self) -> tuple[TrialResult, ...]:
        return tuple(result for result in self.results if result.status == "finished")

    @property
    def failures(self) -> Iterator[str]:
        if self.refused:
            yield f"refused: {self.refused}"
        for result in self.results:
            if result.status != "finished":
                yield f"seed {result.trial.seed} {result.status}: {result.why}"


def write_page(runs: Path, out: Path, library: Library) -> None:
    """Everything outside of the figures is a person's, and stays."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / "README.md"
    if not page.exists():
        page.write_text(EMPTY, encoding="utf-8")
    found = {
        (s.id, ground.data): outcome(runs, ground.data, s.id) for s in SYSTEMS for ground in GROUNDS
    }
    lines = [*conditions(found, machine(runs)), *report(found, anchors(runs), library)]
    fill(page, "\n".join(lines) + "\n")
    write_pictures(runs, out)


EMPTY = """# Gallery

<!-- figures: begin -->
<!-- figures: end -->
"""


def outcome(runs: Path, data: str, system: str) -> Outcome:
    folder = runs / data / system
    found = [
        TrialResult.model_validate_json(file.read_bytes())
        for file in sorted(folder.glob("trials/*/result.json"))
    ]
    refused, pace = folder / "refused.txt", folder / "pace.txt"
    return Outcome(
        tuple(found),
        refused.read_text(encoding="utf-8") if refused.exists() and not found else None,
        float(pace.read_text(encoding="utf-8")) if pace.exists() else None,
    )


def anchors(runs: Path) -> Mapping[str, float]:
    """Distances of what needs no training: "floor" is of real images, the others of noise, ..."""
    for file in (runs / IMAGES).glob("*/anchors.json"):
        measured = json.loads(file.read_bytes())
        return {name: score["value"] for name, score in measured.items() if score}
    return {}


def machine(runs: Path) -> str | None:
    """As one of the runs found it; all were on one thread."""
    for file in runs.glob("*/*/run.json"):
        around = json.loads(file.read_bytes())
        return f"one thread of a machine with {around['cores']} cores ({around['processor']}), torch {around['torch']}"
    return None


Found = Mapping[tuple[str, str], Outcome]


def conditions(found: Found, where: str | None) -> Iterator[str]:
    """What all systems had alike."""
    for ground in GROUNDS:
        results = [result for system in SYSTEMS for result in found[system.id, ground.data].results]
        if not results:
            continue
        trial, minutes = results[0].trial, sum(result.seconds for result in results) / 60
        recipe = trial.recipe
        sizes = ", ".join(f"{name} {value}" for name, value in recipe.backbone.settings.items())
        yield (
            f"- **{ground.data}**: {trial.budget:,} real samples a trial in batches of "
            f"{recipe.batch_size}, seeds: {ground.seeds}, {recipe.backbone.name.upper()} ({sizes}), "
            f"{recipe.latent_dim} latent dimensions; {len(results)} trials trained for "
            f"{minutes:.0f} minutes in all."
        )
    if where:
        yield f"- On {where}."
    yield ""


def report(found: Found, known: Mapping[str, float], library: Library) -> Iterator[str]:
    figures = figures_of(found)
    told = [(each, verdict(each, figures)) for each in predictions(library)]
    predicted = {s.id: tally([v for p, v in told if p.system == s.id]) for s in SYSTEMS}
    yield from toys_table(found)
    yield from images_table(found, known, predicted)
    yield from predictions_table(told)
    yield "## Pictures"
    yield ""
    yield from gallery()


def predictions_table(told: Sequence[tuple[Prediction, Verdict]]) -> Iterator[str]:
    apart = [f"{aspect} by {how} ({APART[aspect]:g} times apart)" for aspect, how in HOW.items()]
    yield "## What the knowledge base predicted"
    yield ""
    yield (
        "Claims that are not tied to other data, and rules that speak against something in a system: "
        f"{'; '.join(apart)}. A claim's condition stands in brackets."
    )
    yield ""
    yield "| system | predicted | by | says | here |"
    yield "|---|---|---|---|---|"
    for each, came in told:
        if each.against:
            where = f" ({each.condition})" if each.condition else ""
            yield (
                f"| {NAMES[each.system]} | {phrase(each)} | `{each.by}` | {each.says}{where} "
                f"| {came} |"
            )
    yield ""
    alone: dict[str, list[str]] = {}
    for each, _ in told:
        if not each.against and NAMES[each.system] not in alone.setdefault(each.by, []):
            alone[each.by].append(NAMES[each.system])
    for rule, systems in alone.items():
        yield f"`{rule}` speaks against {', '.join(systems)} as well; nothing is here to hold them against."
        yield ""


def phrase(prediction: Prediction) -> str:
    others = "the middle one of the large study's GANs"
    rival = NAMES[prediction.against[0]] if len(prediction.against) == 1 else others
    how = {"better": "better than", "worse": "worse than", "equal": "level with"}
    return f"{prediction.aspect}: {how[prediction.expected]} {rival}"


# Figures -----------------------------------------------------------------------------------------


def figures_of(found: Found) -> Figures:
    """Lower is better; infinite for what failed; nothing for what has not been trained yet."""
    every: dict[str, dict[str, float]] = {"quality": {}, "diversity": {}, "matching": {}}
    for system in SYSTEMS:
        images, toys = found[system.id, IMAGES], [found[system.id, toy] for toy in TOYS]
        if images.results or images.refused:
            every["quality"][system.id] = distance(images)
        if all(toy.results or toy.refused for toy in toys):
            truths = [r.truth for toy in toys for r in toy.results]
            failed = not all(toy.finished == toy.results and toy.results for toy in toys)
            every["diversity"][system.id] = inf if failed else missing(toys)
            every["matching"][system.id] = (
                inf if failed else geometric([truth["energy-distance"] for truth in truths])
            )
    return every  # type: ignore[return-value]


def distance(images: Outcome) -> float:
    """Of two that have learnt nothing none is the better one."""
    scores = [r.score for r in images.finished if r.score and covered(r) >= UNLIKE]
    return geometric([score.value for score in scores]) if scores else inf


def covered(result: TrialResult) -> float:
    """The share of real images that have a sample near them (Naeem et al., 2020)."""
    return result.score.secondary.get("coverage", 1.0) if result.score else 0.0


def missing(toys: Sequence[Outcome]) -> float:
    """One and the share of modes that are not covered: what is lower is better here."""
    shares = []
    for toy, name in zip(toys, TOYS, strict=True):
        modes = len(MIXTURES[name]().weights)
        shares += [result.truth["modes-covered"] / modes for result in toy.finished]
    return 2 - fmean(shares)


def geometric(values: Sequence[float]) -> float:
    return exp(fmean(log(max(value, 1e-9)) for value in values))


# Tables ------------------------------------------------------------------------------------------


def toys_table(found: Found) -> Iterator[str]:
    yield "## Toys"
    yield ""
    yield (
        "| system | ring8: modes of 8 | high quality % | KL | energy | grid25: modes of 25 "
        "| high quality % | KL | energy | what went wrong |"
    )
    yield "|---|---|---:|---:|---:|---|---:|---:|---:|---|"
    for system in SYSTEMS:
        cells = [cell for toy in TOYS for cell in toy_cells(found[system.id, toy])]
        wrong = "; ".join(
            f"{toy}: {why}" for toy in TOYS for why in troubles(found[system.id, toy], toy)
        )
        yield f"| {row(system)} | {' | '.join(cells)} | {wrong} |"
    for name, ring, grid in PUBLISHED:
        yield f"| *{name}* | {' | '.join((*ring, '', *grid, ''))} | |"
    yield ""


def toy_cells(toy: Outcome) -> tuple[str, str, str, str]:
    truths = [result.truth for result in toy.finished]
    if not truths:
        return "–", "–", "–", "–"
    modes = sorted((int(truth["modes-covered"]) for truth in truths), reverse=True)
    return (
        " ".join(map(str, modes)),
        f"{100 * fmean(truth['high-quality'] for truth in truths):.1f}",
        f"{fmean(truth['reverse-kl'] for truth in truths):.2f}",
        f"{geometric([truth['energy-distance'] for truth in truths]):.3f}",
    )


FEW, GOOD, NONE = 0.5, 0.5, 0.01  # shares: of modes; of samples; placeholders
UNLIKE = 0.005  # share of real images below which nothing has been learnt; a placeholder


def troubles(toy: Outcome, name: str) -> Iterator[str]:
    """Failures, and what the truth shows to be one."""
    yield from toy.failures
    if not toy.finished:
        return
    modes = fmean(result.truth["modes-covered"] for result in toy.finished)
    quality = fmean(result.truth["high-quality"] for result in toy.finished)
    share = modes / len(MIXTURES[name]().weights)
    if quality < NONE:
        yield "next to no sample near a mode"
    elif share < FEW and quality > GOOD:
        yield "collapsed to few modes"
    elif share < FEW:
        yield "few modes, and few samples near them"


def images_table(
    found: Found, known: Mapping[str, float], predicted: Mapping[str, str]
) -> Iterator[str]:
    some = [result for system in SYSTEMS for result in found[system.id, IMAGES].finished]
    final = some[0].score.metric if some and some[0].score else "distance"
    look = some[0].look_metric if some else "looks"
    yield "## Fashion-MNIST, 32 px"
    yield ""
    yield (
        f"| system | best {look} | last {look} | {final} | coverage % | images/s "
        "| what went wrong | predictions that came true |"
    )
    yield "|---|---:|---:|---:|---:|---:|---|---|"
    for system in SYSTEMS:
        images = found[system.id, IMAGES]
        cells = [cell for result in images.finished[:1] for cell in image_cells(result)]
        pace = f"{images.pace:,.0f}" if images.pace else "–"
        yield (
            f"| {row(system)} | {' | '.join(cells or ['–'] * 4)} | {pace} "
            f"| {'; '.join(mishaps(images, known))} | {predicted[system.id]} |"
        )
    for anchor, name in ANCHORS.items():
        if anchor in known:
            yield f"| *{name}* | | | {known[anchor]:.0f} | | | | |"
    yield ""


def mishaps(images: Outcome, known: Mapping[str, float]) -> Iterator[str]:
    """Failures, and what the measures show to be one."""
    yield from images.failures
    for result in images.finished[:1]:
        if result.score and result.score.value > known.get("noise", inf):
            yield "farther away than noise"
        elif covered(result) < UNLIKE:
            yield "hardly a sample like any real image"


def image_cells(result: TrialResult) -> tuple[str, str, str, str]:
    best = result.best_look
    return (
        f"{best.value:.0f}" if best else "–",
        f"{result.looks[-1].value:.0f}" if result.looks else "–",
        f"{result.score.value:.0f}" if result.score else "–",
        f"{100 * covered(result):.1f}",
    )


def row(system: System) -> str:
    return f"[{system.name}](#{system.id})"
