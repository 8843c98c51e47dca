import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.advise import HANDFUL, Advice, recommend
from advisor.hand_over import recommendation
from advisor.profile import checked
from advisor.recommendation import Recommendation
from advisor.space import Space, any_fits
from advisor.wording import ledger
from knowledge.schema import SLOTS

NEEDS = ("quality", "diversity", "generalisation", "stability", "speed", "tuning")
TASKS = [
    "unconditional", "class-conditional", "semi-supervised", "paired-translation",
    "unpaired-translation", "multi-domain-translation", "semantic-synthesis", "super-resolution",
    "single-image", "disentanglement", "inversion", "label-noise", "tokenised-generation",
]  # fmt: skip
answers = st.fixed_dictionaries(
    {},
    optional={
        "task": st.sampled_from(TASKS),
        "labels": st.sampled_from(["none", "some", "all"]),
        "label_noise": st.sampled_from(["clean", "noisy"]),
        "gpu_hours": st.sampled_from([2, 200]),
        "modality": st.just("images"),
        "dataset": st.sampled_from(["cifar10", "fashion-mnist", "celeba", "lsun", "imagenet"]),
        "needs": st.lists(st.sampled_from(NEEDS), min_size=1, max_size=3, unique=True),
        "images": st.integers(1, 10**6),
        "resolution": st.sampled_from([28, 32, 64, 128, 256, 1024]),
        "channels": st.sampled_from(["grey", "colour"]),
        "out_of_dataset": st.sampled_from(["tolerable", "unacceptable"]),
    },
)
some = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def dropped(found, rule):
    return next((step.dropped for step in found.funnel if step.rule == rule), ())


@some
@given(given_answers=answers)
def test_the_funnel_never_grows_and_ends_in_a_handful(library, given_answers):
    found = recommend(checked(given_answers, library), library)
    counts = [found.funnel[0].before, *(step.after for step in found.funnel)]
    assert counts == sorted(counts, reverse=True)
    assert all(a.after == b.before for a, b in itertools.pairwise(found.funnel))
    assert len(found.candidates) <= HANDFUL
    assert found.candidates or found.relaxations


@some
@given(given_answers=answers)
def test_a_recommendation_survives_the_file(library, given_answers):
    found = recommend(checked(given_answers, library), library)
    assert Recommendation.model_validate_json(found.model_dump_json()) == found


@some
@given(given_answers=answers)
def test_candidates_come_in_the_order_of_their_ranks_and_have_different_losses(
    library, given_answers
):
    found = recommend(checked(given_answers, library), library)
    ranks = [candidate.rank for candidate in found.candidates]
    assert ranks == sorted(ranks)
    assert len({c.id for c in found.candidates}) == len(found.candidates)


def test_bitsets_agree_with_a_loop_over_all_combinations(library):
    space = Space(library)
    combinations = [space.combination(i) for i in range(space.size)]
    assert len({tuple(c.items()) for c in combinations}) == space.size == 5040
    for rule in library.rules:
        for selector in (*rule.excludes, *rule.notes):
            by_loop = {
                i
                for i, c in enumerate(combinations)
                if all(any_fits(w, space.tags[s][c[s]]) for s, w in selector.items())
            }
            assert set(space.members(space.where(selector))) == by_loop, rule.id


def test_a_fact_that_nobody_gave_makes_no_rule_fire(library):
    fired = {rule.id for rule in Advice({}, library).rules}
    assert fired == {rule.id for rule in library.rules if not rule.when}
    assert "resolution" in recommend({}, library).unknown


def test_large_images_exclude_least_squares(library):
    found = recommend(checked({"resolution": 256, "needs": ["quality"]}, library), library)
    assert dropped(found, "k18") == ("lsgan",)
    assert "ralsgan" in {candidate.id for candidate in found.candidates}


def test_unacceptable_outsiders_exclude_wgan(library):
    found = recommend(checked({"out_of_dataset": "unacceptable"}, library), library)
    step = next(step for step in found.funnel if step.rule == "k19")
    assert step.dropped == ("wgan",)
    assert step.counter  # the evidence on the other side is shown


def test_text_is_not_a_gan_problem(library):
    found = recommend(checked({"modality": "text", "needs": ["quality"]}, library), library)
    assert found.refusal.instead
    assert not found.arms


