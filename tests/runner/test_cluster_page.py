"""docs/cluster.md: what it tells to type can be typed."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from runner.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def known_options():
    run = typer.main.get_command(app).commands["run"]
    return {name for parameter in run.params for name in parameter.opts}


def commands(text):
    """Those that start with gan-runner run, with their continued lines."""
    return re.findall(r"gan-runner run (.*?)(?<!\\)\n(?!\s+-)", text + "\n", re.DOTALL)


def options(command):
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    return {word for word in words if re.match(r"-{1,2}[a-z]", word)}


def test_every_option_of_every_command_exists():
    found = [options(each) for each in commands(PAGE)]
    assert len(found) >= 4
    assert set().union(*found) <= known_options()
    assert {"--ray", "--storage", "--gpus-per-trial", "--cpus-per-trial"} <= set().union(*found)


def test_every_option_of_a_cluster_is_in_the_table():
    rows = set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))
    assert rows == {"--ray", "--storage", "--cpus-per-trial", "--gpus-per-trial"}
    assert rows <= known_options()


@pytest.mark.parametrize("script", [text for kind, text in BLOCKS if kind == "bash"])
def test_scripts_are_bash(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_kubernetes_job_gives_all_pods_the_same_data_and_the_driver_a_trials_room():
    (text,) = [text for kind, text in BLOCKS if kind == "yaml"]
    spec = yaml.safe_load(text)["spec"]
    head = spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    (workers,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    worker = workers["template"]["spec"]
    assert head["volumes"] == worker["volumes"]
    (ours,), (theirs,) = head["containers"], worker["containers"]
    for shared in ("image", "volumeMounts", "envFrom"):
        assert ours[shared] == theirs[shared]
    words = spec["entrypoint"].split()
    assert float(words[words.index("--gpus-per-trial") + 1]) == spec["entrypointNumGpus"]
