"""What a program calls: the same answers, objects and errors as on the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor.advise import recommend as advise
from advisor.explain.entry import ClaimExplained, RuleExplained
from advisor.explain.entry import explained as explained_entry
from advisor.explain.sensitivity import Sensitivity
from advisor.explain.sensitivity import sensitivity as swept
from advisor.explain.what_if import Difference
from advisor.explain.what_if import what_if as compared
from advisor.explain.why_not import WhyNot
from advisor.explain.why_not import why_not as judged
from advisor.profile import Profile, checked
from advisor.profile import read_profile as read
from advisor.recommendation import Candidate, Recommendation, Refusal, Relaxation
from knowledge.library import Library, load, user_overlay
from knowledge.reading import InvalidData

__all__ = [
    "Candidate",
    "ClaimExplained",
    "Difference",
    "InvalidData",
    "Library",
    "Profile",
    "Recommendation",
    "Refusal",
    "Relaxation",
    "RuleExplained",
    "Sensitivity",
    "WhyNot",
    "explained",
    "open_library",
    "read_profile",
    "recommend",
    "sensitivity",
    "what_if",
    "why_not",
]


def recommend(
    profile: Mapping[str, Any],
    *,
    library: Library | None = None,
    top: int = 6,
    strict: bool = False,
    robust: bool = True,
) -> Recommendation:
    """At most `top` candidates and the control arm, best first, with the funnel that led to them.

    `profile` holds answers by question: a `Profile`, or any mapping such as `{"task": …}`.
    `strict` cuts only what is impossible; without `robust` no source is left out for a trial.
    Raises InvalidData, which names every wrong answer with the nearest right one.
    """
    known = library or open_library()
    return advise(checked(profile, known), known, top=top, strict=strict, robust=robust)


def why_not(
    combination: str, profile: Mapping[str, Any], *, library: Library | None = None
) -> WhyNot:
    """Why a combination such as `wgan-gp+batch-norm` is not in the shortlist, and what would help."""
    known = library or open_library()
    return judged(combination, checked(profile, known), known)


def what_if(
    changes: Mapping[str, Any], profile: Mapping[str, Any], *, library: Library | None = None
) -> Difference:
    """What other answers would change. None leaves a question open."""
    known = library or open_library()
    return compared(changes, checked(profile, known), known)


def sensitivity(profile: Mapping[str, Any], *, library: Library | None = None) -> Sensitivity:
    """Which single answers would change the shortlist, and how."""
    known = library or open_library()
    return swept(checked(profile, known), known)


def explained(
    name: str, profile: Mapping[str, Any] | None = None, *, library: Library | None = None
) -> RuleExplained | ClaimExplained:
    """A rule or a claim by its id, and what it does with these answers.

    Raises LookupError, which names what is spelt alike.
    """
    known = library or open_library()
    return explained_entry(name, checked(profile or {}, known), known)


def read_profile(path: str | Path, *, library: Library | None = None) -> Profile:
    """Answers from a YAML file. Raises InvalidData with file and line of every wrong one."""
    return read(Path(path), library or open_library())


def open_library(*overlays: str | Path) -> Library:
    """What is known, with a person's own overlay and these folders laid over it."""
    own = user_overlay()
    return load(overlays=(*([own] if own else ()), *map(Path, overlays)))
