"""Leaving out one source at a time."""

import pytest

from advisor.advise import Advice, recommend
from advisor.profile import checked
from advisor.robustness import voices

PROFILES = [
    {"dataset": "cifar10", "needs": ["quality", "diversity"]},
    {"needs": ["stability"]},
    {"dataset": "celeba", "needs": ["generalisation", "speed"], "resolution": 64},
]


def shortlisted(advice):
    return {arm.gan for arm in advice.shortlist()}


@pytest.mark.parametrize("answers", PROFILES)
def test_a_source_without_a_say_changes_nothing(library, answers):
    advice = Advice(checked(answers, library), library)
    speaking = set(voices(advice))
    silent = set(library.sources) - speaking
    assert speaking
    assert silent
    whole = [(arm.id, arm.rank) for arm in advice.arms]
    for source in silent:
        assert [(arm.id, arm.rank) for arm in advice.without(source).arms] == whole, source


@pytest.mark.parametrize("answers", PROFILES)
def test_the_count_is_that_of_advice_given_anew_without_each_source(library, answers):
    profile = checked(answers, library)
    sources = voices(Advice(profile, library))
    anew = {s: shortlisted(Advice(profile, library, leaving_out=[s])) for s in sources}
    for each in recommend(profile, library).candidates:
        found = each.robustness
        assert found.runs == len(sources)
        assert found.kept == sum(each.gan in gans for gans in anew.values())
        lost = [library.sources[s].short for s, gans in anew.items() if each.gan not in gans]
        assert list(found.lost_without) == lost


@pytest.mark.parametrize("answers", PROFILES)
def test_what_is_lent_is_what_would_be_heard_anew(library, answers):
    profile = checked(answers, library)
    whole = Advice(profile, library)
    for gan in library.gans:
        whole.heard(gan)
    for source in (*voices(whole), None):
        lent = whole.without(source) if source else whole.without(praise=False)
        anew = Advice(profile, library, leaving_out=lent.leaving_out, praise=bool(source))
        assert lent.facts == anew.facts
        assert lent.rules == anew.rules
        assert lent.left == anew.left
        for gan in library.gans:
            assert lent.heard(gan) == anew.heard(gan)


def test_what_one_source_alone_says_is_lost_without_it(library):
    """RaLSGAN's quality on CIFAR-10 is reported by the paper that introduced it."""
    found = recommend(checked(PROFILES[0], library), library)
    (ralsgan,) = (each for each in found.candidates if each.gan == "ralsgan")
    assert ralsgan.robustness.kept < ralsgan.robustness.runs
    assert "Jolicoeur-Martineau 2018" in ralsgan.robustness.lost_without


def test_without_its_claims_a_recommended_rule_falls_and_a_hard_one_stands(library):
    profile = checked({"channels": "colour"}, library)
    rule = next(rule for rule in library.rules if rule.id == "q1-convolutions-for-colour")
    basis = {*rule.sources, *(library.claims[claim].lineage for claim in rule.claims)}
    assert len(basis) > 1
    in_force = [each.id for each in Advice(profile, library, leaving_out=basis).rules]
    assert rule.id not in in_force
    assert "k08" in in_force
    for source in basis:
        assert rule.id in {each.id for each in Advice(profile, library).without(source).rules}


def test_it_can_be_left_out(library):
    found = recommend(checked(PROFILES[0], library), library, robust=False)
    assert all(each.robustness is None for each in found.candidates)
    assert found.candidates == tuple(
        each.model_copy(update={"robustness": None})
        for each in recommend(checked(PROFILES[0], library), library).candidates
    )
