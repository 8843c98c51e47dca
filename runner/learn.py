"""What a run measured, written as an overlay of the knowledge base: evidence of one's own.

Only arms that got to the end count, with the budget, the data and the features that their numbers
hold for, and of their pairs those that the seeds tell apart become claims; the advisor weighs them
as those of any neutral study.
"""

import hashlib
import time
from collections.abc import Iterator
from itertools import combinations
from math import log
from pathlib import Path
from statistics import stdev
from typing import Any, NamedTuple

import yaml

from advisor.recommendation import Candidate, Recommendation
from knowledge import __version__
from knowledge.files import write_whole
from knowledge.library import Library, load
from knowledge.reading import InvalidData
from runner.comparison import Comparison
from runner.metrics import distance_name
from runner.plan import DataPlan, RunPlan
from runner.prepare import RunError
from runner.race import LEAST
from runner.results import Leaderboard, Standing
from runner.run import ranked
from runner.settle import stored
from runner.wording import counted, figures, images


class Lesson(NamedTuple):
    """What was written, and what was not."""

    source: str  # the id of the measurement
    dataset: str  # as the advisor knows the data
    learnt: tuple[str, ...]  # names of the arms with a number
    claims: int  # pairs that the seeds tell apart
    left_out: tuple[str, ...]  # sentences


def learn(run: Path, overlay: Path) -> Lesson:
    """Adds a run's results to an overlay, or replaces what it had of the same run.

    Raises RunError where there is nothing to learn yet or the overlay is damaged, OSError where it
    cannot be written.
    """
    if not (run / "plan.json").exists():
        raise RunError(f"{run} holds no run")
    plan = stored(RunPlan, run / "plan.json")
    advice = stored(Recommendation, run / "recommendation.json")
    board, _ = ranked(run)
    if not board.complete:
        raise RunError(f"{run} has not ended: run it to the end first ({board.verdict.says})")
    try:
        library = load(overlays=(overlay,) if overlay.exists() else ())
    except InvalidData as error:
        raise RunError(f"{overlay} is damaged: {error}") from None
    source = source_id(plan)
    dataset = known_as(plan.data, library)
    rows = list(numbers(plan, advice, board, library))
    if not rows:
        raise RunError(f"{run}: nothing finished of what the knowledge base has a name for")
    table = {
        "id": source,
        "title": f"Own measurement on {plan.data.name}, {images(plan.budget)} images a trial",
        "shared": shared(plan, board, source, dataset),
        "results": rows,
    }
    told = list(claims(plan, table))
    for folder in ("claims", "datasets", "results"):
        (overlay / folder).mkdir(parents=True, exist_ok=True)
    for row in rows:
        del row["logs"]
    write(overlay / "results" / f"{source}.yaml", table)
    write_whole(overlay / "claims" / f"{source}.yaml", dumped(told))
    extend(overlay / "sources.yaml", source, source_entry(plan, run))
    if distance_name(plan.measurement.features) not in library.archive.metrics:
        extend(overlay / "metrics.yaml", metric_id(plan), metric_entry(plan))
    if dataset not in library.datasets:
        write(overlay / "datasets" / f"{dataset}.yaml", dataset_entry(plan.data, dataset))
    load(overlays=(overlay,))  # what was written must be readable: InvalidData is a mistake of ours
    names = {arm.gan: arm.name for arm in advice.arms}
    learnt = tuple(names[row["model"]] for row in rows)
    return Lesson(source, dataset, learnt, len(told), tuple(left_out(plan, advice, board, library)))


def source_id(plan: RunPlan) -> str:
    """The same for the same plan: a run that is learnt twice counts once."""
    content = plan.model_dump_json().encode()
    return f"own-{hashlib.sha256(content).hexdigest()[:10]}"


def known_as(data: DataPlan, library: Library) -> str:
    """The id of the data set in the base, or a new one from its name and its pixels."""
    wanted = data.name.lower()
    for each in library.datasets.values():
        if wanted in {each.id, each.name.lower(), *(alias.lower() for alias in each.aliases)}:
            return each.id
    plain = "".join(c if c.isalnum() else "-" for c in wanted).strip("-") or "images"
    return f"{plain}-{data.fingerprint[:6]}"


def shared(plan: RunPlan, board: Leaderboard, source: str, dataset: str) -> dict[str, Any]:
    how = plan.measurement
    network = plan.trials[0].recipe.backbone
    width = network.settings.get("width")
    return {
        "dataset": dataset,
        "metric": metric_id(plan),
        "polarity": "lower",
        "resolution": plan.data.size,
        "conditional": False,
        "n_generated": how.n,
        "n_reference": how.n,
        "split": "test",
        "features": how.network,
        "budget_images": plan.budget,
        "setting": f"width {width}" if width else "own networks",
        "protocol": f"{board.metric}; geometric mean over seeds; features by {how.engine}",
        "source": source,
        "locator": "leaderboard.json",
        "verified": True,
    }


