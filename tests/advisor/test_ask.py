"""The questionnaire in a pipe: answers, streams, files, exit codes."""

import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise

import pytest

from knowledge.reading import read

PLAIN = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}


def gan_advisor(*arguments, answers="", cwd=None, **environment):
    command = [sys.executable, "-m", "advisor.cli", *map(str, arguments)]
    environment = {**PLAIN, **environment}
    return subprocess.run(
        command,
        input=answers,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def lines(*answers):
    return "".join(f"{answer}\n" for answer in answers)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """The worked example of the review, answered question by question; the rest stays open."""
    folder = tmp_path_factory.mktemp("paper")
    done = gan_advisor("ask", answers=lines("1", "images", "", "CIFAR-10", *"ssss"), cwd=folder)
    return done, folder


def test_questions_stand_on_stderr_and_the_recommendation_on_stdout(paper):
    done, _ = paper
    assert done.returncode == 0, done.stderr
    assert "What should the GAN do?" in done.stderr
    assert "What should the GAN do?" not in done.stdout
    assert "combinations on paper" in done.stdout


def test_the_funnel_is_drawn_again_only_where_it_is_another_one(paper):
    done, _ = paper
    text = " ".join(done.stderr.split())
    drawn = re.findall(r"5040 combinations .*? candidates?", text)
    assert len(drawn) > 1
    assert all(one != other for one, other in pairwise(drawn))


def test_candidates_are_called_by_their_names(paper):
    said = [line for line in paper[0].stderr.splitlines() if "Shortlist: " in line]
    assert said
    assert "SN-GAN" in said[-1]
    assert "sn-gan" not in paper[0].stderr.partition("without questions:")[0]


def test_what_is_not_asked_is_said(paper):
    assert "Not asked, for nothing hangs on it: pairs." in paper[0].stderr


def test_the_answers_are_kept_with_what_stays_open(paper):
    kept = read(paper[1] / "profile.yaml").data
    assert kept["task"] == "unconditional"
    assert kept["dataset"] == "cifar10"
    assert kept["images"] is None
    assert [file.name for file in paper[1].iterdir()] == ["profile.yaml"]


def test_the_equivalent_command_gives_the_same(paper):
    done, folder = paper
    line = next(line for line in done.stderr.splitlines() if "without questions:" in line)
    words = shlex.split(line.partition("gan-advisor ")[2])
    assert gan_advisor(*words).stdout == done.stdout
    assert gan_advisor("recommend", folder / "profile.yaml").stdout == done.stdout


def test_it_goes_on_where_it_stopped_and_back_to_what_was_said(paper, tmp_path):
    profile = tmp_path / "p.yaml"
    profile.write_text((paper[1] / "profile.yaml").read_text())
    first, *_, last = read(profile).data
    done = gan_advisor("ask", profile, answers=lines("b", "s", "q"))
    assert done.returncode == 0
    assert "Going on from" in done.stderr
    assert f"   {first}: " not in done.stderr
    assert f"   {last}: " in done.stderr
    assert "(as before)" not in done.stderr  # it was left open
    assert done.stdout == ""
    assert read(profile).data == read(paper[1] / "profile.yaml").data


def test_new_asks_from_the_start_and_takes_nothing_away_before_the_first_answer(tmp_path):
    profile = tmp_path / "p.yaml"
    profile.write_text("task: super-resolution\n")
    done = gan_advisor("ask", profile, "--new", answers=lines("q"))
    assert "What should the GAN do?" in done.stderr
    assert profile.read_text() == "task: super-resolution\n"
    gan_advisor("ask", profile, "--new", answers=lines("1", "q"))
    assert read(profile).data == {"task": "unconditional"}


def test_going_back_asks_again_and_keeps_the_old_answer_in_mind(tmp_path):
    said = lines("super-resolution", "b", "", "images", "q")
    done = gan_advisor("ask", answers=said, cwd=tmp_path)
    assert done.stderr.count("1. What should the GAN do?") == 2
    assert "(as before)" in done.stderr
    assert read(tmp_path / "profile.yaml").data["task"] == "super-resolution"


def test_there_is_nothing_before_the_first_question(tmp_path):
    done = gan_advisor("ask", answers=lines("b", "q"), cwd=tmp_path)
    assert "This is the first question." in done.stderr


def test_a_question_mark_says_why_and_what_hangs_on_it(tmp_path):
    done = gan_advisor("ask", answers=lines("?", "q"), cwd=tmp_path)
    said = " ".join(done.stderr.split())
    assert "The task decides which systems are in the game at all." in said
    assert "unpaired-translation: instead " in said


def test_a_refusal_ends_it_with_exit_code_4(tmp_path):
    done = gan_advisor("ask", answers=lines("", "text"), cwd=tmp_path)
    assert done.returncode == 4
    assert "not a GAN problem" in done.stdout
    assert "next:" not in done.stderr


def test_an_empty_input_is_told_what_to_use_instead(tmp_path):
    done = gan_advisor("ask", cwd=tmp_path)
    assert done.returncode == 2
    assert "--set question=answer" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (["nonsense"], "answer 1, 'nonsense': task: no choice 'nonsense'"),
        (["14"], "the choices are 1 to 13"),
        (["un"], "could be unconditional or unpaired-translation"),
        (["", "", "", "cifar11"], "did you mean 'cifar10'"),
        (["", "", "", "s", "many"], "no positive number of images"),
    ],
)
def test_a_wrong_answer_in_a_pipe_stops_there(said, problem, tmp_path):
    """The next line was meant for the next question, and must not answer this one."""
    done = gan_advisor("ask", answers=lines(*said, *"sss"), cwd=tmp_path)
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_nothing_but_plain_text_at_80_columns(tmp_path):
    done = gan_advisor("ask", answers=lines("?", *"ssssss"), cwd=tmp_path, TERM="dumb")
    assert "\033" not in done.stderr + done.stdout
    before_the_end = done.stderr.partition("answers:")[0]
    assert max(map(len, before_the_end.splitlines())) <= 80


