"""The command as a person meets it: output, streams, exit codes."""

import gc
import json
import os
import subprocess
import sys

import pytest

from advisor.cli import brief
from advisor.commands.app import COMMANDS

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "numpy", "PIL", "scipy"}:
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, Blocked())
from advisor.cli import main
main()
"""


def run(*arguments, code=None, cwd=None):
    program = ["-c", code] if code else ["-m", "advisor.cli"]
    command = [sys.executable, *program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_advice_works_without_torch():
    done = run("recommend", "--dataset", "cifar10", "--need", "quality", code=BLOCK)
    assert done.returncode == 0, done.stderr
    assert "WGAN-GP" in done.stdout


def test_json_is_a_whole_recommendation_and_nothing_else():
    done = run("recommend", "--dataset", "cifar10", "--need", "quality", "--json")
    assert json.loads(done.stdout)["schema_version"] == 1
    assert done.stderr == ""


def test_the_profile_file_gives_the_same_as_the_flags(tmp_path):
    (tmp_path / "profile.yaml").write_text(
        "task: unconditional\ndataset: CIFAR-10\nneeds: [quality, diversity]\n"
    )
    by_file = run("recommend", str(tmp_path / "profile.yaml"), "--json")
    flags = ["--task", "unconditional", "--dataset", "cifar10"]
    by_flags = run("recommend", *flags, "--need", "quality", "--need", "diversity", "--json")
    assert by_file.stdout == by_flags.stdout


def test_flags_win_over_the_profile_file(tmp_path):
    (tmp_path / "profile.yaml").write_text("needs: [quality]\n")
    done = run("recommend", str(tmp_path / "profile.yaml"), "--need", "stability", "--json")
    assert json.loads(done.stdout)["answers"]["needs"] == ["stability"]


def test_the_shortlist_is_written_for_the_runner(tmp_path):
    out = tmp_path / "advice.json"
    done = run("recommend", "--dataset", "cifar10", "--need", "quality", "-o", str(out))
    assert json.loads(out.read_text())["candidates"]
    assert f"gan-runner run {out}" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["advice.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--task", "uncondtional"], 2, "did you mean 'unconditional'"),
        (["--set", "nonsense"], 2, "question=answer"),
        (["nosuch.yaml"], 2, "cannot be read"),
        (["--task", "paired-translation", "--set", "pairs=unpaired"], 3, "No combination survives"),
        (["--set", "modality=text"], 4, "not a GAN problem"),
        (["-o", "/nosuch/folder/x.json"], 2, "/nosuch/folder/x.json: there is no folder /nosuch"),
        (["--dataset", "mycats"], 2, "gan-advisor ask --data FOLDER"),
    ],
)
def test_exit_codes_and_one_clear_sentence(arguments, code, says):
    done = run("recommend", *arguments)
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_profile_is_told_with_its_line(tmp_path):
    (tmp_path / "p.yaml").write_text("task: unconditional\nneeds: [quality\n")
    done = run("recommend", "p.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "p.yaml:3: not valid YAML" in done.stderr


def test_a_recommendation_is_no_profile(tmp_path):
    run("recommend", "--need", "quality", "--no-robustness", "-o", "advice.json", cwd=tmp_path)
    done = run("recommend", "advice.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "gan-advisor: advice.json: is a recommendation, and no profile: give it to gan-runner run"
    ]


def test_of_many_mistakes_a_handful_is_told(tmp_path):
    (tmp_path / "p.yaml").write_text("".join(f"nonsense{i}: 1\n" for i in range(40)))
    done = run("recommend", "p.yaml", cwd=tmp_path)
    assert len(done.stderr.splitlines()) < 10
    assert done.stderr.endswith("… and 34 more\n")


@pytest.mark.parametrize("command", ["kb cite --all", "recommend --json", "kb show wgan"])
def test_a_reader_who_has_enough_ends_it_quietly(command):
    program = [sys.executable, "-c", "from advisor.cli import main; main()", *command.split()]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""


def test_all_wrong_answers_are_told_at_once_with_their_lines(tmp_path):
    (tmp_path / "p.yaml").write_text("task: x\nneeds: quality\nresolution: y\n")
    done = run("recommend", "p.yaml", cwd=tmp_path)
    assert "p.yaml:1:" in done.stderr
    assert "p.yaml:3:" in done.stderr


# Starting and ending -----------------------------------------------------------------------------

LOADED = """
import sys
from advisor.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_advice_for_a_program_loads_nothing_that_it_does_not_use():
    done = run("recommend", "--dataset", "cifar10", "--need", "quality", "--json", code=LOADED)
    assert done.returncode == 0
    loaded = set(done.stderr.split())
    assert "advisor.commands.recommend" in loaded
    unused = {"rich", "yaml", "knowledge.archive", "knowledge.building", "advisor.kb",
              "advisor.commands.ask", "advisor.commands.explain", "advisor.views"}  # fmt: skip
    assert not loaded & unused


def test_the_version_is_told_without_the_knowledge_base():
    done = run("--version", code=LOADED)
    assert done.stdout.startswith("gan-advisor ")
    assert "knowledge.library" not in done.stderr.split()


def test_what_a_brief_process_does_without_is_given_back(monkeypatch):
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "")  # what a person set stays
    before = gc.get_threshold()
    with brief():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == ""
    assert gc.get_freeze_count()
    gc.unfreeze()


def test_every_command_is_listed_and_can_be_asked_for_help():
    listed = run("--help").stdout.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.splitlines() if line] == list(COMMANDS)
    for name in COMMANDS:
        assert f"{name} [OPTIONS]" in run(name, "--help").stdout


@pytest.mark.parametrize(("typo", "meant"), [("recomend", "recommend"), ("whynot", "why-not")])
def test_a_misspelt_command_is_told_what_was_probably_meant(typo, meant):
    done = run(typo)
    assert done.returncode == 2
    assert f"Did you mean '{meant}'?" in done.stderr
