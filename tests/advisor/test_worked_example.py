"""Motwani & Parmar (2020), section 6: CIFAR-10 images of good quality and diversity."""

import pytest

from advisor.advise import recommend
from advisor.profile import checked

PAPER = {"wgan-gp", "lsgan", "rsgan", "sn-gan", "ralsgan"}


def advice(library, *needs, **more):
    answers = {"task": "unconditional", "dataset": "CIFAR-10", "needs": list(needs), **more}
    return recommend(checked(answers, library), library)


def test_quality_and_diversity_give_the_papers_shortlist(library):
    assert {c.id for c in advice(library, "quality", "diversity").candidates} == PAPER


def test_loss_sensitive_gan_joins_when_generalisation_is_asked_for(library):
    found = advice(library, "quality", "diversity", "generalisation")
    assert {c.id for c in found.candidates} == PAPER | {"ls-gan"}


def test_the_control_arm_is_non_saturating_with_spectral_norm(library):
    control = advice(library, "quality", "diversity").control
    assert control.role == "control"
    assert control.recipe.loss.name == "non-saturating"
    assert [part.name for part in control.recipe.normalizers] == ["spectral-norm"]


def test_the_funnel_matches_the_enumeration_of_the_combination_space(library):
    """The counts of reading R1, worked out independently by listing all 5040 combinations."""
    after = {
        step.rule: step.after
        for step in advice(library, "quality", "diversity", "generalisation").funnel
    }
    assert after["k08"] == 2016
    assert after["k11"] == 1464
    assert after["k04"] == 1296
    assert after["k05"] == 1216
    assert after["k06"] == 808
    assert after["k10"] == 742
    assert after["k11-decay"] == 592
    assert after["documented-optimizer"] == 416
    assert after["documented-architecture"] == 172
    assert after["documented-regularization"] == 90
    assert after["documented-normalization"] == 51
    assert after["q1-plain-nets-for-small-images"] == 34
    assert after["q2-meets-a-need"] == 20
    assert after["k07"] == 15
    assert after["one-optimizer"] == 5


def test_the_space_has_5040_combinations(library):
    assert advice(library, "quality").space_size == 5040


@pytest.mark.parametrize("name", sorted(PAPER | {"ls-gan"}))
def test_every_candidate_has_a_witness_a_recipe_and_the_source_of_its_settings(library, name):
    found = advice(library, "quality", "diversity", "generalisation")
    candidate = next(c for c in found.candidates if c.id == name)
    assert any(w.vote > 0 for w in candidate.testimony)
    assert all(w.citation.locator and w.citation.short for w in candidate.testimony)
    assert candidate.settings


def test_nothing_is_special_cased_a_renamed_gan_takes_its_place(library):
    """Rules speak of tags: another GAN with LSGAN's tags, claims and place gets its advice."""
    text = library.model_dump_json()
    renamed = type(library).model_validate_json(
        text.replace('"lsgan"', '"newgan"').replace("lsgan:", "newgan:")
    )
    assert "newgan" in {c.id for c in advice(renamed, "quality", "diversity").candidates}
