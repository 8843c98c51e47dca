"""What to choose: answers in, a reasoned shortlist out. Never imports torch.

from advisor import Profile, recommend

found = recommend(Profile(task="unconditional", needs=("quality", "diversity")))
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.api import (
        Candidate,
        ClaimExplained,
        Difference,
        InvalidData,
        Library,
        Profile,
        Recommendation,
        Refusal,
        Relaxation,
        RuleExplained,
        Sensitivity,
        WhyNot,
        explained,
        open_library,
        read_profile,
        recommend,
        sensitivity,
        what_if,
        why_not,
    )

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


def __getattr__(name: str) -> object:
    """Read when first asked for: the runner and the commands import parts of this package alone."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from advisor import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
