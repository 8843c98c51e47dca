"""The questionnaire as a person at a terminal meets it."""

import os
import sys

import pytest

from knowledge.reading import read

pexpect = pytest.importorskip("pexpect")


@pytest.fixture
def terminal(tmp_path):
    """Starts `gan-advisor ask` in a pseudo-terminal of 80 columns."""
    children = []

    def start(*arguments, **environment):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "advisor.cli", "ask", *arguments],
            cwd=str(tmp_path),
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
            dimensions=(40, 80),
            encoding="utf-8",
            timeout=30,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def kept(folder):
    return read(folder / "profile.yaml").data


def test_from_the_first_question_to_the_recommendation(terminal, tmp_path):
    child = terminal()
    child.expect("1. What should the GAN do")
    child.expect(r"\[unconditional\] > ")
    child.sendline("")
    child.expect("2. What are your data")
    child.sendline("1")
    child.expect("generated samples.*> ")
    child.sendline("")
    child.expect(r"Which data set.*\[I don't know\] > ")
    child.sendline("cifar-10")
    child.expect("Shortlist: ")
    while child.expect([r"\] > ", "the same without questions: gan-advisor recommend"]) == 0:
        child.sendline("s")
    assert ended(child) == 0
    assert kept(tmp_path)["dataset"] == "cifar10"


def test_what_cannot_be_understood_is_asked_again(terminal):
    child = terminal()
    child.expect("> ")
    child.sendline("un")
    child.expect("could be unconditional or unpaired-translation")
    child.expect("> ")
    child.sendline("unp")
    child.expect("task: unpaired-translation")


def test_back_and_another_answer(terminal, tmp_path):
    child = terminal()
    child.expect("> ")
    child.sendline("super")
    child.expect("What are your data.*> ")
    child.sendline("b")
    child.expect(r"1. What should.*\(as before\).*\[super-resolution\] > ")
    child.sendline("single")
    child.expect("task: single-image")
    child.expect("What are your data.*> ")
    child.sendline("q")
    assert ended(child) == 0
    assert kept(tmp_path) == {"task": "single-image"}


def test_leaving_and_going_on(terminal, tmp_path):
    child = terminal()
    child.expect("> ")
    child.sendline("1")
    child.expect("What are your data.*> ")
    child.sendline("s")
    child.expect("3. .*> ")
    child.sendline("q")
    child.expect("the same command goes on from there")
    assert ended(child) == 0
    assert kept(tmp_path) == {"task": "unconditional", "modality": None}
    child = terminal()
    child.expect("Going on from profile.yaml")
    child.expect("3. What are the generated samples for")


def test_the_end_of_the_input_key_leaves_too(terminal, tmp_path):
    child = terminal()
    child.expect("> ")
    child.sendline("1")
    child.expect("What are your data.*> ")
    child.sendeof()
    assert ended(child) == 0
    assert kept(tmp_path) == {"task": "unconditional"}


def test_an_interruption_keeps_the_answers(terminal, tmp_path):
    child = terminal()
    child.expect("> ")
    child.sendline("1")
    child.expect("What are your data.*> ")
    child.sendintr()
    child.expect("The answers so far are kept in profile.yaml")
    assert ended(child) == 130
    assert kept(tmp_path) == {"task": "unconditional"}


def test_a_closed_window_keeps_the_answers(terminal, tmp_path):
    child = terminal()
    child.expect("> ")
    child.sendline("1")
    child.expect("What are your data.*> ")
    child.close(force=True)
    assert kept(tmp_path) == {"task": "unconditional"}


def test_everything_answered_is_offered_again(terminal, tmp_path):
    (tmp_path / "profile.yaml").write_text("task: unconditional\nmodality: text\n")
    child = terminal()
    child.expect("Enter keeps an answer")
    child.expect(r"\(as before\).*\[unconditional\] > ")
    child.sendline("")
    child.expect(r"\[text\] > ")
    child.sendline("")
    child.expect("not a GAN problem")
    assert ended(child) == 4


@pytest.mark.parametrize(
    ("environment", "bold"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_bold_only_where_it_is_wanted(terminal, environment, bold):
    child = terminal(**environment)
    child.expect("What should the GAN do.*> ")
    assert ("\033[1m" in child.before + child.after) is bold
    assert "\033[" not in (child.before + child.after).replace("\033[1m", "").replace("\033[0m", "")
