"""Which question comes next: nothing is asked in vain, and nothing that matters is left out."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.advise import Advice
from advisor.hand_over import recommendation
from advisor.profile import checked
from advisor.questionnaire import Answers, Questionnaire, funnel, shortlist, size


@pytest.fixture(scope="session")
def questionnaire(library):
    return Questionnaire(library)


def ways(library, question):
    match question.answer:
        case "choice":
            return [choice.id for choice in question.choices]
        case "choices":
            ids = [choice.id for choice in question.choices]
            return [(each,) for each in ids] + [tuple(ids)]
        case "dataset":
            return ["cifar10", "mnist", "celeba-hq", "imagenet", "cityscapes", "single-image"]
        case _:
            return [1, 7, 30, 500, 1_500, 40_000]


@st.composite
def walks(draw, library):
    """Answers, some of them unknown, to the questions in their order as far as somebody came."""
    answers = Answers()
    for question in list(library.questions.values())[: draw(st.integers(0, 20))]:
        answer = draw(st.none() | st.sampled_from(ways(library, question)))
        answers = answers.say(question.id, answer)
    return answers


some = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@some
@given(data=st.data())
def test_what_is_not_asked_changes_nothing_whatever_is_answered_later(library, questionnaire, data):
    answers = data.draw(walks(library))
    passed_over = questionnaire.turn(answers).passed_over
    if not passed_over:
        return
    question = data.draw(st.sampled_from(passed_over))
    given = dict(answers.given)
    for later in library.questions.values():
        if later.id not in answers.closed | {question.id}:
            answer = data.draw(st.none() | st.sampled_from(ways(library, later)))
            given |= {} if answer is None else {later.id: answer}
    without = Advice(given, library)
    for way in ways(library, question):
        advice = Advice({**given, question.id: way}, library)
        assert bool(advice.refused_by) == bool(without.refused_by), (question.id, way)
        assert shortlist(advice) == shortlist(without), (question.id, way)


@pytest.mark.parametrize("task", ["unconditional", "class-conditional", "unpaired-translation"])
def test_what_is_asked_changes_something_for_somebody(library, questionnaire, task):
    """Of the questions of a task each has an answer that by itself, or with another, does."""
    start = Answers().say("task", task)
    turn = questionnaire.turn(start)
    assert turn.question is not None
    assert turn.still > 5


def test_no_question_is_in_vain(library, questionnaire):
    """Each is asked of somebody: of many images or few, for one task or another."""
    asked = set()
    for choice in library.questions["task"].choices:
        for images in (None, 30):
            turn, answers = questionnaire.turn(Answers()), Answers()
            while turn.question:
                name = turn.question.id
                asked.add(name)
                answers = answers.say(name, {"task": choice.id, "images": images}.get(name))
                turn = questionnaire.turn(answers)
    assert asked == set(library.questions)


def test_every_question_says_what_hangs_on_it(library):
    assert all(question.unlocks for question in library.questions.values())


def test_the_four_questions_of_the_framework_come_last_and_in_its_order(library):
    assert list(library.questions)[-4:] == ["network", "objective", "regularizer", "divergence"]


def test_a_refusal_ends_the_questionnaire(questionnaire):
    answers = Answers().say("task", None).say("modality", "text")
    assert questionnaire.turn(answers).question is None


def test_what_nobody_knows_is_not_asked_twice(questionnaire):
    assert questionnaire.turn(Answers().say("task", None)).question.id == "modality"


def test_going_back_keeps_what_was_said_in_mind(questionnaire):
    answers = Answers().say("task", "unconditional").say("modality", "images").back()
    turn = questionnaire.turn(answers)
    assert turn.question.id == "modality"
    assert questionnaire.suggestion(turn.question, answers) == "images"
    assert answers.kept == {"task": "unconditional", "modality": "images"}


def test_two_steps_back_lead_forward_over_both(questionnaire):
    answers = Answers().say("task", "unconditional").say("modality", "images").back().back()
    assert questionnaire.turn(answers).question.id == "task"
    answers = answers.say("task", "super-resolution")
    assert questionnaire.turn(answers).question.id == "modality"
    assert answers.given == {"task": "super-resolution"}


def test_before_the_first_question_there_is_none():
    assert Answers().back() is None


def test_consequences_are_what_the_answers_come_to(library, questionnaire):
    answers = Answers().say("task", "unconditional").say("dataset", "cifar10")
    needs = library.questions["needs"]
    for each in questionnaire.consequences(needs, answers):
        advice = Advice({**answers.given, "needs": (each.says,)}, library)
        assert each.shortlist == shortlist(advice)
        assert set(each.shortlist) - set(each.leaves) >= set(each.joins)


def test_the_funnel_is_the_one_of_the_recommendation(library):
    answers = checked({"task": "unconditional", "dataset": "cifar10", "needs": "quality"}, library)
    advice = Advice(answers, library)
    steps = recommendation(advice).funnel
    last = {step.stage: step.after + step.beside_after for step in steps}
    assert dict(funnel(advice)) == last
    counts = [count for _, count in funnel(advice)]
    assert counts == sorted(counts, reverse=True)


def test_a_number_that_a_data_set_publishes_is_offered(library, questionnaire):
    answers = Answers().say("dataset", "cifar10")
    assert questionnaire.published(library.questions["images"], answers) == 50_000


def outcome(advice):
    """Who survives, where the funnel ends, in which order, with which votes and remarks."""
    if advice.refused_by:
        return "no GAN problem"  # for one reason or for several: the first one is told
    found = recommendation(advice)
    order = [(arm.id, arm.rank, arm.support) for arm in advice.arms]
    remarks = [[(each.rule) for each in arm.remarks] for arm in found.arms]
    return order, advice.left, size(advice.left), remarks, [each.rule for each in found.advice]


@settings(some, max_examples=25)
@given(data=st.data())
def test_adding_an_irrelevant_answer_changes_nothing(library, questionnaire, data):
    """Each answer to each question of which the questionnaire says that nothing hangs on it.

    Only which of two rules gets to cut what both would cut may be another one: where nobody wants
    a classifier in the critic, it falls for that reason, or because there are no labels. The same
    holds for a refusal: a time series is refused with or without a wish for likelihoods.
    """
    answers = data.draw(walks(library))
    advice = Advice(answers.given, library)
    possible = questionnaire.possible(advice, answers.closed)
    before = outcome(advice)
    for question in library.questions.values():
        if question.id in answers.closed:
            continue
        if questionnaire.matters(question, advice, possible, answers.closed):
            continue
        for way in ways(library, question):
            after = outcome(Advice({**answers.given, question.id: way}, library))
            assert after == before, (question.id, way)
