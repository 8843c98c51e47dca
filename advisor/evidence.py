"""The ledger: which claims speak for and against a GAN, on each stated need."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from advisor.facts import Facts
from advisor.recommendation import Citation, Support, Testimony, Uncounted
from advisor.space import default_task, serves
from knowledge.library import Library
from knowledge.schema import Claim, Dataset

ENOUGH_SYSTEMS = 5  # placeholder: a data set is studied where so many rivals are compared on it
VOTES = {"better": 1, "worse": -1, "positive": 1, "negative": -1, "equal": 0}
NOT_IMAGES = ("toy", "text")
COMPARABLE = ("task:", "technique:", "class:unregularized")


class Evidence:
    """What the claims of the library say, for one profile.

    `leaving_out` silences sources; without `praise` nobody speaks of their own method. `like` is
    that of the same profile with fewer silenced: it lends what it quoted.
    """

    def __init__(
        self,
        library: Library,
        facts: Facts,
        leaving_out: Collection[str] = (),
        *,
        praise: bool = True,
        like: "Evidence | None" = None,
    ) -> None:
        self.library = library
        self.quoted: dict[tuple[str, str, str, int], Testimony] = {}  # by GAN, need, claim and vote
        if like:
            self.quoted = like.quoted
        self.claims: list[Claim] = [
            claim
            for claim in (like.claims if like else library.claims.values())
            if claim.lineage not in leaving_out and (praise or not claim.own_method)
        ]
        name = facts.get("dataset")
        self.dataset = library.datasets.get(str(name)) if name else None
        task = str(facts["task"]) if "task" in facts else default_task(library)
        self.studied = self.dataset is not None and self.is_studied(self.dataset, task)
        self.needs = stated(facts, library)
        self.by_gan: dict[str, list[Claim]] = defaultdict(list)
        for claim in self.claims:
            for end in {claim.subject, claim.object}:
                self.by_gan[end].append(claim)

    def is_studied(self, dataset: Dataset, task: str | None) -> bool:
        """Whether enough of what the task chooses between is compared on this very data set.

        That are losses where the architectures of the review serve the task, else its systems.
        """
        compared = {
            end
            for claim in self.claims
            if dataset.id in claim.datasets
            for end in (claim.subject, claim.object)
        }
        if any(serves(option, task) for option in self.library.axes["architecture"].options):
            rivals = {option.gan for option in self.library.axes["loss"].options}
        else:
            rivals = {gan.id for gan in self.library.gans.values() if task in gan.tasks}
        return len(rivals & compared) >= ENOUGH_SYSTEMS

    def in_scope(self, claim: Claim) -> bool:
        """Said in general, or measured on this data set; elsewhere only if nothing was here."""
        if claim.refuted or claim.misplaced:
            return False
        if not claim.datasets:
            return True
        if self.studied or self.direct(claim):
            return self.direct(claim)
        kinds = {self.library.datasets[dataset].kind for dataset in claim.datasets}
        return not kinds <= set(NOT_IMAGES)

    def speaks(self, claim: Claim) -> bool:
        """Whether it is a witness on any stated need."""
        aspects = {aspect for each in self.needs.values() for aspect in each}
        return not aspects.isdisjoint(claim.aspects) and self.in_scope(claim)

    def direct(self, claim: Claim) -> bool:
        return self.dataset is not None and self.dataset.id in claim.datasets

    def compared_on_dataset(self, gan: str) -> bool:
        return any(self.direct(claim) for claim in self.by_gan[gan])

    def agrees(self, other: "Evidence", gan: str) -> bool:
        """Whether the same claims speak of a GAN, and are in scope."""
        return self.studied == other.studied and self.by_gan[gan] == other.by_gan[gan]

    def testimony(self, gan: str) -> tuple[Testimony, ...]:
        """Every claim in scope that speaks to a stated need of this GAN."""
        return tuple(
            self.witness(gan, need, vote, claim)
            for need, aspects in self.needs.items()
            for claim in self.by_gan[gan]
            if not set(claim.aspects).isdisjoint(aspects) and self.in_scope(claim)
            if (vote := vote_of(claim, gan)) is not None
        )

    def witness(self, gan: str, need: str, vote: int, claim: Claim) -> Testimony:
        key = (gan, need, claim.id, vote)
        if key not in self.quoted:
            self.quoted[key] = Testimony(
                need=need,
                vote=vote,
                lineage=claim.lineage,
                direct=self.direct(claim),
                own_method=claim.own_method,
                rival=rival_of(claim, gan, self.library),
                citation=cite(claim, self.library),
            )
        return self.quoted[key]

    def support(self, testimony: tuple[Testimony, ...]) -> tuple[Support, ...]:
        """One vote for each lineage and need: repeats of one source's statements collapse."""
        ballots: dict[str, dict[str, list[int]]] = {need: defaultdict(list) for need in self.needs}
        for witness in testimony:
            ballots[witness.need][witness.lineage].append(witness.vote)
        return tuple(count(need, lineages) for need, lineages in ballots.items())