def test_answers_that_rule_out_each_other_say_what_to_relax_and_who_serves_the_task(library):
    answers = {"task": "paired-translation", "pairs": "unpaired", "needs": ["quality"]}
    found = recommend(checked(answers, library), library)
    assert not found.candidates
    assert "PatchGAN (pix2pix)" in found.serving
    assert [list(each.leaves_open) for each in found.relaxations] == [["pairs"]]
    assert "task unpaired-translation" in found.funnel[-1].instead


def test_refuted_claims_do_not_vote(library):
    refuted = {claim.id for claim in library.claims.values() if claim.refuted}
    assert "table-3-030" in refuted
    ledger = Advice(checked({"needs": ["quality"]}, library), library).evidence
    assert not refuted & {w.citation.claim for w in ledger.testimony("wgan")}


def test_claims_from_elsewhere_do_not_vote_on_a_studied_data_set(library):
    ledger = Advice(
        checked({"dataset": "cifar10", "needs": ["quality"]}, library), library
    ).evidence
    cited = {witness.citation.claim for witness in ledger.testimony("lsgan")}
    assert "table-4-003" in cited  # CIFAR-10
    assert not cited & {"table-4-001", "table-4-002", "table-4-004"}  # LSUN, CAT, ImageNet


def test_repeats_of_one_lineage_count_once(library):
    ledger = Advice(checked({"needs": ["stability"]}, library), library).evidence
    testimony = ledger.testimony("rsgan")
    (support,) = ledger.support(testimony)
    assert support.for_ + support.against + support.equal == len({w.lineage for w in testimony})


def test_every_surviving_combination_is_coherent_in_its_recipe(library):
    """What the rules promise holds in the recipes: no batch norm beside a gradient penalty, …"""
    left = Advice({}, library)
    found = recommendation(left)
    for candidate in found.arms:
        penalties = {part.name for part in candidate.recipe.penalties}
        if penalties & {"gradient-penalty", "dragan"}:
            assert candidate.recipe.critic_norm != "batch-norm"
        assert set(candidate.combination) == set(SLOTS)


@pytest.mark.parametrize(
    ("name", "given_answer", "message"),
    [
        ("task", "uncondtional", "did you mean 'unconditional'"),
        ("dataset", "cifar11", "did you mean 'cifar10'"),
        ("needs", ["qualty"], "did you mean 'quality'"),
        ("resolution", "big", "no positive number of pixels"),
        ("resolution", -3, "no positive number"),
        ("images", True, "no positive number"),
        ("ned", "quality", "did you mean 'needs'"),
    ],
)
def test_a_wrong_answer_is_told_with_the_nearest_right_one(library, name, given_answer, message):
    with pytest.raises(ValueError, match=message):
        checked({name: given_answer}, library)


def test_a_data_set_is_known_by_its_aliases(library):
    assert checked({"dataset": "Cifar 10"}, library)["dataset"] == "cifar10"


@pytest.mark.parametrize(
    "profile",
    [
        {"dataset": "cifar10", "needs": ["quality", "diversity"]},
        {"dataset": "fashion-mnist", "needs": ["quality", "stability", "speed"]},
        {"task": "class-conditional", "needs": ["quality", "diversity"]},
    ],
)
def test_the_ledger_holds_as_many_votes_as_the_table(library, profile):
    """Whatever is no vote of its own says why, in the words of the ledger."""
    found = recommendation(Advice(checked(profile, library), library))
    for each in found.candidates:
        for support in each.support:
            for vote, told in ((1, support.for_), (-1, support.against)):
                own = [w for w in each.testimony if (w.need, w.vote) == (support.need, vote)]
                assert sum(w.uncounted is None for w in own) == told
        quoted = [line for line in ledger(each, found.names, full=True) if ";" in line.cite]
        words = [line for line in quoted if "the same authors" in line.says]
        uncounted = {w.citation.claim for w in each.testimony if w.vote and w.uncounted}
        assert len(words) == len(uncounted)


def test_a_vote_names_the_authors_behind_it(library):
    """Not only where it was read."""
    found = recommendation(Advice(checked({"needs": ["quality"]}, library), library))
    told = [w for each in found.candidates for w in each.testimony]
    assert {w.citation.behind is None for w in told} == {True, False}
    for each in told:
        behind = library.sources[each.lineage].short
        assert (each.citation.behind or each.citation.short) == behind
