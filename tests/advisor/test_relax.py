"""The smallest relaxation, on small made-up problems whose answer is known by hand."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from advisor.advise import recommend
from advisor.explain.relax import relaxations, without
from advisor.profile import checked


def blocked_by(*sets):
    """Something survives unless all answers of one of these sets are given."""

    def survivors(answers):
        given_pieces = {
            (name, each)
            for name, value in answers.items()
            for each in (value if isinstance(value, tuple) else (value,))
        }
        return () if any(set(blocking) <= given_pieces for blocking in sets) else ("winner",)

    return survivors


A, B, C, D = ("a", 1), ("b", 2), ("c", 3), ("d", 4)
ANSWERS = dict((A, B, C, D))


def opened(found):
    return [each.leaves_open for each in found]


def test_every_single_answer_that_suffices_is_named():
    assert opened(relaxations(ANSWERS, blocked_by([A, B]))) == [{"a": 1}, {"b": 2}]


def test_pairs_are_named_only_where_no_single_answer_suffices():
    assert opened(relaxations(ANSWERS, blocked_by([A], [B, C]))) == [
        {"a": 1, "b": 2},
        {"a": 1, "c": 3},
    ]


def test_beyond_pairs_one_set_is_named_of_which_nothing_can_be_spared():
    found = relaxations(ANSWERS, blocked_by([A], [B], [C]))
    assert opened(found) == [{"a": 1, "b": 2, "c": 3}]


def test_of_several_choices_only_the_one_that_is_in_the_way_is_left_open():
    answers = {"needs": ("quality", "speed"), "a": 1}
    assert opened(relaxations(answers, blocked_by([("needs", "speed")]))) == [{"needs": ("speed",)}]


def test_a_whole_answer_is_left_open_where_no_choice_of_it_suffices():
    answers = {"needs": ("quality", "speed")}
    found = relaxations(answers, blocked_by([("needs", "speed")], [("needs", "quality")]))
    assert opened(found) == [{"needs": ("quality", "speed")}]


def test_nothing_is_named_where_nothing_helps():
    assert relaxations(ANSWERS, lambda answers: ()) == ()


@given(st.lists(st.sets(st.sampled_from([A, B, C, D]), min_size=1), min_size=1, max_size=4))
def test_what_is_named_suffices_and_no_part_of_it_does(sets):
    survivors = blocked_by(*sets)
    if survivors(ANSWERS):
        return
    found = relaxations(ANSWERS, survivors)
    assert found
    for each in found:
        names = tuple(each.leaves_open)
        assert survivors(without(ANSWERS, tuple((name, None) for name in names)))
        for size in range(len(names)):
            for part in combinations(names, size):
                assert not survivors(without(ANSWERS, tuple((name, None) for name in part)))


def test_the_recommendation_brings_back_what_the_relaxation_names(library):
    answers = checked({"task": "single-image", "needs": ["quality", "speed"]}, library)
    found = recommend(answers, library)
    for each in found.relaxations:
        pieces = [
            (name, choice)
            for name, value in each.leaves_open.items()
            for choice in (value if isinstance(value, tuple) else (None,))
        ]
        again = recommend(without(answers, tuple(pieces)), library)
        assert tuple(c.id for c in again.candidates) == each.brings_back
