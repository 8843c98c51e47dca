"""What the words of a combination mean."""

import pytest

from advisor.advise import Advice
from advisor.explain.place import place
from advisor.profile import checked
from knowledge.reading import InvalidData
from knowledge.schema import SLOTS


@pytest.fixture(scope="module")
def advice(library):
    return Advice({}, library)


@pytest.mark.parametrize(
    ("words", "gan", "options"),
    [
        ("wgan-gp", "wgan-gp", {}),
        ("WGAN-GP", "wgan-gp", {}),
        ("wgangp", "wgan-gp", {}),
        ("LSGAN", "lsgan", {}),
        ("LS-GAN", "ls-gan", {}),
        ("loss=LS-GAN", None, {"loss": "ls-gan"}),
        ("loss=lsgan", None, {"loss": "lsgan"}),
        ("ralsgan", "ralsgan", {}),
        ("wgan-gp+batch-norm", "wgan-gp", {"normalization": "batch-norm"}),
        ("wgan-gp, Adam", "wgan-gp", {"optimizer": "adam"}),
        ("dcgan + wgan-gp", "wgan-gp", {"architecture": "dcgan"}),
        ("normalization=none", None, {"normalization": "none"}),
        ("loss=lsgan,optimizer=RMSProp", None, {"loss": "lsgan", "optimizer": "rmsprop"}),
    ],
)
def test_a_combination_is_named_by_a_gan_by_options_or_by_both(advice, words, gan, options):
    found = place(words, advice)
    assert (found.gan and found.gan.id) == gan
    assert dict(found.options) == options


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("wgan-pg", "did you mean 'wgan-gp'"),
        ("none", "regularization=none or normalization=none"),
        ("adam+rmsprop", "a combination has one optimizer"),
        ("wgan-gp+lsgan", "a combination is of one GAN"),
        ("optimiser=adam", "did you mean 'optimizer'"),
        ("L.S.GAN", "may mean ls-gan or lsgan"),
        ("optimizer=adma", "did you mean 'adam'"),
        ("", "no GAN and no option"),
    ],
)
def test_words_that_name_no_combination_are_told_with_the_nearest_ones(advice, words, says):
    with pytest.raises(InvalidData, match=says):
        place(words, advice)


def test_what_is_not_named_is_left_open(advice):
    everything = advice.everything.alive.bit_count()
    own = place("optimizer=adam", advice).points.alive.bit_count()
    assert own * len(advice.space.axes["optimizer"]) == everything


def test_the_id_of_every_candidate_means_that_candidate(library):
    for task in library.questions["task"].choices:
        advice = Advice(checked({"task": task.id}, library), library)
        for arm in advice.shortlist():
            meant = place(arm.id, advice).points
            beside = {node.gan.id for node in meant.beside}
            assert arm.gan in beside or meant.alive & advice.space.point(arm.combination), arm.id


def test_the_baseline_is_one_point(advice):
    found = place("baseline", advice)
    assert found.size == 1
    assert set(found.options) == set(SLOTS)
