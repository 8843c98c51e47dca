"""What a report says. The page, Markdown and JSON are three ways to write this down."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from advisor.recommendation import (
    NO_VOTE,
    Answer,
    Candidate,
    Citation,
    Cost,
    Failure,
    Recommendation,
    Remark,
    Robustness,
    Setting,
    Step,
    Support,
    Testimony,
    Trouble,
)
from knowledge.schema import Record
from runner.metrics import Score
from runner.plan import DataPlan, Measurement, Skip
from runner.race import race_of
from runner.report.files import Pictures, Run
from runner.report.notes import notes
from runner.report.predicted import Predicted, predicted
from runner.report.words import held, in_words, place, recipe_rows
from runner.results import Look, Searched, Standing, Status, TrialResult, Verdict
from runner.troubles import Diagnosis
from runner.wording import images

SCHEMA_VERSION: Literal[1] = 1
DRAWN = 60  # trials of each arm
HEADLINES = {
    "winner": "Winner",
    "tie": "Tie",
    "preview": "Preview",
    "nothing": "No result",
}


class Funnel(Record):
    """From the whole space to the shortlist."""

    space: int  # combinations on paper
    answers: dict[str, Answer]
    steps: tuple[Step, ...]
    conservative: str | None  # the candidate's name
    bold: str | None
    crowded_out: tuple[str, ...]
    unknown: tuple[str, ...]  # what rules asked about and nobody answered


class Witness(Record):
    """A claim once, with all the needs that it speaks to."""

    needs: tuple[str, ...]
    direct: bool  # measured on the data set that was asked for
    citation: Citation
    no_vote: tuple[str, ...] = ()  # why it does not count on a need, in words


class Shortlisted(Record):
    """A candidate or the control arm, and what was published of it."""

    id: str
    name: str
    year: int
    role: Literal["candidate", "control"]
    rank: int  # equal ranks are ties
    standing: str  # "well supported", "plausible", "untested here"
    because: str | None
    support: tuple[Support, ...]
    evidence: dict[Literal["for", "against", "neither"], tuple[Witness, ...]]
    remarks: tuple[Remark, ...]
    fails: tuple[Failure, ...]
    troubles: tuple[Trouble, ...]
    cost: Cost
    robustness: Robustness | None
    recipe: dict[str, str]  # as it was trained; where it was not, as it is published
    settings: tuple[Setting, ...]
    generator_parameters: int | None = None
    critic_parameters: int | None = None


class Row(Record):
    """A line of the leaderboard."""

    place: str  # "1", "1=" for a tie, "–" where no seed finished
    leads: bool  # not told apart from the first, where anything is claimed at all
    standing: Standing


class Held(Record):
    """What scores are held against: "real" images is the floor, the others nobody had to learn."""

    name: str
    score: Score


class Course(Record):
    """A trial."""

    id: str
    arm: str
    name: str  # the arm's
    which: str  # "seed 0"
    status: Status
    says: str  # its looks, in words
    why: str | None  # of a failure
    remarks: tuple[str, ...]
    images_seen: int
    seconds: float  # of training
    score: float | None  # at the end of the budget
    looks: tuple[Look, ...]


class Leg(Record):
    """A rung of the race."""

    images: int
    seeds: int
    entrants: tuple[str, ...]  # names; empty: it has not begun
    left: tuple[str, ...]  # at its end


class Command(Record):
    """What can be done next, to be typed in the folder of the run."""

    says: str
    command: str


class Reproduction(Record):
    """What it takes to do it again."""

    data: DataPlan
    measurement: Measurement
    budget: int  # real images shown to each critic
    seeds: tuple[int, ...]
    precision: str
    device: str
    redraw_noise: float | None  # standard deviation of one set of samples, in logs
    circumstances: dict[str, Any]  # the command, versions, hardware


class Report(Record):
    """Everything that a report says; docs/api/report.md describes the JSON."""

    schema_version: Literal[1] = SCHEMA_VERSION
    advisor_version: str
    title: str
    headline: str  # "Winner", "Tie", "Preview", "No result"
    verdict: Verdict
    cautions: tuple[str, ...]
    metric: str
    look_metric: str | None
    complete: bool  # every planned trial has ended
    tries: int | None  # of a search: distances are medians of the best of so many settings
    leaderboard: tuple[Row, ...]  # best first
    notes: tuple[str, ...]  # how to read it
    measures: tuple[str, ...]  # names of what was measured beside the distance
    truths: tuple[str, ...]  # names of what was held against a toy's known distribution
    anchors: tuple[Held, ...]
    race: tuple[Leg, ...]  # empty: nobody leaves early
    search: tuple[Searched, ...]
    trials: tuple[Course, ...]  # in the order of the leaderboard; those that have begun
    diagnosis: Diagnosis | None  # None: gan-runner diagnose has not been asked
    predicted: Predicted
    funnel: Funnel
    shortlist: tuple[Shortlisted, ...]  # the control arm last
    skipped: tuple[Skip, ...]  # what was recommended and was not trained here
    latents: tuple[int, ...]  # how many the generators have
    pictures: Pictures
    reproduction: Reproduction
    next: tuple[Command, ...]

    @property
    def things(self) -> str:
        """What the data are, and samples."""
        return "points" if self.reproduction.data.of_points else "images"

    @property
    def beside(self) -> str:
        """How to read what was measured beside the distance."""
        of = "coordinates" if self.reproduction.data.of_points else "features"
        better = (
            "KID: lower is better; the others: higher"
            if "kid" in self.measures
            else ("Higher is better")
        )
        says = f"From the same {of}, means over the finished seeds. {better}."
        return f"{says} The ranking does not rest on them."

    @property
    def names(self) -> dict[str, str]:
        return {row.standing.arm: row.standing.name for row in self.leaderboard}

    @property
    def drawn(self) -> tuple[Course, ...]:
        """So many trials of each arm that a page holds them; JSON has all."""
        drawn: dict[str, list[Course]] = {}
        for trial in self.trials:
            drawn.setdefault(trial.arm, []).append(trial)
        return tuple(trial for own in drawn.values() for trial in own[:DRAWN])

    @property
    def first(self) -> Standing | None:
        """The arm with the lowest mean."""
        return next((row.standing for row in self.leaderboard if row.standing.finished), None)

    @property
    def floor(self) -> Score | None:
        return next((each.score for each in self.anchors if each.name.startswith("real ")), None)


def content(run: Run) -> Report:
    plan, board, advice = run.plan, run.board, run.advice
    claims = board.verdict.kind in ("winner", "tie")
    return Report(
        advisor_version=advice.advisor_version,
        title=f"Which GAN for {plan.data.name}?",
        headline=HEADLINES[board.verdict.kind],
        verdict=board.verdict,
        cautions=board.cautions,
        metric=board.metric,
        look_metric=board.look_metric,
        complete=board.complete,
        tries=board.tries,
        leaderboard=tuple(
            Row(place=place(each, board.standings), leads=each.leader and claims, standing=each)
            for each in board.standings
        ),
        notes=tuple(notes(plan, board)),
        measures=board.measures,
        truths=board.truths,
        anchors=tuple(Held(name=name, score=score) for name, score in held(board, points=plan.data.of_points)),
        race=tuple(race(run)),
        search=board.search,
        trials=tuple(
            course(result)
            for each in board.standings
            for result in trials_of(run, each.arm)
        ),
        diagnosis=run.diagnosis,
        predicted=predicted(advice, board.standings, run.diagnosis),
        funnel=funnel(advice),
        shortlist=tuple(shortlisted(arm, run) for arm in advice.arms),
        skipped=plan.skipped,
        latents=tuple(sorted({trial.recipe.latent_dim for trial in plan.trials})),
        pictures=run.pictures,
        reproduction=Reproduction(
            data=plan.data,
            measurement=plan.measurement,
            budget=plan.budget,
            seeds=plan.seeds,
            precision=plan.precision,
            device=plan.device,
            redraw_noise=board.redraw_noise,
            circumstances=run.around,
        ),
        next=tuple(commands(run)),
    )  # fmt: skip


def commands(run: Run) -> Iterator[Command]:
    if run.board.verdict.kind != "nothing":
        further = images(2 * run.plan.budget)
        for says, command in (
            ("draw from the first arm", "sample . -n 64"),
            ("take its generator along, with a model card", "export . --format onnx"),
            ("train it further", f"continue . --budget {further}"),
        ):
            yield Command(says=says, command=f"gan-runner {command}")
    for says, command in (
        ("find out what went wrong, and what cures it", "diagnose ."),
        ("let the next advice weigh what was measured", "learn . -o my-evidence"),
        ("write this report again, or print it", "report . --markdown"),
    ):
        yield Command(says=says, command=f"gan-runner {command}")


def trials_of(run: Run, arm: str) -> Iterator[TrialResult]:
    own = (trial.id for trial in run.plan.trials if trial.arm == arm)
    return (run.results[each] for each in own if each in run.results)


def course(result: TrialResult) -> Course:
    return Course(
        id=result.trial.id,
        arm=result.trial.arm,
        name=result.trial.name,
        which=result.trial.which,
        status=result.status,
        says=in_words(result),
        why=result.why,
        remarks=result.remarks,
        images_seen=result.images_seen,
        seconds=result.seconds,
        score=result.score.value if result.score else None,
        looks=result.looks,
    )


def race(run: Run) -> Iterator[Leg]:
    if len(run.plan.rungs) < 2:
        return
    names = {each.arm: each.name for each in run.board.standings}
    entrants = race_of(run.plan, list(run.results.values()), run.board.anchors).entrants
    for index, rung in enumerate(run.plan.rungs):
        yield Leg(
            images=rung.budget,
            seeds=rung.seeds,
            entrants=tuple(names[arm] for arm in entrants[index]) if index < len(entrants) else (),
            left=tuple(each.name for each in run.board.standings if each.left == rung.budget),
        )


def funnel(advice: Recommendation) -> Funnel:
    names = {arm.id: arm.name for arm in advice.arms}
    return Funnel(
        space=advice.space_size,
        answers=advice.answers,
        steps=tuple(named(step, advice.names) for step in advice.funnel),
        conservative=names.get(advice.conservative or ""),
        bold=names.get(advice.bold or ""),
        crowded_out=advice.crowded_out,
        unknown=advice.unknown,
    )


def named(step: Step, names: Mapping[str, str]) -> Step:
    """With what it drops as people write it."""
    return step.model_copy(update={"dropped": tuple(names.get(gan, gan) for gan in step.dropped)})


def shortlisted(arm: Candidate, run: Run) -> Shortlisted:
    recipe = next((t.recipe for t in run.plan.trials if t.arm == arm.id), arm.recipe)
    sizes = (each for each in trials_of(run, arm.id) if each.generator_parameters)
    measured = next(sizes, None)
    same = {name: getattr(arm, name) for name in Shortlisted.model_fields if hasattr(arm, name)}
    return Shortlisted.model_validate(
        same
        | {
            "evidence": evidence(arm),
            "recipe": dict(recipe_rows(recipe)),
            "generator_parameters": measured.generator_parameters if measured else None,
            "critic_parameters": measured.critic_parameters if measured else None,
        }
    )


def evidence(arm: Candidate) -> dict[str, tuple[Witness, ...]]:
    """What speaks for it, against it, and for neither side."""
    return {
        "for": witnesses(arm, 1),
        "against": witnesses(arm, -1),
        "neither": witnesses(arm, 0),
    }


def witnesses(arm: Candidate, vote: int) -> tuple[Witness, ...]:
    found: dict[str, Witness] = {}
    for said in arm.testimony:
        if said.vote == vote:
            known = found.get(said.citation.claim)
            found[said.citation.claim] = Witness(
                needs=(*(known.needs if known else ()), said.need),
                direct=said.direct or bool(known and known.direct),
                citation=said.citation,
                no_vote=tuple(dict.fromkeys((*(known.no_vote if known else ()), *no_vote(said)))),
            )
    return tuple(found.values())


def no_vote(said: Testimony) -> Iterator[str]:
    if said.uncounted:
        yield NO_VOTE[said.uncounted]


def citations(report: Report) -> Iterator[Citation]:
    for step in report.funnel.steps:
        yield from (*step.citations, *step.counter)
    for arm in report.shortlist:
        for side in arm.evidence.values():
            yield from (witness.citation for witness in side)
        for remark in arm.remarks:
            yield from (*remark.citations, *remark.counter)
