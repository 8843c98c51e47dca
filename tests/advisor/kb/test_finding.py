"""Names, pages of entries, search, lists and coverage: what is looked for is found, with both sides."""

from html import unescape

import pytest

from advisor.kb import markdown, pages
from advisor.kb.coverage import coverage
from advisor.kb.entry_page import entry_page
from advisor.kb.listing import listing, systems
from advisor.kb.names import Unclear, entries, find
from advisor.kb.related import all_disagreements, opponents, opposed, tables_named
from advisor.kb.search import search
from advisor.kb.show import show
from knowledge.schema import Claim

# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["wgan-gp", "WGAN-GP", "wgan_gp", "wgan gp", "WganGP",
                                     "improved WGAN", "Wasserstein GAN with gradient penalty"])  # fmt: skip
def test_a_name_is_found_however_it_is_written(written, library):
    assert find(library, written).id == "wgan-gp"


def test_every_system_is_found_by_its_id(library):
    for gan in library.gans.values():
        assert find(library, gan.id).record is gan


def test_names_that_mean_several_carry_a_warning(library):
    for gan in library.gans.values():
        meant = meanings(gan.name, library)
        assert gan.id in meant
        assert len(meant) == 1 or gan.name_warning, gan.id


def meanings(name, library):
    try:
        return {find(library, name).id}
    except Unclear as unclear:
        return {choice.id for choice in unclear.choices}


@pytest.mark.parametrize(("name", "choices"), [
    ("LSGAN", {"lsgan", "ls-gan"}), ("LS-GAN", {"lsgan", "ls-gan"}), ("SGAN", {"gan", "sgan-semi"}),
    ("RGAN", {"rgan", "rgan-label-noise"}), ("MSGAN", {"msg-gan"})])  # fmt: skip
def test_an_ambiguous_name_is_answered_with_the_choices(name, choices, library):
    with pytest.raises(Unclear) as raised:
        find(library, name)
    assert {choice.id for choice in raised.value.choices} == choices


def test_an_unknown_name_is_answered_with_the_nearest(library):
    with pytest.raises(Unclear, match="did you mean sn-gan"):
        find(library, "SNN-GAN")


def test_a_kind_before_the_id_says_which_is_meant(library):
    assert find(library, "spectral-norm").kind == "technique"
    assert find(library, "regularization:spectral-norm").kind == "regularization"


def test_addresses_lead_to_one_entry_only(library):
    found = [(entry.kind, entry.id) for entry in entries(library) if entry.kind != "tag"]
    assert len(found) == len(set(found))


# Pages of entries ----------------------------------------------------------------------------


def test_every_entry_has_a_page(library):
    for entry in entries(library):
        if entry.kind not in ("number", "claim", "settings"):  # of these, one each
            assert markdown.render(entry_page(show(entry, library))).startswith("# "), entry.id
    for name in ("table-4-001", "lucic-best-01", "studiogan-dcgan"):
        assert name in markdown.render(entry_page(show(find(library, name), library)))


def test_a_system_shows_each_of_its_claims_numbers_and_disagreements(library):
    for gan in library.gans.values():
        found = show(find(library, gan.id, ("gan",)), library)
        text = unescape(markdown.render(entry_page(found)).replace("\\", ""))
        claims = [c for c in library.claims.values() if gan.id in (c.subject, c.object)]
        assert all(f"{claim.id}]" in text for claim in claims)
        assert len(found.numbers) == sum(n.model == gan.id for n in library.archive.numbers)
        for conflict in [
            *gan.conflicts,
            *(c for c in library.archive.conflicts.values() if gan.id in c.gans),
        ]:
            sides = (conflict.one_side, conflict.other_side)
            assert all(side in text for side in sides)


def test_every_disagreement_is_shown_with_both_sides_somewhere(library):
    every = all_disagreements(library)
    assert len(every) == 73 + 40
    listed = {entry.id for entry in listing("conflict", library).entries}
    assert {conflict.id for conflict in every if conflict.id} == listed


def test_a_claim_shows_who_says_the_opposite(library):
    found = show(find(library, "table-4-001"), library)
    assert [quoted.claim.id for quoted in found.opposed] == ["table-4-005"]  # better, and similar
    assert "LSUN against WGAN-GP" in {d.about for d in found.disagreements}


def test_opposition_is_mutual(library):
    for claim in library.claims.values():
        for other in opponents(claim, library):
            assert claim in list(opponents(other, library))


