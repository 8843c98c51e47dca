"""One profile for each task and each refusal: the whole page, as it was read and approved.

After a change that should alter the advice, look at the difference and write the pages anew:
`python -m tests.advisor.test_golden`.
"""

from pathlib import Path

import pytest

from advisor.advise import recommend
from advisor.document import markdown
from advisor.profile import read_profile
from knowledge.library import Library, build

GOLDEN = Path(__file__).parent / "golden"
PROFILES = sorted(GOLDEN.glob("*.yaml"))


def page(profile: Path, library: Library) -> str:
    return markdown(recommend(read_profile(profile, library), library))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_the_page_is_the_one_that_was_approved(library, profile):
    assert page(profile, library) == profile.with_suffix(".md").read_text(encoding="utf-8")


def test_there_is_a_profile_for_every_task(library):
    asked = {read_profile(profile, library).get("task") for profile in PROFILES}
    assert asked >= {choice.id for choice in library.questions["task"].choices}


def test_there_is_a_profile_for_every_refusal(library):
    found = (recommend(read_profile(p, library), library, robust=False) for p in PROFILES)
    refused = {each.refusal.rule for each in found if each.refusal}
    assert refused == {rule.id for rule in library.rules if rule.refuses}


if __name__ == "__main__":
    base = build()
    for each in PROFILES:
        each.with_suffix(".md").write_text(page(each, base), encoding="utf-8")
