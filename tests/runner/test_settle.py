"""What a folder says to other settings than those that it was planned with."""

import pytest

from runner.plan import Rung
from runner.settle import differences, more
from tests.runner.runs import plan

BEFORE = plan(["lsgan", "baseline"])


def changed(**to):
    return BEFORE.model_copy(update=to)


def data(**to):
    return changed(data=BEFORE.data.model_copy(update=to))


def measurement(**to):
    return changed(measurement=BEFORE.measurement.model_copy(update=to))


RUNGS = (Rung(budget=9, seeds=1, keep=1), *BEFORE.rungs)


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (changed(budget=4_000_000), "the budget was 2,000,000 images, now 4,000,000 images"),
        (changed(seconds=7200.0, budget=5), "the time was not given, now 2 h"),
        (plan(["lsgan", "baseline"], 2), "seeds were 3, now 2"),
        (plan(["lsgan", "wgan"]), "the candidates were lsgan and baseline, now lsgan and wgan"),
        (plan(["lsgan", "baseline"], latent_dim=9), "the recipes have changed since"),
        (data(where="ring8", fingerprint="0"), f"the data were {BEFORE.data.where}, now ring8"),
        (data(fingerprint="0"), "the images have changed since"),
        (measurement(n=5000), "samples of a score were 10,000, now 5,000"),
        (measurement(digest="0"), "the features are worked out otherwise than before"),
        (changed(precision="bfloat16"), "the precision was float32, now bfloat16"),
        (changed(health=False), "trials without hope were stopped: yes, now no"),
        (changed(rungs=RUNGS), "arms far behind left early: no, now yes"),
        (changed(search=True), "settings were searched: no, now yes"),
        (changed(compiled=("lsgan",)), "other rungs, or other details"),
    ],
)
def test_differences_are_said_in_words(now, says):
    assert list(differences(BEFORE, now)) == [says]


def test_whoever_wants_more_of_the_same_is_told_of_continue():
    assert "gan-runner continue" in more(BEFORE, changed(budget=2 * BEFORE.budget))
    assert more(BEFORE, changed(budget=BEFORE.budget // 2)) == ""
    assert more(BEFORE, plan(["wgan"])) == ""