def claim(**changes):
    said = {"id": "c", "subject": "a", "object": "b", "aspects": "quality", "direction": "better",
            "says": "A is better.", "source": "s", "locator": "Table 1", "lineage": "s"}  # fmt: skip
    return Claim.model_validate(said | changes)


@pytest.mark.parametrize(("changes", "expected"), [
    ({"direction": "worse"}, True),
    ({"direction": "equal"}, True),
    ({"subject": "b", "object": "a"}, True),
    ({"subject": "b", "object": "a", "direction": "worse"}, False),  # the same, said backwards
    ({"direction": "worse", "aspects": "speed"}, False),
    ({"direction": "worse", "object": "c"}, False),
    ({"direction": "worse", "datasets": ["mnist"]}, False),  # about other data
    ({"direction": "worse", "datasets": []}, True),
    ({"direction": "differs"}, False),
])  # fmt: skip
def test_the_opposite_is_of_the_same_two_on_the_same_matter(changes, expected):
    assert opposed(claim(datasets=["lsun"]), claim(id="d", **changes)) is expected


@pytest.mark.parametrize(("text", "expected"), [
    ("Table 4, row RSGAN", {4}), ("in Tables 1 and 2 that", {1, 2}),
    ("Tables 1, 2 and 4; section 6", {1, 2, 4}), ("section 6", set())])  # fmt: skip
def test_tables_are_read_from_words(text, expected):
    assert tables_named(text) == expected


# Search and lists ----------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "best"), [
    ("WGAN-GP", "wgan-gp"), ("spectral norm", "spectral-norm"), ("cifar10", "cifar10"),
    ("Frechet inception", "fid"), ("Fréchet Inception Distance", "fid"), ("LSUN", "lsun"),
    ("power iteration", "power-iteration")])  # fmt: skip
def test_the_best_hit_is_what_bears_the_name(wanted, best, library):
    assert search(wanted, library).hits[0].id == best


def test_a_search_finds_words_inside_texts(library):
    found = search("truncation fidelity", library, kinds=["claim"])
    assert found.hits
    for hit in found.hits:
        assert "trunc" in library.claims[hit.id].model_dump_json().lower()


def test_a_search_for_nothing_known_finds_nothing(library):
    assert search("zzzyx", library).found == 0
    assert search("  ", library).found == 0


def test_a_list_of_systems_holds_those_and_only_those_asked_for(library):
    found = {
        e.id for e in systems(library, task="unconditional", addresses="mode-collapse").entries
    }
    assert found == {
        gan.id
        for gan in library.gans.values()
        if "unconditional" in gan.tasks and "mode-collapse" in gan.issues_addressed
    }
    assert {"wgan", "lsgan"} <= found


def test_systems_are_listed_by_loss_kind_and_data(library):
    assert {"sn-gan", "sagan", "geometric-gan"} <= {
        e.id for e in systems(library, loss="hinge").entries
    }
    assert {e.kind for e in systems(library, kind="regularization").entries} == {"regularization"}
    on_cat = {e.id for e in systems(library, dataset="CAT").entries}
    assert {"lsgan", "rsgan"} <= on_cat
    assert "bigan" not in on_cat


@pytest.mark.parametrize("wrong", [{"task": "unconditonal"}, {"addresses": "mode-colapse"},
                                   {"loss": "zzz"}, {"kind": "los"}, {"dataset": "cifr10"}])  # fmt: skip
def test_a_word_that_nothing_has_is_an_error(wrong, library):
    with pytest.raises(Unclear):
        systems(library, **wrong)


# Coverage ------------------------------------------------------------------------------------


def test_coverage_counts_what_there_is(library):
    found = coverage(library)
    assert found.totals["claims"] == 360
    assert found.totals["numbers"] == 404
    assert sum(found.unverified_numbers.values()) == 404 - found.totals["numbers verified"]
    assert sum(found.aspects.values()) == sum(len(c.aspects) for c in library.claims.values())


def test_gaps_are_said_where_they_are_and_nowhere_else(library):
    gaps = {system.gan: system.gaps for system in coverage(library).systems}
    assert "no claim" in gaps["alpha-gan"]
    assert gaps["wgan-gp"] == ()


def test_coverage_names_every_entry_without_a_source(library):
    without = {d.id for d in library.datasets.values() if not d.source}
    assert set(coverage(library).uncited["dataset"]) == without
    text = markdown.render(pages.coverage(coverage(library)))
    assert all(name in text.replace("\\", "") for name in without)
