"""Rules, and the questions whose answers they speak of."""

from typing import Literal

from knowledge.schema.fields import OneOrMore, OneOrMoreValues, Record, Slot, Value, Waiver

Stage = Literal["coherence", "practice", "documented", "network", "loss", "regularization",
                "divergence", "handful"]  # fmt: skip
STAGES: dict[Stage, str] = {  # in the order of the funnel, as people read them
    "coherence": "Coherence: what can be built at all",
    "practice": "Recommended practice",
    "documented": "Documented by some source",
    "network": "1. Which networks for generator and critic?",
    "loss": "2. Which losses?",
    "regularization": "3. Is regularization needed, and which?",
    "divergence": "4. Is another divergence needed?",
    "handful": "One combination for each loss",
}
Layer = Literal["hard", "recommended", "undocumented", "tie-break"]
Selector = dict[Slot, OneOrMore]  # slot -> tags or option ids, any of which; "!tag" is its negation


class Rule(Record):
    """While the facts hold, combinations are cut or carry a remark."""

    id: str
    stage: Stage
    layer: Layer
    says: str  # one line, as it stands in the funnel
    because: str
    instead: str | None = None
    when: dict[str, OneOrMoreValues] = {}  # fact -> wanted values; an unknown fact: silent
    unless: dict[str, OneOrMoreValues] = {}  # any of these, when known, silences it
    excludes: tuple[Selector, ...] = ()  # combinations that match any of these are cut
    notes: tuple[Selector, ...] = ()  # or carry it as a remark: a must (hard) or a should
    behind: bool = False  # what it remarks on stands behind all that it does not
    refuses: bool = False  # not a GAN problem
    advises: bool = False  # is said once, of the whole recommendation
    fails: bool = False  # tells how what it notes usually fails; `instead` is what to try then
    keeps_documented: Slot | None = None  # cut what no source reports for that GAN
    keeps_default: tuple[Slot, ...] = ()  # of several options keep the GAN's default
    keeps: Literal["serves-the-task", "compared-on-dataset", "meets-a-need"] | None = None
    claims: tuple[str, ...] = ()
    counter: tuple[str, ...] = ()  # claims that speak against the rule
    sources: tuple[str, ...] = ()  # where no claim of the base says it
    waiver: Waiver | None = None

    @property
    def by_definition(self) -> bool:
        """Whether it says what belongs to a system, and not that two things contradict each other.

        Such rules cut what lacks something ("!tag"), or what is made for another task.
        """
        words = (word for each in self.excludes for tags in each.values() for word in tags)
        return self.keeps == "serves-the-task" or any(word.startswith("!") for word in words)


class Choice(Record):
    id: str
    says: str


class Question(Record):
    id: str  # the fact that the answer gives
    asks: str
    why: str
    unlocks: str | None = None  # what hangs on the answer
    answer: Literal["choice", "choices", "number", "dataset"]
    choices: tuple[Choice, ...] = ()
    aspects: dict[str, tuple[str, ...]] = {}  # choice -> aspects of claims that speak to it
    default: Value | None = None
    unit: str | None = None


class Vocabulary(Record):
    aspects: dict[str, str] = {}
    issues: dict[str, str] = {}
    tasks: dict[str, str] = {}
