"""The commands as a person meets them: streams, exit codes, widths."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from advisor.commands.app import app

COMMANDS = [
    ("kb", "show", "wgan-gp"),
    ("kb", "show", "table-4-001"),
    ("kb", "search", "mode", "collapse"),
    ("kb", "list", "--task", "unpaired-translation"),
    ("kb", "list", "datasets"),
    ("kb", "table", "1"),
    ("kb", "table", "4"),
    ("kb", "coverage"),
    ("compare", "wgan-gp", "sn-gan", "lsgan"),
]


def run(*arguments, **environment):
    return CliRunner().invoke(app, arguments, env=environment)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_screen(command, width):
    done = run(*command, COLUMNS=str(width), NO_COLOR="1")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= width
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout.replace("… ", "").replace(" …", "")  # no word is cut off


@pytest.mark.parametrize("command", [*COMMANDS, ("kb", "cite", "wgan")], ids=" ".join)
def test_json_says_its_version_and_nothing_else(command):
    done = run(*command, "--json")
    assert json.loads(done.stdout)["schema_version"] == 1
    assert done.stderr == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_markdown_is_one_page(command):
    lines = run(*command, "--markdown").stdout.splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in lines) == 1


@pytest.mark.parametrize(("command", "says"), [
    (("kb", "show", "LSGAN"), "ls-gan"),
    (("kb", "show", "MSGAN"), "mode-seeking"),
    (("kb", "show", "wgan-pg"), "did you mean"),
    (("kb", "show", "nope"), "nothing is called 'nope'; gan-advisor kb search"),
    (("compare", "SGAN", "wgan"), "sgan-semi"),
    (("compare", "wgan"), "two systems"),
    (("compare", "wgan", "WGAN"), "two systems"),
    (("kb", "list", "--task", "unconditonal"), "unconditional"),
    (("kb", "list", "claims", "--task", "unconditional"), "systems only"),
    (("kb", "list", "gnas"), "gans"),
    (("kb", "search", "x", "--kind", "gnas"), "no kind"),
    (("kb", "table", "8"), "less than or equal to 7"),
    (("kb", "cite"), "--all"),
    (("kb", "cite", "k0nsense"), "nothing is called"),
])  # fmt: skip
def test_bad_input_is_said_on_stderr_with_exit_code_2(command, says):
    done = run(*command)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert says in done.stderr


def test_an_answer_may_be_cut_short_by_the_next_program():
    command = [sys.executable, "-m", "advisor.cli", "kb", "show", "gan"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(process.stdout.fileno())
        process.stdout = None
        assert process.communicate()[1] == b""


def test_the_whole_bibliography_comes_at_once(library):
    done = run("kb", "cite", "--all")
    assert done.stdout.count("\n@") + 1 == len(library.sources)
