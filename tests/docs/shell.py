"""Runs what a page tells to type, in order, in a folder of its own."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.docs.blocks import ROOT, Command, Written, steps

# Why a command is not run. What it gives to our programs is held against their options all the same.
NOT_RUN = {
    r"^(pip|make|python3? -m venv|\.venv/bin/pre-commit|\. )": "sets up an environment, or takes an hour",
    r"^python -m tests\.benchmarks": "takes minutes to hours",
    r"torch\.cuda\.is_available": "asks for a GPU",
    r"^tensorboard ": "serves until it is stopped, and is another program",
    r"--mlflow ": "needs mlflow-skinny; tests/runner/test_logs.py",
    r"^gan-runner serve": "serves until it is stopped; tests/runner/test_live.py",
}
PAGES_NOT_RUN = {
    "docs/cluster.md": "ssh, Slurm, Kubernetes and buckets; tests/runner/test_cluster_page.py",
    "docs/how-to/add-a-gan.md:triangular.yaml": "needs a part; tests/docs/test_add_a_gan.py",
}
# What stands in a page for something larger than a test can do, and what is run in its place.
INSTEAD = {
    r"(gan-runner probe|--data) (fashion-mnist|cifar10)\b": r"\1 my-images",
}
SMALL = {
    "--budget": "256",
    "--width": "8",
    "--batch-size": "8",
    "--samples": "64",
    "--draws": "1",
    "--looks": "1",
    "--seeds": "1",
    "--workers": "1",
}
LARGER = {"--budget": "512"}  # of `continue`
# A page that goes on where another one ended is run in its folder, after it.
AFTER = {
    "docs/how-to/learn-from-a-run.md": "docs/tutorial.md",
    "docs/how-to/read-the-report.md": "docs/tutorial.md",
    "docs/how-to/tensorboard-and-mlflow.md": "docs/tutorial.md",
    "docs/how-to/when-a-run-goes-wrong.md": "docs/tutorial.md",
    "docs/api/report.md": "README.md",
}
ENDS = {  # otherwise than with 0
    "gan-advisor kb check --knowledge mine/            # what": {2},  # a file that is not filled in
    "gan-runner diagnose": {
        0,
        3,
    },  # so little training has every trouble, and nobody cures them all
}
ENTERS = "\n" * 60  # to every question
LIMIT = 600  # seconds


class Done(NamedTuple):
    command: Command
    ran: str
    code: int
    output: str


def why_not(command: Command) -> str | None:
    """Why it is not run, if it is not."""
    if command.page in PAGES_NOT_RUN:
        return PAGES_NOT_RUN[command.page]
    for place, reason in PAGES_NOT_RUN.items():
        page, _, word = place.partition(":")
        if word and page == command.page and word in command.text:
            return reason
    for pattern, reason in NOT_RUN.items():
        if re.search(pattern, command.text):
            return reason
    if "onnx" in command.text and not find_spec("onnxruntime"):
        return "onnx is not installed"
    return "jq is not installed" if "jq " in command.text and not which("jq") else None


def small(text: str) -> str:
    """The same command for a handful of images."""
    for pattern, instead in INSTEAD.items():
        text = re.sub(pattern, instead, text)
    text = text.partition("  #")[0]  # options are put at its end
    if found := re.match(r"gan-runner (run|plan|continue)\b", text):
        options = SMALL if found[1] != "continue" else LARGER
        text = re.sub(r"\\\n\s*", " ", text)
        for option in options:
            text = re.sub(rf"\s{option}[ =]\S+", "", text)
        text += "".join(f" {option} {value}" for option, value in options.items())
    return text


def follow(page: str, folder: Path, cache: Path, *, advice_only: bool = False) -> list[Done]:
    """Every command of the page that can be run, and the files that it tells to write.

    `advice_only`: what gan-advisor does, up to the first training.
    """
    done: list[Done] = []
    for step in steps(page):
        if isinstance(step, Written):
            if (ROOT / step.path).exists():  # what belongs into the program itself
                continue
            path = folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif advice_only and step.text.startswith("gan-runner run "):
            break
        elif not (why_not(step) or (advice_only and not step.text.startswith("gan-advisor "))):
            done.append(run(step, folder, cache))
    return done


def run(command: Command, folder: Path, cache: Path) -> Done:
    text = small(command.text)
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "XDG_CONFIG_HOME": str(cache / "config"),
        "GAN_ADVISOR_CACHE": str(cache),
        "COLUMNS": "100",
    }
    ended = subprocess.run(
        ["bash", "-c", text],
        check=False,
        cwd=folder,
        env={**os.environ, **own},
        input=ENTERS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    return Done(command, text, ended.returncode, ended.stdout)


def codes(command: Command) -> set[int]:
    """With which it may end."""
    return next((codes for text, codes in ENDS.items() if command.text.startswith(text)), {0})


def missing(done: Done) -> list[str]:
    """Lines that the page shows and the command does not print, in that order; … is anything."""
    printed = " ".join(done.output.split())
    lost = []
    for line in done.command.shows:
        parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
        if not any(parts):
            continue
        found = re.search(r".*?".join(part.replace(r"\ ", " ?") for part in parts), printed)
        if found is None:
            lost.append(line)
        else:
            printed = printed[found.end() :]
    return lost


def my_images(folder: Path) -> None:
    """Two classes of small grey pictures, and a file that is none."""
    random = np.random.default_rng(0)
    for kind, level in (("bags", 120), ("sneakers", 0)):
        (folder / kind).mkdir(parents=True)
        for number in range(150):
            pixels = random.integers(0, 120, (28, 28)) + level
            Image.fromarray(pixels.astype(np.uint8)).save(folder / kind / f"{number:04}.png")
    (folder / "bags" / "0001.png").write_bytes(b"no image")
