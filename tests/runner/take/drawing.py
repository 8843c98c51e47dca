"""What exported scripts draw, and what they should."""

import runpy
import subprocess
import sys

import numpy as np
import torch
from PIL import Image

from runner.take import find, read_generator
from runner.take.generator import drawn
from runner.told import of_class

# As where nothing of ours is installed, nor anything but torch.
ALONE = """
import sys
from importlib.abc import MetaPathFinder
class OnlyTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ours}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, OnlyTorch())
sys.argv = {words}
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""
ABSENT = ("runner", "advisor", "knowledge", "safetensors", "pydantic", "PIL", "jinja2", "scipy")


def run_alone(script, *words):
    code = ALONE.format(ours=ABSENT, words=[str(script), *map(str, words)])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=script.parent
    )


def generate_of(folder):
    return runpy.run_path(str(folder / "generate.py"))["generate"]


def ours(run, count, seed, label=None):
    """What gan-runner sample draws."""
    game = read_generator(find(run).weights)
    return torch.cat(
        list(drawn(game if label is None else of_class(game, label), count, seed=seed))
    )


def cells(path, image):
    """The images of a picture of ours, eight to a row, without gaps: (N, C, H, W)."""
    pixels = np.asarray(Image.open(path))
    rows = pixels.reshape(-1, image.size, 8, image.size, image.channels)
    return rows.transpose(0, 2, 4, 1, 3).reshape(-1, *rows.shape[-1:], image.size, image.size)
