"""What a run measured, written as an overlay of the knowledge base: evidence of one's own.

Only arms that got to the end count, with the budget, the data and the features that their numbers
hold for, and of their pairs those that the seeds tell apart become claims; the advisor weighs them
as those of any neutral study. A preview, and a run in which nobody learnt anything, claim nothing.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
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
from knowledge.schema import SLOTS
from runner.comparison import Comparison
from runner.game import build
from runner.metrics import distance_name
from runner.metrics.points import NAME as COORDINATES
from runner.plan import DataPlan, RunPlan
from runner.prepare import RunError
from runner.race import LEAST, bar_of
from runner.results import Leaderboard, Standing, TrialResult
from runner.run import ranked
from runner.settle import stored
from runner.told import is_told
from runner.verdict import SEEDS
from runner.wording import counted, figures, images, listed, part

OURS = ("crashed", "out-of-memory")  # a fault of the program or the machine, and of no GAN


class Lesson(NamedTuple):
    """What was written, and what was not."""

    source: str  # the id of the measurement
    dataset: str  # as the advisor knows the data
    learnt: tuple[str, ...]  # names of the arms with a number
    claims: int  # pairs that the seeds tell apart
    no_claim: str | None  # why nobody is said to be better than anybody
    left_out: tuple[str, ...]  # sentences


class Measured(NamedTuple):
    """An arm with a number to write down."""

    arm: Candidate
    standing: Standing
    row: dict[str, Any]

    @property
    def logs(self) -> list[float]:
        return [log(max(score, LEAST)) for score in self.standing.scores]


def learn(run: Path, overlay: Path) -> Lesson:
    """Adds a run's results to an overlay, or replaces what it had of the same run.

    Raises RunError where there is nothing to learn yet or the overlay is damaged, OSError where it
    cannot be written.
    """
    if not (run / "plan.json").exists():
        raise RunError(f"{run} holds no run")
    plan = stored(RunPlan, run / "plan.json")
    advice = stored(Recommendation, run / "recommendation.json")
    board, ended = ranked(run)
    if not board.complete:
        raise RunError(f"{run} has not ended: run it to the end first ({board.verdict.says})")
    try:
        library = load(overlays=(overlay,) if overlay.exists() else ())
    except InvalidData as error:
        raise RunError(f"{overlay} is damaged: {error}") from None
    source = source_id(plan)
    dataset = known_as(plan.data, library)
    silent = no_claim(plan, board)
    those = to_the_end(advice, board, library, ended)
    rows = list(numbers(plan, those, library, silent))
    why_not = tuple(left_out(plan, advice, board, [arm for arm, _, _ in those], ended))
    if not rows:
        why = f" ({'; '.join(why_not)})" if why_not else ""
        raise RunError(f"{run}: nothing finished of what the knowledge base has a name for{why}")
    table = {
        "id": source,
        "title": f"Own measurement on {plan.data.name}, {images(plan.budget)} images a trial",
        "shared": shared(plan, advice, board, source, dataset),
        "results": [each.row for each in rows],
    }
    told = [] if silent else list(claims(plan, board, rows, table, library))
    for folder in ("claims", "datasets", "results"):
        (overlay / folder).mkdir(parents=True, exist_ok=True)
    write(overlay / "results" / f"{source}.yaml", table)
    write_whole(overlay / "claims" / f"{source}.yaml", dumped(told))
    extend(overlay / "sources.yaml", source, source_entry(plan, run))
    if metric_id(plan) not in library.archive.metrics:
        extend(overlay / "metrics.yaml", metric_id(plan), metric_entry(plan))
    for each in rows:
        kind, _, name = each.row["model"].partition(":")
        if kind == "variant" and name not in library.archive.variants:
            gan = library.gans[each.arm.gan].name
            extend(overlay / "variants.yaml", name, f"{each.arm.name}, in place of {gan} as it is")
    if dataset not in library.datasets:
        write(overlay / "datasets" / f"{dataset}.yaml", dataset_entry(plan.data, dataset))
    load(overlays=(overlay,))  # what was written must be readable: InvalidData is a mistake of ours
    learnt = tuple(each.arm.name for each in rows)
    return Lesson(source, dataset, learnt, len(told), silent, why_not)


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


def shared(
    plan: RunPlan, advice: Recommendation, board: Leaderboard, source: str, dataset: str
) -> dict[str, Any]:
    how = plan.measurement
    points = how.features == COORDINATES
    mean = "geometric mean over seeds"
    if plan.search:
        tries = counted(board.tries or 1, "setting")
        mean = f"median of the best of {tries} drawn from published ranges"
    return {
        "dataset": dataset,
        "metric": metric_id(plan),
        "polarity": "lower",
        "resolution": None if points else plan.data.size,
        "conditional": False,
        "n_generated": how.n,
        "n_reference": how.n,
        "split": "test",
        "features": None if points else how.network,
        "budget_images": plan.budget,
        "setting": setting(plan, advice),
        "protocol": f"{board.metric}; {mean}" + ("" if points else f"; features by {how.engine}"),
        "source": source,
        "locator": "leaderboard.json",
        "verified": True,
    }


def setting(plan: RunPlan, advice: Recommendation) -> str:
    """What the run set for all arms alike, and not as the advice has it."""
    advised = {arm.id: arm.recipe for arm in advice.arms}
    pairs = [(t.recipe, advised[t.arm]) for t in plan.trials if t.arm in advised]
    networks = {part(now.backbone) for now, old in pairs if now.backbone != old.backbone}
    batches = {now.batch_size for now, old in pairs if now.batch_size != old.batch_size}
    said = []
    if networks:
        said.append(f"networks {listed(sorted(networks))} for all arms")
    else:
        width = plan.trials[0].recipe.backbone.settings.get("width")
        said.append(f"width {width}" if width else "own networks")
    if batches and not plan.search:  # where settings are drawn, batches may be among them
        said.append(f"batches of {listed(sorted(map(str, batches)))}")
    return ", ".join(said)


def no_claim(plan: RunPlan, board: Leaderboard) -> str | None:
    """Why nobody is said to be better than anybody else; None: the seeds may say so."""
    if plan.search:
        return "its trials are settings of each arm, and not seeds of one"
    if board.verdict.kind in ("preview", "nothing"):
        return board.verdict.says.rstrip(".")
    reached = min((each.mean for each in board.standings if each.mean is not None), default=None)
    bar = unlearnt(board)
    if reached is None or bar is None or reached < bar:
        return None
    return (
        "nobody is clearly better than what takes no learning: the lowest mean is "
        f"{figures(reached)}, and a claim takes less than {figures(bar)}"
    )


def unlearnt(board: Leaderboard) -> float | None:
    """The distance from which on an arm has learnt nothing that could be compared."""
    mean = [board.anchors["mean"].value] if "mean" in board.anchors else []
    bar = bar_of(board.anchors)
    return min([*mean, *([] if bar is None else [bar])], default=None)


def numbers(
    plan: RunPlan,
    those: Sequence[tuple[Candidate, Standing, list[TrialResult]]],
    library: Library,
    silent: str | None,
) -> Iterator[Measured]:
    """One for each arm that got to the end, or failed on the way there."""
    for arm, standing, results in those:
        row: dict[str, Any] = {
            "id": f"{source_id(plan)}-{arm.id}",
            "model": model(arm, library),
            "value": round(standing.mean, 4) if standing.mean is not None else None,
        }
        if len(standing.scores) > 1 and not plan.search:
            row["std"] = round(stdev(standing.scores), 4)
        row["seeds"] = 1 if plan.search else standing.finished or standing.tried
        if is_told(build(results[0].trial.recipe, plan.data.shape, 0)):
            row["conditional"] = True
        if arm.role == "control":
            row["variant"] = arm.name
        faults = any(each.status in OURS for each in results)
        if silent or faults:  # written down, but no advice rests on it
            row |= {"verified": False, "confidence": "low"}
        notes = [*standing.failures, *([f"No comparison: {silent}"] if silent else [])]
        if notes:
            row["note"] = "; ".join(notes)
        yield Measured(arm, standing, row)


def model(arm: Candidate, library: Library) -> str:
    """The GAN, or a variant of it where the control arm is none of its published forms."""
    gan = library.gans[arm.gan]
    known = {**gan.documented, **{slot: (option,) for slot, option in gan.combination.items()}}
    own = all(arm.combination.get(s) in known[s] for s in SLOTS if s in known)
    return arm.gan if arm.role == "candidate" or own else f"variant:control-{arm.gan}"


def claims(
    plan: RunPlan,
    board: Leaderboard,
    rows: Sequence[Measured],
    table: dict[str, Any],
    library: Library,
) -> Iterator[dict[str, Any]]:
    """Which GAN was better than which: of all pairs those alone that the seeds tell apart.

    A claim is what the advisor counts; a number without a claim only breaks ties.
    """
    rows = sorted((each for each in rows if each.logs), key=lambda each: each.row["value"])
    started = len(plan.arms) if plan.rungs[1:] else 0
    comparison = Comparison([each.logs for each in rows], started)
    how = table["shared"]
    condition = [how["protocol"], f"{images(plan.budget)} images a trial"]
    condition += [how["setting"]] if how["setting"] != "own networks" else []
    bar = unlearnt(board)
    for better, worse in combinations(range(len(rows)), 2):
        one, other = rows[better], rows[worse]
        learnt = one.standing.mean is not None and (bar is None or one.standing.mean < bar)
        if not (learnt and bears(one) and bears(other) and comparison.apart(better, worse)):
            continue
        if one.standing.failures:  # it is better only where it ends at all
            continue
        subject, rival = library.gans[one.arm.gan], library.gans[other.arm.gan]
        yield {
            "id": f"{table['id']}-{subject.id}-{rival.id}",
            "subject": subject.id,
            "object": rival.id,
            "aspects": "quality",
            "direction": "better",
            "condition": ", ".join(condition),
            "datasets": [how["dataset"]],
            "says": (
                f"With the same seeds and budget {subject.name} reached a distance of "
                f"{figures(one.row['value'])} and {rival.name} one of "
                f"{figures(other.row['value'])}."
            ),
            "source": table["id"],
            "locator": "leaderboard.json",
            "lineage": table["id"],
            "read_in": "primary",
        }


def bears(each: Measured) -> bool:
    """Whether an arm may be compared: enough seeds, and the GAN that the name says."""
    trusted = each.row.get("confidence") is None
    return trusted and each.row["model"] == each.arm.gan and each.standing.finished >= SEEDS


def to_the_end(
    advice: Recommendation, board: Leaderboard, library: Library, ended: Sequence[TrialResult]
) -> list[tuple[Candidate, Standing, list[TrialResult]]]:
    """A GAN once, the candidate before the control arm, with what became of its trials.

    An arm that only crashed, or only ran out of memory, has shown nothing of its GAN.
    """
    standings = {each.arm: each for each in board.standings}
    results = {arm.id: [each for each in ended if each.trial.arm == arm.id] for arm in advice.arms}
    found: dict[str, tuple[Candidate, Standing, list[TrialResult]]] = {}
    for arm in advice.arms:
        standing = standings.get(arm.id)
        ran = standing is not None and standing.tried > 0 and standing.left is None
        if standing and ran and arm.gan in library.gans:
            told = standing.finished or any(each.status not in OURS for each in results[arm.id])
            if told:
                found.setdefault(model(arm, library), (arm, standing, results[arm.id]))
    return list(found.values())


def left_out(
    plan: RunPlan,
    advice: Recommendation,
    board: Leaderboard,
    those: Sequence[Candidate],
    ended: Sequence[TrialResult],
) -> Iterator[str]:
    there = {arm.id for arm in those}
    names = {arm.id: arm.name for arm in advice.arms}
    for each in board.standings:
        name = names.get(each.arm, each.arm)
        faults = {r.status for r in ended if r.trial.arm == each.arm and r.status in OURS}
        if each.left is not None:
            yield f"{name} left the race after {images(each.left)} images: no number of its end"
        elif each.arm not in there and faults and not each.finished:
            what = listed(sorted(status.replace("-", " ") for status in faults))
            yield f"{name}: {what}, which says nothing of the GAN"
        elif each.arm not in there:
            yield f"{name}: another arm speaks for the same GAN, or the base has no name for it"
        elif faults:
            yield f"{name}: some of its seeds crashed, so its number is kept and compared with none"
    for skip in plan.skipped:
        if skip.same_as:
            stands = names.get(skip.same_as, skip.same_as)
            yield f"{names.get(skip.arm, skip.arm)} was the same recipe as {stands}: no number of its own"


def metric_id(plan: RunPlan) -> str:
    name = distance_name(plan.measurement.features)
    return "fid" if name == "fid-inception" else name.replace("@", "-at-")


def metric_entry(plan: RunPlan) -> dict[str, Any]:
    features = plan.measurement.features
    if features == COORDINATES:
        return {
            "name": "first Wasserstein distance of points",
            "polarity": "lower",
            "needs": ["quality", "diversity"],
            "measures": "How far generated points have to move, on average, to fall on real ones.",
            "weaknesses": [
                "Compares with no distance of images, nor with other numbers of points."
            ],
        }
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
    points = data.size == 1
    if points:
        return {
            "id": dataset,
            "name": data.name,
            "images": data.train,
            "test_images": data.held_out,
            "kind": "toy",
            "how_to_get": f"gan-runner run … --data {data.where} draws its points.",
            "note": f"Fingerprint of the points: {data.fingerprint}.",
        }
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


def extend(path: Path, name: str, entry: object) -> None:
    """An entry of a file that holds several by name; comments in it are lost."""
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    write(path, {**(known or {}), name: entry})


def write(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, dumped({name: it for name, it in content.items() if it is not None}))


def dumped(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
