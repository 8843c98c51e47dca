import pytest
import torch

from runner.scene import Lazy, Scene, Turn, needs, renamed, terms_due


def test_a_quantity_is_worked_out_once_and_only_if_asked_for():
    calls = []

    def double(x):
        calls.append("double")
        return 2 * x

    def never(x):
        raise AssertionError

    scene = Scene({"double": double, "sum": lambda x, double: x + double, "never": never}, {"x": 3})
    assert scene["sum"] + scene["double"] == 15
    assert calls == ["double"]


def test_given_values_come_before_quantities():
    assert Scene({"x": lambda: 1}, {"x": 2})["x"] == 2


def test_keyword_only_parameters_and_defaults_are_not_wired():
    def term(real, power=2, *, weight=10):
        return real, power, weight

    assert needs(term) == (("real", "real"),)
    assert Scene({}, {"real": 1}).work_out(term) == (1, 2, 10)


def test_missing_quantity_says_who_needs_it_and_what_is_known():
    scene = Scene({"onehot": lambda lables: lables, "fake": lambda onehot: onehot}, {"labels": 1})
    with pytest.raises(LookupError) as caught:
        scene["fake"]
    assert str(caught.value) == (
        "nothing here is called 'lables' (needed for onehot < fake): did you mean 'labels'? "
        "known: fake, labels, onehot"
    )


def test_a_quantity_that_needs_itself():
    scene = Scene({"hen": lambda egg: egg, "egg": lambda hen: hen}, {})
    with pytest.raises(LookupError, match="hen needs egg needs hen"):
        scene["hen"]


def test_renamed_terms_look_elsewhere():
    def apart(real, back):
        return real - back

    scene = Scene({"back_a": lambda a: a + 1}, {"a": 5, "real": 0, "back": 0})
    there = renamed(apart, real="a", back="back_a")
    assert scene.work_out(there) == -1
    assert scene.work_out(renamed(there, a="real", back_a="back")) == 0
    assert scene.work_out(renamed(Lazy(apart, 3), real="a")) == 15


def test_lazy_terms_play_every_interval_and_are_scaled():
    lazy = Lazy(lambda x: x, 3)
    turn = Turn((), {"always": lambda x: x, "lazy": lazy}, torch.optim.SGD)
    assert ["lazy" in terms_due(turn, step) for step in range(7)] == [
        True, False, False, True, False, False, True,
    ]  # fmt: skip
    assert all("always" in terms_due(turn, step) for step in range(7))
    assert Scene({}, {"x": 2}).work_out(lazy) == 6
