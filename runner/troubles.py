"""What a diagnosis says: which troubles trials had, and what is reported to cure them."""

from typing import Literal, NamedTuple, get_args

from advisor.recommendation import Citation
from knowledge.schema import Record
from runner.health import ROUNDS

Trouble = Literal[
    "mode-collapse",
    "vanishing-gradient",
    "unstable-training",
    "non-convergence",
    "imbalance",
    "memorisation",
    "checkerboard",
]
Answer = Literal["found", "not found", "cannot be told"]

TROUBLES: tuple[Trouble, ...] = get_args(Trouble)

CERTAIN = 0.99  # of pairs: a critic that scores the real image higher so often is always right


ABOUT = {
    "candidate": "candidates",
    "practice": "in general",
    "arm": "what the advice had said of those that failed",
}


class Figure(Record):
    """A number that a verdict rests on; it speaks for the trouble where it is beyond the limit."""

    says: str
    value: float
    limit: float | None = None  # None: shown beside
    beyond: Literal["above", "below"] = "above"

    @property
    def speaks(self) -> bool:
        if self.limit is None:
            return False
        return self.value > self.limit if self.beyond == "above" else self.value < self.limit


class Finding(Record):
    trouble: Trouble
    answer: Answer
    says: str  # one sentence, without its full stop
    figures: tuple[Figure, ...] = ()

    @property
    def asks(self) -> str | None:
        """What it is among the answers of the advisor's question on troubles, if it is any."""
        if self.trouble != "imbalance":
            return self.trouble
        strong = any(each.speaks and each.limit == CERTAIN for each in self.figures)
        return "critic-too-strong" if strong else None


class Cure(Record):
    """Something that a source reports to help, with the place where it says so."""

    on: str  # the trouble, with the candidate that is said to cure it; or the arm that was sick
    try_: str  # a candidate, or what to change
    says: str
    citations: tuple[Citation, ...] = ()
    sources: tuple[str, ...] = ()
    of: Literal["candidate", "practice", "arm"]  # the next one, any, or the one that was sick

    @property
    def told(self) -> str:
        says = self.says.rstrip(".")
        if self.of != "candidate":
            says += f". Try {self.try_.rstrip('.')}"
        places = [f"{each.short}, {each.locator}" for each in self.citations]
        cited = "; ".join(dict.fromkeys((*places, *self.sources)))
        return f"{says}. [{cited}]" if cited else f"{says}."


class Saying(NamedTuple):
    """What holds for several is said once."""

    on: tuple[str, ...]
    says: str  # with what to try, and the sources


class Prescription(Record):
    """What follows from a diagnosis."""

    schema_version: Literal[1] = 1
    asked: tuple[str, ...]  # choices of the advisor's question
    cures: tuple[Cure, ...]
    left_out: tuple[str, ...]  # candidates whose very recipe had trouble here
    healthy: tuple[str, ...]  # arms of the run that had none

    @property
    def by_kind(self) -> dict[str, tuple[Saying, ...]]:
        """The cures by what they are about, under titles."""
        found: dict[str, dict[str, list[str]]] = {}
        for kind, title in ABOUT.items():
            for cure in self.cures:
                if cure.of == kind:
                    found.setdefault(title, {}).setdefault(cure.told, []).append(cure.on)
        return {
            title: tuple(Saying(tuple(on), says) for says, on in those.items())
            for title, those in found.items()
        }


class Next(Record):
    """A new recommendation."""

    file: str
    candidates: tuple[str, ...]  # ids
    names: tuple[str, ...]  # of the same


class Diagnosed(Record):
    """A trial."""

    trial: str
    arm: str
    name: str  # the arm's, for people
    which: str  # "seed 0"
    status: str
    rounds: int  # steps of the generator
    findings: tuple[Finding, ...]  # one for each trouble

    @property
    def found(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.answer == "found")

    @property
    def young(self) -> bool:
        """It may just not have begun."""
        return self.rounds < ROUNDS and self.status != "diverged"

    @property
    def counts(self) -> tuple[Finding, ...]:
        """What more training would not take away by itself."""
        old = not self.young
        return tuple(each for each in self.found if old or each.trouble == "memorisation")

    @property
    def caution(self) -> str | None:
        if not self.young or not self.found:
            return None
        return (
            f"after {self.rounds:,} steps of its generator it may just not have begun: a healthy "
            f"GAN may take {ROUNDS:,} for that"
        )


class Diagnosis(Record):
    """Of a run, or of one trial."""

    schema_version: Literal[1] = 1
    trials: tuple[Diagnosed, ...]
    prescription: Prescription | None = None  # None: nothing was found, or nobody knows the answers
    next: Next | None = None
    note: str | None = None  # why some of it is no reason to try something else

    @property
    def blind(self) -> bool:
        """Whether nothing of any trial could be looked at."""
        findings = [each for trial in self.trials for each in trial.findings]
        return all(each.answer == "cannot be told" for each in findings)

    @property
    def arms(self) -> dict[str, tuple[Diagnosed, ...]]:
        ids = dict.fromkeys(each.arm for each in self.trials)
        return {arm: tuple(t for t in self.trials if t.arm == arm) for arm in ids}

    def troubles_of(self, arm: str) -> tuple[Trouble, ...]:
        """Those that more than half of its trials had: one seed alone may have had bad luck.

        Of trials that may just not have begun nothing is said, and nobody is advised against them.
        """
        trials = self.arms[arm]
        counts = {
            trouble: sum(f.trouble == trouble for trial in trials for f in trial.counts)
            for trouble in TROUBLES
        }
        return tuple(trouble for trouble in TROUBLES if counts[trouble] > len(trials) / 2)

    @property
    def troubled(self) -> tuple[str, ...]:
        return tuple(arm for arm in self.arms if self.troubles_of(arm))