def stated(facts: Facts, library: Library) -> dict[str, tuple[str, ...]]:
    """What was asked for, by whichever question, and the aspects of claims that speak to it.

    A need that two questions lead to, such as training without tuning, is one need.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for question in library.questions.values():
        given = facts.get(question.id)
        for choice in given if isinstance(given, tuple) else (given,):
            if aspects := question.aspects.get(str(choice)):
                need = str(choice) if question.answer == "choices" else question.id
                found[need] |= dict.fromkeys(aspects)
    return {need: tuple(aspects) for need, aspects in found.items()}


def count(need: str, lineages: Mapping[str, list[int]]) -> Support:
    sums = [sum(votes) for votes in lineages.values()]
    return Support(
        need=need,
        for_=sum(total > 0 for total in sums),
        against=sum(total < 0 for total in sums),
        equal=sum(total == 0 for total in sums),
    )


def counted(testimony: Collection[Testimony]) -> tuple[Testimony, ...]:
    """With what keeps a witness from being the vote of its lineage, where something does.

    Of several that say the same, one measured on the profile's own data set stands for the others.
    """
    ballots: dict[tuple[str, str], list[Testimony]] = defaultdict(list)
    for witness in testimony:
        ballots[witness.need, witness.lineage].append(witness)
    first = {
        key: min((w for w in own if w.vote), key=lambda w: (w.vote * total < 0, not w.direct))
        for key, own in ballots.items()
        if (total := sum(witness.vote for witness in own))
    }

    def judged(witness: Testimony) -> Testimony:
        key = witness.need, witness.lineage
        total = sum(each.vote for each in ballots[key])
        why: Uncounted | None = None
        if witness.vote and not total:
            why = "balanced"
        elif witness.vote * total < 0:
            why = "outvoted"
        elif witness.vote and first[key] is not witness:
            why = "same authors"
        return witness.model_copy(update={"uncounted": why}) if why else witness

    return tuple(map(judged, testimony))


def vote_of(claim: Claim, gan: str) -> int | None:
    """+1 for, -1 against, 0 a draw; None where the claim ranks nothing that can be chosen."""
    vote = VOTES.get(claim.direction)
    if vote is None or claim.subject == claim.object:
        return None
    if claim.subject == gan:
        other = claim.object
        rivals = other == "self" or ":" not in other or other.startswith(COMPARABLE)
        return vote if rivals else None
    ranked = claim.direction in ("better", "worse", "equal") and ":" not in claim.subject
    return -vote if ranked else None


def rival_of(claim: Claim, gan: str, library: Library) -> str | None:
    other = claim.object if claim.subject == gan else claim.subject
    return other if other in library.gans else None


def citations(claims: Iterable[str], library: Library) -> tuple[Citation, ...]:
    """Claims by their ids, as they are quoted."""
    return tuple(cite(library.claims[claim], library) for claim in claims)


def cite(claim: Claim, library: Library) -> Citation:
    source = library.sources[claim.source]
    return Citation(
        claim=claim.id,
        says=claim.says,
        source=claim.source,
        short=source.short,
        locator=claim.locator,
        url=source.url,
        condition=claim.condition,
        checks=tuple(f"{check.status}: {check.note} ({check.where})" for check in claim.checks),
        behind=library.sources[claim.lineage].short if claim.lineage != claim.source else None,
    )
