"""Advice for other images, or for what cannot be trained here."""

import numpy as np
import pytest

from advisor.advise import recommend
from advisor.profile import checked
from knowledge.library import build
from runner.data import ImageSet
from runner.fits import other_data, untrained_task
from runner.leaderboard import rank
from tests.runner.runs import finished, plan

LIBRARY = build()


def advice_for(**answers):
    return recommend(checked(answers, LIBRARY), LIBRARY)


def images(name, size=32, channels=3):
    some = np.zeros((4, channels, size, size), np.uint8 if size > 1 else np.float32)
    return ImageSet(
        name=name, train=some, held_out=some, labels=None, classes=(), held_out_is="",
        preparation="", fingerprint="", skipped=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "data", "says"),
    [
        ({"dataset": "fashion-mnist"}, images("ring8", 1, 2),
         "made for Fashion-MNIST, of 28 px in grey; this is ring8, points of a plane."),
        ({"dataset": "fashion-mnist"}, images("holidays"),
         "made for Fashion-MNIST, of 28 px in grey; this is holidays, of 32 px in colour."),
        ({"dataset": "fashion-mnist"}, images("mnist", 32, 1),
         "made for Fashion-MNIST, of 28 px in grey; this is mnist, of 32 px in grey."),
        ({"resolution": 256}, images("holidays", 64), "made for images of 256 px; this is"),
    ],
)  # fmt: skip
def test_other_images_than_the_advice_was_made_for_are_a_caution(answers, data, says):
    assert says in other_data(advice_for(**answers), data, LIBRARY)


@pytest.mark.parametrize(
    ("answers", "data"),
    [
        ({}, images("ring8", 1, 2)),
        ({"dataset": "fashion-mnist"}, images("fashion-mnist", 32, 1)),
        ({"dataset": "fashion-mnist"}, images("fashion-mnist", 16, 1)),
        ({"dataset": "fashion-mnist"}, images("my-clothes", 32, 1)),
        ({"dataset": "gaussian-mixture"}, images("ring8", 1, 2)),
        ({"resolution": 64}, images("holidays", 32)),
        ({"channels": "colour"}, images("holidays")),
    ],
)
def test_images_like_those_are_none(answers, data):
    assert other_data(advice_for(**answers), data, LIBRARY) is None


def test_it_is_a_caution_of_the_ranking():
    planned = plan(["lsgan"]).model_copy(update={"other_data": "Other images."})
    board = rank(planned, [finished(trial, 20.0) for trial in planned.trials], None, None)
    assert board.cautions[0] == "Other images."


@pytest.mark.parametrize(
    "task", ["paired-translation", "unpaired-translation", "disentanglement", "label-noise"]
)
def test_what_cannot_be_trained_here_is_refused(task):
    says = untrained_task(advice_for(task=task, labels="all"))
    assert says.startswith(f"this advice is for {task.replace('-', ' ')}, and none")


@pytest.mark.parametrize("task", ["unconditional", "class-conditional", "inversion"])
def test_what_can_be_is_not(task):
    assert untrained_task(advice_for(task=task, labels="all")) is None
    assert untrained_task(advice_for()) is None
