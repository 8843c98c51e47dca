"""MLflow's runs: one for the whole run, and nested in it one for every trial.

Parameters are the recipe's, metrics stand over real images shown to the critic, artifacts are the
grids of samples, and of the whole run the report and the leaderboard.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from knowledge.files import write_whole
from runner.logs import Entry, Point
from runner.plan import RunPlan, Trial
from runner.results import Leaderboard

EXPERIMENT = "gan-advisor"  # where MLFLOW_EXPERIMENT_NAME names no other
KNOWN = "mlflow.json"  # in the run's folder: which runs of MLflow are its own
LONGEST = 500  # characters of a parameter, which is what older servers take
AT_ONCE = {"params": 100, "metrics": 1000}  # as many as a request may hold
FILES = (
    "report.html",
    "leaderboard.json",
    "recommendation.json",
    "plan.json",
    "samples.png",
    "nearest.webp",
    "nearest.json",
    "interpolation.webp",
)
ENDS = {"finished": "FINISHED", "crashed": "KILLED"}  # another failure is FAILED


class MLflow:
    """The runs of an earlier session are gone on with: their ids stand in the run's folder."""

    name = "MLflow"

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri, self.folder = uri, folder
        self.experiment, self.parent = "", ""
        self.runs: dict[str, str] = {}  # of trials
        self.last: dict[str, dict[str, int]] = {}  # steps, of trials, for each kind of metric
        self.open: set[str] = set()  # trials on their way
        self.over = False

    def begin(self, plan: RunPlan) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody asked to be counted
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=self.uri)
        if self.recall():
            self.client.update_run(self.parent, status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        known = self.client.get_experiment_by_name(name)
        self.experiment = known.experiment_id if known else self.client.create_experiment(name)
        about = {
            "data": plan.data.where,
            "fingerprint": plan.data.fingerprint,
            "size": plan.data.size,
            "channels": plan.data.channels,
            "budget": plan.budget,
            "arms": ", ".join(plan.arms),
            "seeds": ", ".join(map(str, plan.seeds)),
            "features": plan.measurement.features,
            "samples": plan.measurement.n,
            "device": plan.device,
            "precision": plan.precision,
        }
        self.parent = self.create(self.folder.resolve().name, about)

    def recall(self) -> bool:
        """Whether these files are of runs that the same server knows."""
        try:
            found = json.loads((self.folder / KNOWN).read_bytes())
            self.experiment, self.parent = found["experiment"], found["run"]
            self.runs = dict(found["trials"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if found.get("uri") != self.uri:
            self.runs = {}
            return False
        return True

    def create(self, name: str, params: dict[str, Any], **tags: str) -> str:
        run = self.client.create_run(self.experiment, run_name=name, tags=tags)
        self.log(run.info.run_id, "params", map(parameter, params, params.values()))
        return str(run.info.run_id)

    def remember(self) -> None:
        about = {
            "uri": self.uri,
            "experiment": self.experiment,
            "run": self.parent,
            "trials": self.runs,
        }
        write_whole(self.folder / KNOWN, json.dumps(about, indent=1))

    def log(self, run: str, kind: str, entries: Iterable[Any]) -> None:
        all_ = list(entries)
        for at in range(0, len(all_), AT_ONCE[kind]):
            self.client.log_batch(run, **{kind: all_[at : at + AT_ONCE[kind]]})

    def write(self, entry: Entry) -> None:
        trial = entry.trial
        run = self.run_of(trial)
        last = self.last[trial.id]
        score = (entry.score,) if entry.score else ()
        new: list[Point] = []
        for kind, points in (("curve", entry.curve), ("look", entry.looks), ("score", score)):
            fresh = [point for point in points if point.images_seen > last.get(kind, -1)]
            new += fresh
            last[kind] = max((point.images_seen for point in fresh), default=last.get(kind, -1))
        self.log(run, "metrics", metrics(new))
        for point in new:
            if point.grid:
                self.client.log_artifact(run, str(point.grid), "grids")
        if entry.result and entry.result.status != "paused":
            result = entry.result
            if result.why:
                self.client.set_tag(run, "why", f"{result.status}: {result.why}")
            if trial.id in self.open:
                self.client.set_terminated(run, ENDS.get(result.status, "FAILED"))
            self.open.discard(trial.id)

    def run_of(self, trial: Trial) -> str:
        if trial.id not in self.runs:
            tags = {"mlflow.parentRunId": self.parent, "arm": trial.arm, "seed": str(trial.seed)}
            params = {"arm": trial.arm, "seed": trial.seed, "budget": trial.budget}
            params |= flat(trial.recipe.model_dump(mode="json", exclude_none=True))
            self.runs[trial.id] = self.create(trial.id, params, **tags)
            self.last[trial.id] = {}
            self.open.add(trial.id)
            self.remember()
        elif trial.id not in self.last:  # of an earlier session
            self.last[trial.id] = self.steps(self.runs[trial.id])
            if self.client.get_run(self.runs[trial.id]).info.status != "FINISHED":
                self.open.add(trial.id)
                self.client.update_run(self.runs[trial.id], status="RUNNING")
        return self.runs[trial.id]

    def steps(self, run: str) -> dict[str, int]:
        """The last one of every kind that the server has."""
        last: dict[str, int] = {}
        for name in self.client.get_run(run).data.metrics:
            kind = KINDS.get(name.partition("/")[0], "score")
            steps = (each.step for each in self.client.get_metric_history(run, name))
            last[kind] = max(last.get(kind, -1), *steps)
        return last

    def conclude(self, board: Leaderboard) -> None:
        now = int(time.time() * 1000)
        from mlflow.entities import Metric

        scores = [
            Metric(f"score/{each.arm}", each.mean, now, 0)
            for each in board.standings
            if each.mean is not None
        ]
        self.log(self.parent, "metrics", scores)
        self.client.set_tag(self.parent, "metric", board.metric)
        self.client.set_tag(self.parent, "mlflow.note.content", board.verdict.says)
        for name in FILES:
            if (self.folder / name).exists():
                self.client.log_artifact(self.parent, str(self.folder / name))
        for trial in self.open:  # they left the race
            self.client.set_terminated(self.runs[trial], "FINISHED")
        self.client.set_terminated(self.parent, "FINISHED")
        self.over = True

    def close(self) -> None:
        """Interrupted, it is not running any more."""
        if self.parent and not self.over:
            for trial in self.open:
                self.client.set_terminated(self.runs[trial], "KILLED")
            self.client.set_terminated(self.parent, "KILLED")


KINDS = {"loss": "curve", "health": "curve", "look": "look"}


def parameter(name: str, value: object) -> Any:  # noqa: ANN401 - MLflow is not always there
    from mlflow.entities import Param

    return Param(name, str(value)[:LONGEST])


def metrics(points: Sequence[Point]) -> Iterator[Any]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    for point in points:
        for name, value in point.values.items():
            yield Metric(name, value, now, point.images_seen)


def flat(tree: Any, name: str = "") -> dict[str, Any]:  # noqa: ANN401
    """A recipe's settings by their path: "optimizer.betas"; lists of numbers in one."""
    if isinstance(tree, dict):
        inner = ((f"{name}.{key}" if name else key, value) for key, value in tree.items())
    elif isinstance(tree, list) and any(isinstance(each, dict) for each in tree):
        inner = ((f"{name}.{at}", value) for at, value in enumerate(tree))
    else:
        return {name: tree}
    return {k: v for key, value in inner for k, v in flat(value, key).items()}