def numbers(
    plan: RunPlan, advice: Recommendation, board: Leaderboard, library: Library
) -> Iterator[dict[str, Any]]:
    """One for each arm that got to the end, or failed on the way there."""
    for arm, standing in to_the_end(advice, board, library):
        row: dict[str, Any] = {
            "id": f"{source_id(plan)}-{arm.id}",
            "model": arm.gan,
            "value": round(standing.mean, 4) if standing.mean is not None else None,
            "logs": [log(max(score, LEAST)) for score in standing.scores],
        }
        if len(standing.scores) > 1:
            row["std"] = round(stdev(standing.scores), 4)
        row["seeds"] = standing.finished or standing.tried
        if arm.role == "control":
            row["variant"] = arm.name
        if standing.failures:
            row["note"] = "; ".join(standing.failures)
        yield row


def claims(plan: RunPlan, table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Which GAN was better than which: of all pairs those alone that the seeds tell apart.

    A claim is what the advisor counts; a number without a claim only breaks ties.
    """
    rows = sorted((row for row in table["results"] if row["logs"]), key=lambda row: row["value"])
    started = len(plan.arms) if plan.rungs[1:] else 0
    comparison = Comparison([row["logs"] for row in rows], started)
    for better, worse in combinations(range(len(rows)), 2):
        if not comparison.apart(better, worse):
            continue
        one, other = rows[better], rows[worse]
        yield {
            "id": f"{table['id']}-{one['model']}-{other['model']}",
            "subject": one["model"],
            "object": other["model"],
            "aspects": "quality",
            "direction": "better",
            "condition": f"{table['shared']['protocol']}, {images(plan.budget)} images a trial",
            "datasets": [table["shared"]["dataset"]],
            "says": (
                f"With the same seeds and budget {one['model']} reached a distance of "
                f"{figures(one['value'])} and {other['model']} one of {figures(other['value'])}."
            ),
            "source": table["id"],
            "locator": "leaderboard.json",
            "lineage": table["id"],
            "read_in": "primary",
        }


def to_the_end(
    advice: Recommendation, board: Leaderboard, library: Library
) -> Iterator[tuple[Candidate, Standing]]:
    """A GAN once, the candidate before the control arm."""
    standings = {each.arm: each for each in board.standings}
    seen: set[str] = set()
    for arm in advice.arms:
        standing = standings.get(arm.id)
        ran = standing is not None and standing.tried > 0 and standing.left is None
        if standing and ran and arm.gan in library.gans and arm.gan not in seen:
            seen.add(arm.gan)
            yield arm, standing


def left_out(
    plan: RunPlan, advice: Recommendation, board: Leaderboard, library: Library
) -> Iterator[str]:
    there = {arm.id for arm, _ in to_the_end(advice, board, library)}
    names = {arm.id: arm.name for arm in advice.arms}
    for each in board.standings:
        name = names.get(each.arm, each.arm)
        if each.left is not None:
            yield f"{name} left the race after {images(each.left)} images: no number of its end"
        elif each.arm not in there:
            yield f"{name}: another arm speaks for the same GAN, or the base has no name for it"
    for skip in plan.skipped:
        if skip.same_as:
            stands = names.get(skip.same_as, skip.same_as)
            yield f"{names.get(skip.arm, skip.arm)} was the same recipe as {stands}: no number of its own"


def metric_id(plan: RunPlan) -> str:
    name = distance_name(plan.measurement.features)
    return "fid" if name == "fid-inception" else name.replace("@", "-at-")


def metric_entry(plan: RunPlan) -> dict[str, Any]:
    features = plan.measurement.features
    return {
        "name": f"Fréchet distance of {features} features",
        "polarity": "lower",
        "needs": ["quality", "diversity"],
        "measures": "The distance between Gaussians fitted to features of real and generated images.",
        "weaknesses": [
            "Compares with nothing that was measured by other features or sample sizes."
        ],
    }


def source_entry(plan: RunPlan, run: Path) -> dict[str, Any]:
    made = time.localtime((run / "plan.json").stat().st_mtime)
    return {
        "title": f"Own measurement on {plan.data.name} ({counted(len(plan.arms), 'arm')})",
        "authors": "gan-runner",
        "year": made.tm_year,
        "kind": "study",
        "url": f"urn:gan-runner:{source_id(plan)}",
        "note": f"Made with GAN Advisor {__version__} on {time.strftime('%Y-%m-%d', made)}; "
        f"{plan.precision} on {plan.device}.",
    }


def dataset_entry(data: DataPlan, dataset: str) -> dict[str, Any]:
    return {
        "id": dataset,
        "name": data.name,
        "images": data.train,
        "test_images": data.held_out,
        "resolution": data.size,
        "channels": data.channels if data.channels in (1, 3) else None,
        "classes": data.classes or None,
        "how_to_get": "Own images.",
        "note": f"Fingerprint of the decoded pixels: {data.fingerprint}.",
    }


def extend(path: Path, name: str, entry: dict[str, Any]) -> None:
    """An entry of a file that holds several by name; comments in it are lost."""
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    write(path, {**(known or {}), name: entry})


def write(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, dumped({name: it for name, it in content.items() if it is not None}))


def dumped(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
