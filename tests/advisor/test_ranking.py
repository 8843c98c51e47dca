"""Who stands before whom, who is shown, and what more evidence may do."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.advise import Advice, recommend
from advisor.costs import critic_steps, networks
from advisor.profile import checked
from advisor.ranking import Arm, ranked, spread
from advisor.recommendation import Citation, Support
from advisor.recommendation import Testimony as Witness

NEEDS = ("quality", "diversity", "generalisation", "stability", "speed", "tuning")
some = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def arm(name, for_=0, against=0, time=1.0, gan=None):
    support = (Support(need="quality", for_=for_, against=against, equal=0),)
    return Arm(name, gan or name, {}, support, (), time)


def never(one, other):
    return False


def places(arms, before=never):
    return {each.id: each.rank for each in ranked(arms, before)}


def test_votes_go_before_numbers_and_numbers_before_cost():
    arms = [arm("voted", 2, time=9), arm("measured", 1, time=9), arm("cheap", 1, time=1)]
    first = {("measured", "cheap"), ("measured", "voted")}
    found = places(arms, lambda one, other: (one, other) in first)
    assert found == {"voted": 1, "measured": 2, "cheap": 3}


def test_what_a_rule_puts_behind_comes_after_all_others_whatever_is_said_of_it():
    arms = [arm("praised", 5)._replace(behind=1), arm("scorned", 0, 2), arm("silent")]
    assert places(arms) == {"silent": 1, "scorned": 2, "praised": 3}


def test_equals_share_a_rank_and_the_next_one_is_counted_after_them():
    assert places([arm("b", 1), arm("a", 1), arm("c")]) == {"a": 1, "b": 1, "c": 3}


def test_a_gan_without_a_word_or_a_number_stands_between_those_that_won_and_those_that_lost():
    """As with votes: for it, silence, against it."""
    arms = [arm("worse"), arm("unmeasured"), arm("best")]
    found = places(arms, lambda one, other: (one, other) == ("best", "worse"))
    assert found == {"best": 1, "unmeasured": 2, "worse": 3}


def test_a_gan_that_somebody_speaks_for_is_not_held_back_by_having_no_numbers():
    cited = Citation(claim="c", says="It is good.", source="s", short="S 2020", locator="1", url="")
    word = Witness(need="quality", vote=1, lineage="s", direct=False, citation=cited)
    unmeasured = arm("unmeasured", 1)._replace(testimony=(word,))
    arms = [
        arm("worse", 1)._replace(testimony=(word,)),
        unmeasured,
        arm("best", 1)._replace(testimony=(word,)),
    ]
    found = places(arms, lambda one, other: (one, other) == ("best", "worse"))
    assert found == {"best": 1, "unmeasured": 1, "worse": 3}


def test_the_best_of_every_gan_is_shown_before_the_second_best_of_any():
    arms = ranked([arm(f"{g}{i}", 3 - i, gan=g) for g in "abc" for i in range(3)], never)
    assert [each.id for each in spread(arms, 4)] == ["a0", "b0", "c0", "a1"]
    assert [each.id for each in spread(arms, 2)] == ["a0", "b0"]


# On the base -----------------------------------------------------------------------------------


def shortlisted(library, **given):
    found = recommend(checked({"task": "unconditional", "needs": ["quality"], **given}, library),
                      library, robust=False)  # fmt: skip
    return {each.gan: each for each in found.candidates}


@pytest.mark.parametrize("given", [{"dataset": "ffhq"}, {"resolution": 1024, "channels": "colour"}])
def test_networks_that_were_made_for_large_images_come_first_on_large_images(library, given):
    found = shortlisted(library, **given)
    plain = [
        each
        for each in found.values()
        if "A plain network at 256 px and above" in [remark.says for remark in each.remarks]
    ]
    large = [each for each in found.values() if each not in plain]
    assert {"stylegan", "stylegan2", "stylegan3", "progan"} <= {each.gan for each in large}
    assert max(each.rank for each in large) < min((each.rank for each in plain), default=99)
    (best,) = (each for each in found["stylegan2"].published if each.own_method)
    assert (best.value, best.dataset) == (2.84, "FFHQ")
    assert found["stylegan2"].standing == "plausible"  # measured, though no claim speaks for it


def test_who_has_no_days_for_them_gets_others(library):
    assert "stylegan2" not in shortlisted(library, dataset="ffhq", gpu_hours=5, gpu_memory=8)


def test_where_claims_compare_a_number_alone_is_no_reason_to_stay(library):
    assert all(not each.published for each in shortlisted(library, dataset="cifar10").values())


def test_hardly_anybody_being_compared_on_a_data_set_is_no_reason_to_drop_all_others(library):
    """On MNIST two of those that serve the need are compared with anybody."""
    found = shortlisted(library, dataset="mnist", needs=["quality", "diversity"])
    assert len(found) >= 4


def test_a_source_that_is_left_out_has_no_numbers_either(library):
    advice = Advice(checked({"task": "unconditional", "dataset": "ffhq"}, library), library)
    assert "stylegan3" in advice.measured_here
    assert "stylegan3" not in advice.without("karras2021", "mmgeneration").measured_here


answers = st.fixed_dictionaries(
    {"needs": st.lists(st.sampled_from(NEEDS), min_size=1, max_size=3, unique=True)},
    optional={
        "task": st.sampled_from(["unconditional", "class-conditional"]),
        "dataset": st.sampled_from(["cifar10", "celeba", "lsun"]),
        "resolution": st.sampled_from([32, 64, 256]),
    },
)


@some
@given(answers=answers, data=st.data())
def test_more_evidence_for_a_candidate_never_lowers_it(library, answers, data):
    profile = checked(answers, library)
    advice = Advice(profile, library)
    before = {each.id: each.rank for each in advice.arms}
    if not before:
        return
    chosen = data.draw(st.sampled_from(sorted(before)))
    gan = next(each.gan for each in advice.arms if each.id == chosen)
    need = data.draw(st.sampled_from(sorted(profile["needs"])))
    aspect = library.questions["needs"].aspects[need][0]
    lineage = data.draw(st.sampled_from(["lucic2017", "kurach2018", "dufour2026"]))
    claim = next(iter(library.claims.values())).model_copy(
        update={
            "id": "praise", "subject": gan, "object": "self", "aspects": (aspect,),
            "direction": "positive", "datasets": (), "lineage": lineage, "checks": (),
        }
    )  # fmt: skip
    more = library.model_copy(update={"claims": {**library.claims, "praise": claim}})
    after = {each.id: each.rank for each in Advice(profile, more).arms}
    assert after[chosen] <= before[chosen]


@some
@given(answers=answers)
def test_only_hard_cuts_leave_all_that_is_possible(library, answers):
    profile = checked(answers, library)
    every, cut = Advice(profile, library, strict=True), Advice(profile, library)
    assert {rule.layer for rule, _, _ in every.trail()} <= {"hard"}
    assert cut.left.alive & ~every.left.alive == 0
    assert {arm.gan for arm in cut.arms} <= {arm.gan for arm in every.arms}


@pytest.mark.parametrize("top", [1, 3, 8])
def test_as_many_are_shown_as_were_asked_for(library, top):
    found = recommend({}, library, top=top, strict=True, robust=False)
    assert len(found.candidates) == top
    assert len({each.gan for each in found.candidates}) == top
    assert {c.id for c in found.candidates}.isdisjoint(found.crowded_out)


def test_published_numbers_stand_in_the_ledger_of_a_candidate(library):
    profile = checked({"dataset": "cifar10", "needs": ["quality", "diversity"]}, library)
    found = recommend(profile, library, robust=False).candidates
    by_gan = {each.gan: each for each in found}
    for each in found:
        for rival in each.apart:
            other = next(r for r in by_gan[rival.gan].apart if r.gan == each.gan)
            assert (rival.ratio < 1) != (other.ratio < 1)
    assert any(each.apart for each in found)


# Costs -----------------------------------------------------------------------------------------


def test_the_critic_steps_that_rank_are_those_of_the_recipe(library):
    for each in recommend({}, library, top=40, strict=True, robust=False).candidates:
        gan = library.gans[each.gan]
        assert each.cost.critic_steps == each.recipe.optimizer.critic_steps
        assert critic_steps(gan, each.combination, library) == each.cost.critic_steps


def test_more_critic_steps_make_an_image_cheaper_and_a_penalty_dearer(library):
    def time(name):
        found = recommend({}, library, top=40, strict=True, robust=False).candidates
        return next(each.cost.time for each in found if each.gan == name)

    gradient_penalty = library.option("regularization", "gradient-penalty").relative_cost
    assert gradient_penalty > 1
    assert time("wgan-gp") < gradient_penalty


def test_a_system_trains_as_many_networks_as_its_file_says(library):
    """So does the loss of VAE-GAN among the combinations, for it wires an encoder beside the two."""
    for gan in library.nodes:
        expected = gan.network.networks if gan.network else 2
        assert networks(dict(gan.combination), library) == expected, gan.id
    plain = {**library.baseline.combination}
    assert networks(plain, library) == 2
    assert networks({**plain, "loss": "vaegan"}, library) == 3


def test_a_trouble_names_what_is_reported_to_address_it(library):
    found = recommend(checked({"task": "unconditional"}, library), library, top=8, robust=False)
    troubled = [trouble for each in found.candidates for trouble in each.troubles]
    for trouble in troubled:
        for gan in trouble.then:
            assert trouble.issue in library.gans[gan].issues_addressed


def test_no_pick_is_named_where_nothing_tells_candidates_apart(library):
    """Where no source speaks for any of them none has most sources behind it."""
    silent = recommend(checked({"task": "unpaired-translation", "needs": ["quality"]}, library),
                       library, robust=False)  # fmt: skip
    assert len(silent.candidates) > 1
    assert silent.conservative is None
    alone = recommend(checked({"task": "tokenised-generation"}, library), library, robust=False)
    assert len(alone.candidates) == 1
    assert alone.conservative is None
    assert alone.bold is None
