"""Explanations agree with the advice that they explain, for any answers and any combination."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.advise import Advice
from advisor.explain import entry_page, pages
from advisor.explain.alternatives import alternatives
from advisor.explain.entry import ClaimExplained, explained
from advisor.explain.place import located, place
from advisor.explain.reasons import against
from advisor.explain.sensitivity import sensitivity
from advisor.explain.what_if import what_if
from advisor.explain.why_not import WhyNot, surviving, why_not
from advisor.kb.markdown import render
from advisor.profile import checked
from knowledge.schema import SLOTS

PAPER = {"task": "unconditional", "dataset": "cifar10", "needs": ["quality", "diversity"]}
NEEDS = ("quality", "diversity", "generalisation", "stability", "speed", "tuning")
profiles = st.fixed_dictionaries(
    {},
    optional={
        "task": st.just("unconditional"),
        "dataset": st.sampled_from(["cifar10", "fashion-mnist", "celeba", "imagenet"]),
        "needs": st.lists(st.sampled_from(NEEDS), min_size=1, max_size=3, unique=True),
        "resolution": st.sampled_from([28, 64, 256, 1024]),
        "channels": st.sampled_from(["grey", "colour"]),
        "out_of_dataset": st.sampled_from(["tolerable", "unacceptable"]),
    },
)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def words_for(combination):
    return ",".join(f"{slot}={combination[slot]}" for slot in SLOTS)


def ids(arms):
    return [arm.id for arm in arms]


# Why not -------------------------------------------------------------------------------------


@few
@given(answers=profiles, data=st.data())
def test_the_rule_that_removed_a_combination_is_among_the_obstacles(library, answers, data):
    advice = Advice(checked(answers, library), library)
    index = data.draw(st.integers(0, advice.space.size - 1))
    found = why_not(words_for(advice.space.combination(index)), advice.answers, library)
    removed_by = next(
        (r.id for r, before, after in advice.trail() if before.alive & ~after.alive & (1 << index)),
        None,
    )
    if removed_by is None:
        assert found.verdict in ("recommended", "below the shortlist", "control")
    else:
        assert found.verdict in ("cut", "control")
        assert removed_by in [each.rule for each in found.obstacles]


@few
@given(answers=profiles, data=st.data())
def test_without_its_obstacles_a_combination_survives(library, answers, data):
    """Tie-breaks apart: with fewer rules the usual options come back, and win."""
    advice = Advice(checked(answers, library), library)
    index = data.draw(st.integers(0, advice.space.size - 1))
    found = why_not(words_for(advice.space.combination(index)), advice.answers, library)
    obstacles = {each.rule for each in found.obstacles}
    advice.rules = [r for r in advice.rules if r.id not in obstacles and not r.keeps_default]
    assert advice.left.alive & (1 << index)


@pytest.mark.parametrize("words", ["wgan-gp+batch-norm", "wgan+adam", "batch-norm", "fgan", "gan"])
def test_no_point_of_a_place_has_fewer_hard_obstacles_than_the_one_told(library, words):
    advice = Advice(checked(PAPER, library), library)
    found = why_not(words, advice.answers, library)
    told = {each.rule for each in found.obstacles if each.layer == "hard"}
    assert bool(told) == (found.hard != "no")
    if not told:
        strict = Advice(advice.answers, library, strict=True)
        assert strict.left.alive & strict.space.point(found.closest)


def test_a_definition_is_told_apart_from_evidence_and_from_silence(library):
    answers = checked(PAPER | {"resolution": 512}, library)
    assert why_not("wgan-gp+batch-norm", answers, library).hard == "always"
    by_evidence = why_not("lsgan", answers, library)
    assert by_evidence.hard == "no"
    assert [each.layer for each in by_evidence.obstacles] == ["recommended"]


@pytest.mark.parametrize("dataset", ["ffhq", "cifar10"])
def test_silence_is_not_called_evidence(library, dataset):
    answers = {"task": "unconditional", "dataset": dataset, "needs": ["quality", "diversity"]}
    advice = Advice(checked(answers, library), library)
    told = set()
    for gan in advice.space.owners:
        ledger = advice.evidence.support(advice.evidence.testimony(gan))
        votes = any(need.for_ or need.against for need in ledger)
        for each in against(place(gan, advice), advice).obstacles:
            if each.rule == "q2-meets-a-need":
                assert each.silent == (() if votes else ("quality", "diversity"))
                found = WhyNot(asked=gan, verdict="cut", points=1, obstacles=(each,))
                told.add((votes, "evidence speaks against it" in pages.verdict(found)))
                if not votes:
                    says = "no source in the base speaks for it on quality or diversity."
                    assert pages.verdict(found).endswith(says)
    assert told <= {(True, True), (False, False)}


def test_a_definition_is_not_called_mathematics(library):
    found = why_not("lsgan+weight-decay", {}, library)
    assert found.despite == ("k11-decay",)
    assert "would not be that GAN any more" in pages.verdict(found)
    assert any("`despite: [k11-decay]` in a recipe" in each for each in pages.ways_in(found))
    found = why_not("wgan-gp+batch-norm", {}, library)
    assert "do not go together" in pages.verdict(found)
    hard = [rule for rule in library.rules if rule.layer == "hard" and not rule.when]
    assert {rule.id for rule in hard if rule.by_definition} == {
        "k20-tasks", "k08", "k03", "k11", "k04", "k10", "k11-decay",
    }  # fmt: skip


def test_an_obstacle_says_which_answer_it_follows_from(library):
    answers = checked({"resolution": 512}, library)
    (obstacle,) = why_not("lsgan", answers, library).obstacles
    (premise,) = [each for each in obstacle.since if each.fact == "resolution_class"]
    assert (premise.value, premise.answers, premise.dataset) == ("high", {"resolution": 512}, None)


def test_what_is_known_of_the_data_set_is_not_taken_for_an_answer(library):
    found = why_not("wgan-gp+resnet", checked(PAPER, library), library)
    premises = [
        each for o in found.obstacles for each in o.since if each.fact == "resolution_class"
    ]
    assert [(each.value, each.dataset) for each in premises] == [("small", "CIFAR-10")]


@pytest.mark.parametrize(
    "words", ["lsgan", "wgan", "ls-gan", "gan", "resnet", "fgan", "wgan-gp+batch-norm", "cyclegan"]
)
def test_the_changes_are_all_the_single_answers_that_help(library, words):
    answers = checked(PAPER | {"resolution": 512}, library)
    found = why_not(words, answers, library)
    helping = {}
    asked = place(words, Advice(answers, library))
    for each in alternatives(answers, library):
        after = Advice(each.laid_over(answers), library)
        if not after.refused_by and surviving(located(asked.gan, asked.options, after), after):
            helping.setdefault(each.question, set()).add(each.says)
    assert found.verdict == "cut"
    told = {q: set(ways) for change in found.changes for q, ways in change.ways.items()}
    if helping:
        assert told == helping
    else:
        assert all(len(change.ways) == 2 for change in found.changes)


@pytest.mark.parametrize("words", ["lsgan", "wgan", "ls-gan", "progan", "vaegan", "singan"])
def test_after_a_change_the_combination_survives_at_the_rank_that_was_told(library, words):
    answers = checked(PAPER | {"resolution": 512}, library)
    for change in why_not(words, answers, library).changes:
        changed = {n: v for n, v in (answers | change.answers).items() if v is not None}
        after = why_not(words, changed, library)
        expected = "recommended" if change.rank else "below the shortlist"
        assert after.verdict in (expected, "control")
        if change.rank:
            assert after.rank == change.rank


def test_the_same_gan_is_offered_in_its_own_form(library):
    found = why_not("wgan-gp+batch-norm", checked(PAPER, library), library)
    assert found.instead.id == "wgan-gp"
    assert found.instead.combination["normalization"] == "none"


@pytest.mark.parametrize("task", [{}, {"task": "unconditional"}])
def test_where_one_answer_is_not_enough_a_pair_is_told(library, task):
    answers = checked({"gpu_hours": 8, "needs": ["quality"], **task}, library)
    found = why_not("gaugan", answers, library)
    for change in found.changes:
        assert change.answers["task"] == "semantic-synthesis"
    assert {"task", "gpu_hours"} in [set(change.answers) for change in found.changes]


def test_a_system_of_another_task_needs_no_other_data_set(library):
    """No source compares what translates without pairs on CIFAR-10, and that rules nobody out."""
    answers = checked({"dataset": "cifar10", "needs": ["quality"]}, library)
    found = why_not("cyclegan", answers, library)
    assert [set(change.answers) for change in found.changes] == [{"task"}]


def test_nothing_is_offered_instead_of_what_serves_another_task(library):
    found = why_not("cyclegan", checked(PAPER, library), library)
    assert found.instead is None
    assert [change.answers["task"] for change in found.changes] == ["unpaired-translation"]


def test_what_is_in_the_shortlist_is_told_with_its_rank(library):
    advice = Advice(checked(PAPER, library), library)
    for arm in advice.shortlist():
        found = why_not(arm.id, advice.answers, library)
        assert (found.verdict, found.rank) == ("recommended", arm.rank)


def test_the_control_arm_is_told_to_be_trained_anyway(library):
    assert why_not("baseline", checked(PAPER, library), library).verdict == "control"


def test_where_gans_are_no_answer_no_combination_is_discussed(library):
    found = why_not("wgan-gp", checked({"modality": "text"}, library), library)
    assert found.verdict == "refused"
    assert found.refusal.instead in pages.why_not(found).about


# What if -------------------------------------------------------------------------------------


@few
@given(answers=profiles, changes=profiles)
def test_what_if_tells_the_difference_of_two_shortlists(library, answers, changes):
    found = what_if(changes, checked(answers, library), library)
    before = {a.id: a.rank for a in Advice(checked(answers, library), library).shortlist()}
    after = {a.id: a.rank for a in Advice(checked(answers | changes, library), library).shortlist()}
    moves = {each.id: (each.before, each.after) for each in found.moves}
    for name in before.keys() | after.keys():
        if before.get(name) == after.get(name):
            assert name in found.stays
        else:
            assert moves[name] == (before.get(name), after.get(name))
    assert moves.keys() | set(found.stays) == before.keys() | after.keys()


def test_whoever_leaves_or_enters_has_a_reason(library):
    found = what_if({"resolution": 512, "needs": ["stability"]}, checked(PAPER, library), library)
    gone = [each for each in found.moves if None in (each.before, each.after)]
    assert gone
    assert all(bool(each.obstacles) != each.crowded_out for each in gone)


def test_a_gan_that_the_other_task_has_no_place_for_falls_to_no_rule(library):
    found = what_if({"task": "class-conditional"}, checked(PAPER, library), library)
    gone = [each for each in found.moves if each.after is None]
    elsewhere = [each for each in gone if each.serves]
    assert elsewhere
    for each in elsewhere:
        assert not each.obstacles
        assert not each.crowded_out
        assert "class-conditional" not in each.serves
    page = render(pages.what_if(found, library.names))
    assert "the task then has no place for it: it is for unconditional" in page
    assert all(len(each.obstacles) < 5 for each in gone)


def test_large_images_drop_least_squares_because_of_k18(library):
    found = what_if({"resolution": 256}, checked(PAPER, library), library)
    (lsgan,) = [each for each in found.moves if each.id == "lsgan"]
    assert [each.rule for each in lsgan.obstacles] == ["k18"]
    (k18,) = [each for each in found.cuts if each.rule == "k18"]
    assert k18.turns == "on"
    assert "lsgan" in k18.drops


def test_an_answer_can_be_taken_back(library):
    found = what_if({"needs": None}, checked(PAPER, library), library)
    assert [(each.name, each.after) for each in found.answers] == [("needs", None)]


def test_the_same_answers_change_nothing(library):
    found = what_if({"dataset": "CIFAR-10"}, checked(PAPER, library), library)
    assert found.nothing
    assert (found.answers, found.facts, found.cuts, found.moves) == ((), (), (), ())


# Alternatives and sensitivity -----------------------------------------------------------------


def test_numbers_are_told_apart_exactly_at_the_thresholds_of_the_facts(library):
    said = [e.says for e in alternatives({}, library) if e.question == "resolution"]
    assert said == ["below 49", "49 to 255", "256 or more"]


def test_the_range_that_was_answered_is_no_alternative(library):
    found = [
        e.says for e in alternatives({"resolution": 300}, library) if e.question == "resolution"
    ]
    assert found == ["left open", "below 49", "49 to 255"]


def test_needs_are_added_and_taken_away_one_by_one(library):
    answers = checked({"needs": ["quality", "speed"]}, library)
    found = {e.says: e.value for e in alternatives(answers, library) if e.question == "needs"}
    assert found["left open"] is None
    assert found["without speed"] == ("quality",)
    assert found["also stability"] == ("quality", "speed", "stability")


def test_every_alternative_is_an_answer_that_may_be_given(library):
    for each in alternatives(checked(PAPER, library), library):
        checked({each.question: each.value}, library)


def test_sensitivity_agrees_with_trying_every_answer(library):
    answers = checked(PAPER, library)
    found = sensitivity(answers, library)
    assert list(found.shortlist) == ids(Advice(answers, library).shortlist())
    told = {
        (lever.question, says): (set(turn.enters), set(turn.leaves))
        for lever in found.levers
        for turn in lever.turns
        for says in turn.says
    }
    for each in alternatives(answers, library):
        after = ids(Advice(each.laid_over(answers), library).shortlist())
        enters, leaves = set(after) - set(found.shortlist), set(found.shortlist) - set(after)
        assert told.get((each.question, each.says), (set(), set())) == (enters, leaves)


def test_questions_are_levers_or_idle(library):
    found = sensitivity(checked(PAPER, library), library)
    levers = {lever.question for lever in found.levers}
    assert levers | set(found.idle) == set(library.questions)
    assert not levers & set(found.idle)
    assert {"needs", "resolution"} <= levers


# Rules and claims -----------------------------------------------------------------------------


def test_every_rule_and_its_page_are_explained(library):
    answers = checked(PAPER, library)
    for rule in library.rules:
        found = explained(rule.id, answers, library)
        page = render(entry_page.explained(found, library.names))
        assert rule.id in page
        assert all(claim in page for claim in (*rule.claims, *rule.counter))


def test_every_claim_is_heard_exactly_where_it_testifies(library):
    answers = checked(PAPER, library)
    ledger = Advice(answers, library).evidence
    testifying = {w.citation.claim for gan in library.gans for w in ledger.testimony(gan)}
    for name in list(library.claims)[::5]:
        found = explained(name, answers, library)
        assert isinstance(found, ClaimExplained)
        assert found.heard == (name in testifying)
        assert found.heard != bool(found.why_not_heard)


def test_a_rule_that_is_silent_says_what_nobody_told_it(library):
    found = explained("k18", {}, library)
    assert found.fires is None
    assert found.missing == ("resolution_class",)
    assert found.questions == ("resolution",)


def test_a_rule_tells_who_would_be_there_without_it(library):
    answers = checked(PAPER | {"resolution": 256}, library)
    found = explained("k18", answers, library)
    assert found.fires
    assert "lsgan" in found.dropped
    assert found.after < found.before
    assert "lsgan" in found.enters


# The commands ---------------------------------------------------------------------------------


def run(*arguments):
    command = [sys.executable, "-m", "advisor.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["why-not", "wgan-gp+batch-norm"], "k05"),
        (["why-not", "lsgan", "--set", "resolution=512"], "RaLSGAN"),
        (["what-if", "resolution=512", "--dataset", "cifar10"], "k18"),
        (["what-if", "needs=", "--need", "quality"], "needs left open"),
        (["sensitivity", "--need", "quality"], "256 or more"),
        (["explain", "k18"], "Table 6; table-6-005"),
        (["explain", "table-6-005"], "k18"),
    ],
)
def test_commands_print_their_answer_and_nothing_else(arguments, says):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert says in done.stdout


def test_json_is_the_object_that_python_gets(library):
    done = run("why-not", "wgan-gp+batch-norm", "--need", "quality", "--json")
    answers = checked({"needs": ["quality"]}, library)
    assert WhyNot.model_validate_json(done.stdout) == why_not(
        "wgan-gp+batch-norm", answers, library
    )
    assert json.loads(done.stdout)["schema_version"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["why-not", "wgan-pg"], "did you mean 'wgan-gp'"),
        (["what-if", "resolution"], "question=answer"),
        (["what-if", "ned=quality"], "did you mean 'needs'"),
        (["explain", "k055"], "did you mean k05"),
        (["explain", "foo"], "kb list rules"),
        (["why-not", "lsgan", "a.yaml", "-p", "b.yaml"], "two profiles"),
        (["sensitivity", "--profile", "nosuch.yaml"], "cannot be read"),
    ],
)
def test_bad_input_ends_with_one_clear_sentence(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [["sensitivity"], ["why-not", "lsgan"], ["what-if", "needs=speed"], ["explain", "k18"]]
)
def test_a_profile_may_stand_where_recommend_takes_it(tmp_path, words):
    profile = tmp_path / "p.yaml"
    profile.write_text("task: unconditional\nresolution: 512\nneeds: [quality]\n")
    done = run(*words, str(profile))
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(*words, "-p", str(profile)).stdout
    assert done.stdout != run(*words).stdout


def test_a_system_of_another_task_is_told_so_first_and_quotes_nothing_on_others(library):
    found = why_not("cyclegan", checked({"gpu_hours": 8}, library), library)
    assert pages.why_not(found).about == (
        "It is made for unpaired-translation; the task here is unconditional."
    )
    assert not found.obstacles[0].citations  # what is said of labels is said of others


def test_what_stands_for_a_system_is_called_by_its_name(library):
    about = pages.why_not(why_not("vae", {}, library)).about
    assert "VAE-GAN stands in its place" in about


# Names ------------------------------------------------------------------------------------------


def explanations(library):
    """Pages with the ids of the GANs that they speak of."""
    answers = checked(PAPER, library)
    swept = sensitivity(answers, library)
    turns = [turn for lever in swept.levers for turn in lever.turns]
    arms = [arm for turn in turns for arm in (*turn.enters, *turn.leaves, *turn.first)]
    yield pages.sensitivity(swept, library.names), {*swept.shortlist, *arms}
    for changes in ({"needs": ["stability"]}, {"resolution": 256}, {"task": "class-conditional"}):
        found = what_if(changes, answers, library)
        dropped = [gan for cut in found.cuts for gan in (*cut.drops, *cut.spares)]
        moved = {each.id for each in found.moves}
        yield pages.what_if(found, library.names), {*moved, *found.stays, *dropped}
    rule = explained("q2-meets-a-need", answers, library)
    yield entry_page.explained(rule, library.names), {*rule.dropped, *rule.enters, *rule.leaves}
    claim = explained("table-2-045", answers, library)
    assert claim.votes.keys() == {"rsgan", "gan"}


def test_gans_are_called_by_their_names_and_never_by_their_ids(library):
    for page, arms in explanations(library):
        text = re.sub(r"\\(.)", r"\1", render(page))
        assert arms
        for gan in {arm.split("+")[0] for arm in arms}:
            assert library.names[gan] in text
            if gan not in ("gan", "vae"):  # which are words as well
                assert not re.search(rf"(?<![\w-]){re.escape(gan)}(?![\w-])", text), gan


def test_json_keeps_the_ids(library):
    found = json.loads(sensitivity(checked(PAPER, library), library).model_dump_json())
    assert "sn-gan" in found["shortlist"]
    assert set(found["shortlist"]) <= library.names.keys()
