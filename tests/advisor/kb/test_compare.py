"""Side by side: both directions, and numbers only where everything but the system agrees."""

import pytest

from advisor.kb.compare import compare
from advisor.kb.related import PROTOCOL

PAIRS = [("wgan-gp", "sn-gan"), ("lsgan", "wgan-gp"), ("wgan", "gan"), ("rsgan", "lsgan")]


@pytest.mark.parametrize("pair", PAIRS)
def test_claims_of_both_directions_stand(pair, library):
    (between,) = compare(pair, library).between
    found = {quoted.claim.id for quoted in between.claims}
    expected = {c.id for c in library.claims.values() if {c.subject, c.object} == set(pair)}
    assert found == expected != set()
    assert found == {q.claim.id for q in compare(pair[::-1], library).between[0].claims}


@pytest.mark.parametrize("pair", PAIRS)
def test_numbers_side_by_side_have_one_protocol(pair, library):
    for group in compare(pair, library).numbers:
        assert len({result.model for result in group.results}) == 2
        for field in PROTOCOL:
            assert len({getattr(result, field) for result in group.results}) == 1, field


def test_numbers_of_other_set_ups_stay_apart(library):
    """Jolicoeur-Martineau's unstable set-ups share all but the set-up itself."""
    groups = [g for g in compare(("ns-gan", "rsgan"), library).numbers if "unstable" in g.protocol]
    assert len(groups) >= 4
    assert len({group.protocol for group in groups}) == len(groups)


def test_the_best_number_stands_first(library):
    for group in compare(("wgan-gp", "sn-gan", "lsgan"), library).numbers:
        values = [result.value for result in group.results if result.value is not None]
        assert values == sorted(values, reverse=group.polarity == "higher")


def test_numbers_left_out_are_counted(library):
    found = compare(("wgan-gp", "sn-gan"), library)
    shown = [r.model for group in found.numbers for r in group.results]
    for gan in found.gans:
        every = sum(number.model == gan for number in library.archive.numbers)
        assert shown.count(gan) + found.not_comparable[gan] == every


def test_the_axes_and_the_disagreements_of_each_are_there(library):
    found = compare(("wgan-gp", "sn-gan"), library)
    assert found.fields["axis: regularization"]["sn-gan"] == ("spectral-norm",)
    assert "gradient-penalty (default)" in found.fields["axis: regularization"]["wgan-gp"]
    assert {gan for d in found.disagreements for gan in d.gans} >= {"wgan-gp", "sn-gan"}