def test_a_terminal_without_unicode_gets_plain_letters(tmp_path):
    done = gan_advisor(
        "ask", answers=lines("s", "q"), cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert done.returncode == 0
    assert " > " in done.stderr
    assert "\\u" not in done.stderr


def test_json_is_a_whole_recommendation_and_nothing_else(tmp_path):
    done = gan_advisor("ask", "--json", answers=lines("", ""), cwd=tmp_path)
    assert json.loads(done.stdout)["schema_version"] == 1


def test_the_shortlist_is_written_for_the_runner(tmp_path):
    done = gan_advisor("ask", "-o", "advice.json", answers=lines("", ""), cwd=tmp_path)
    assert json.loads((tmp_path / "advice.json").read_text())["candidates"]
    assert "next: gan-runner run advice.json --data YOUR-IMAGES" in done.stderr


def test_a_wrong_profile_is_told_and_left_alone(tmp_path):
    (tmp_path / "profile.yaml").write_text("task: uncondtional\n")
    done = gan_advisor("ask", answers=lines("s"), cwd=tmp_path)
    assert done.returncode == 2
    assert "profile.yaml:1: task: no choice 'uncondtional'" in done.stderr
    assert (tmp_path / "profile.yaml").read_text() == "task: uncondtional\n"


def test_what_is_published_on_a_named_data_set_is_not_asked(tmp_path):
    done = gan_advisor("ask", "--data", "fashion-mnist", answers=lines(*[""] * 40), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for asked in ("How many training images", "How large are the images", "Grey or colour"):
        assert asked not in done.stderr
    text = (tmp_path / "profile.yaml").read_text()
    assert "How many training images do you have? As published: 60000\nimages:\n" in text
    again = gan_advisor("ask", answers=lines("q"), cwd=tmp_path)
    assert "How many training images" not in again.stderr


def test_a_name_that_is_nowhere_says_what_to_do(tmp_path):
    done = gan_advisor("ask", "--data", "fashion-mist", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'fashion-mnist'?" in done.stderr
    done = gan_advisor("ask", "--data", "ring8", cwd=tmp_path)
    assert "name them to gan-runner run" in done.stderr


def test_a_known_data_set_may_stand_for_the_images(tmp_path):
    done = gan_advisor("ask", "--data", "CIFAR-10", answers=lines("s", "q"), cwd=tmp_path)
    assert "Which data set" not in done.stderr
    assert read(tmp_path / "profile.yaml").data["dataset"] == "cifar10"


def test_the_questions_are_listed_for_programs(library):
    listed = json.loads(gan_advisor("questions", "--json").stdout)
    assert [each["id"] for each in listed["questions"]] == list(library.questions)
    by_id = {each["id"]: each for each in listed["questions"]}
    assert by_id["modality"]["choices"][0] == {"id": "images", "says": "images"}
    assert "cifar10" in by_id["dataset"]["datasets"]
    assert by_id["out_of_dataset"]["rules"] == ["k19"]
    assert by_id["needs"]["aspects"]["speed"] == ["speed", "compute"]


def test_the_questions_are_listed_for_people():
    said = gan_advisor("questions").stdout
    assert "modality: What are your data?" in said
    assert "a number of images" in said
