"""What to try next: troubles as answers of the advisor's question, and what it then advises."""

from collections.abc import Iterator, Mapping, Sequence

from advisor.recommendation import Answer, Candidate, Recommendation
from runner.troubles import Cure, Diagnosis, Prescription, Trouble

QUESTION = "trouble"

# What the advice calls them, where it speaks of a candidate's weaknesses.
ISSUES: dict[Trouble, tuple[str, ...]] = {
    "mode-collapse": ("mode-collapse", "low-diversity"),
    "vanishing-gradient": ("vanishing-gradient",),
    "unstable-training": ("unstable-training",),
    "non-convergence": ("non-convergence",),
    "imbalance": ("imbalance",),
    "memorisation": ("generalizability",),
    "checkerboard": (),
}


def choices(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What the advisor is to be told: the troubles that most trials of some arm had."""
    return tuple(
        dict.fromkeys(
            finding.asks
            for arm in diagnosis.troubled
            for trial in diagnosis.arms[arm]
            for finding in trial.counts
            if finding.asks and finding.trouble in diagnosis.troubles_of(arm)
        )
    )


def asked(answers: Mapping[str, Answer], troubles: Sequence[str]) -> dict[str, Answer]:
    """The answers of the first advice, and these troubles beside those it was told of."""
    told = answers.get(QUESTION, ())
    before = told if isinstance(told, tuple) else (str(told),)
    return {**answers, QUESTION: tuple(dict.fromkeys((*before, *troubles)))}


def without_sick(
    advised: Recommendation, before: Recommendation, diagnosis: Diagnosis, top: int
) -> Recommendation:
    """Trained again, the same recipe would have the same trouble. The control arm stays."""
    sick = {arm.id: arm.recipe for arm in before.arms if arm.id in diagnosis.troubled}
    kept = [each for each in advised.candidates if sick.get(each.id) != each.recipe][:top]
    ids = {each.id for each in kept}
    return advised.model_copy(
        update={
            "candidates": tuple(kept),
            "conservative": advised.conservative if advised.conservative in ids else None,
            "bold": advised.bold if advised.bold in ids else None,
        }
    )


def prescription(
    diagnosis: Diagnosis, before: Recommendation, advised: Recommendation, kept: Recommendation
) -> Prescription:
    ids = {each.id for each in kept.candidates}
    names = {arm: trials[0].name for arm, trials in diagnosis.arms.items()}
    asks = choices(diagnosis)
    found = dict.fromkeys(
        (*by_candidates(kept, asks), *by_practice(kept, before), *by_arms(diagnosis, before))
    )
    return Prescription(
        asked=asks,
        cures=tuple(found),
        left_out=tuple(
            each.name
            for each in advised.candidates
            if each.id not in ids and each.id in diagnosis.troubled
        ),
        healthy=tuple(names[arm] for arm in diagnosis.arms if not diagnosis.troubles_of(arm)),
    )


def by_candidates(kept: Recommendation, asks: Sequence[str]) -> Iterator[Cure]:
    """What sources report the next candidates to cure."""
    for trouble in asks:
        for each in kept.candidates:
            for witness in each.testimony:
                if witness.need == trouble and witness.vote > 0:
                    says, cited = witness.citation.says, (witness.citation,)
                    on = f"{trouble}, {each.name}"
                    yield Cure(on=on, try_=each.name, says=says, citations=cited, of="candidate")


def by_practice(kept: Recommendation, before: Recommendation) -> Iterator[Cure]:
    """What the rules say now and did not say before anybody told them of the trouble."""
    said = {remark.rule for remark in before.advice}
    for remark in kept.advice:
        if remark.rule not in said:
            yield Cure(
                on="in general",
                try_=remark.instead or remark.says,
                says=f"{remark.says}. {remark.because}",
                citations=remark.citations,
                sources=remark.sources,
                of="practice",
            )


def by_arms(diagnosis: Diagnosis, before: Recommendation) -> Iterator[Cure]:
    """What the first advice had said of how those that were sick fail, and what to try then."""
    arms: dict[str, Candidate] = {arm.id: arm for arm in before.arms}
    for name in diagnosis.troubled:
        arm = arms.get(name)
        if arm is None:
            continue
        issues = {issue for trouble in diagnosis.troubles_of(name) for issue in ISSUES[trouble]}
        for failure in arm.fails:
            if failure.then:
                yield Cure(
                    on=arm.name,
                    try_=failure.then,
                    says=failure.says,
                    citations=failure.citations,
                    sources=failure.sources,
                    of="arm",
                )
        for weakness in arm.troubles:
            if weakness.issue in issues and weakness.then:
                names = [before.names.get(gan, gan) for gan in weakness.then]
                yield Cure(on=arm.name, try_=", ".join(names), says=weakness.says, of="arm")
