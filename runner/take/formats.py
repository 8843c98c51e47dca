"""A generator in other programs' formats, each held against the original before it counts."""

import io
import warnings
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from knowledge.files import write_whole
from runner.scene import Game
from runner.take.find import TakeError
from runner.take.generator import BLOCK, images_of, latent_dim, read_generator

PROBES = (1, 7, BLOCK)  # sizes of batches: an export must not have learnt one of them by heart
PROBE_SEED = 11
NEEDED = ("onnx", "onnxscript", "onnxruntime")

Run = Callable[[Tensor], Tensor]  # latents (N, d) -> images (N, C, H, W), as the file gives them


class Format(NamedTuple):
    """How it is written and read back, and how far its images may lie from the original's.

    The tolerance is of values from -1 to 1, where a grey level is 0.0078 wide.
    """

    file: str
    write: Callable[[Game, Path, Path], None]  # game, the trial's weights, the file to write
    read: Callable[[Path], Run]
    tolerance: float
    says: str


class Check(NamedTuple):
    """The largest difference from the original's images, over the same latents."""

    file: str
    samples: int
    difference: float
    tolerance: float


def written(format: Format, game: Game, weights: Path, folder: Path) -> Check:
    """Raises TakeError where what was written does not make the original's images."""
    path = folder / format.file
    format.write(game, weights, path)
    check = compared(game, format.read(path), format)
    if not check.difference <= check.tolerance:  # NaN, too, is no match
        raise TakeError(
            f"{format.file} does not make the images that the original makes: they differ by "
            f"{check.difference:.2g}, and {check.tolerance:.2g} is allowed; nothing was exported"
        )
    return check


def compared(game: Game, run: Run, format: Format) -> Check:
    """Points are unbounded: far out, they may differ by as much more."""
    differences, largest = [], 1.0
    rng = torch.Generator().manual_seed(PROBE_SEED)
    for count in PROBES:
        latents = torch.randn(count, latent_dim(game), generator=rng)
        wanted = images_of(game, latents)
        made = run(latents)
        if made.shape != wanted.shape:
            shapes = (" x ".join(map(str, each.shape)) for each in (made, wanted))
            raise TakeError(f"{format.file} makes {' instead of '.join(shapes)}")
        differences.append(float((made - wanted).abs().max()))
        largest = max(largest, float(wanted.abs().max()))
    # NaN would lose against anything in max().
    worst = float(torch.tensor(differences).max())
    return Check(format.file, sum(PROBES), worst, format.tolerance * largest)


def network_of(game: Game) -> nn.Module:
    return game.networks["generator"]


# TorchScript ---------------------------------------------------------------------------------


def write_torchscript(game: Game, weights: Path, path: Path) -> None:
    example = torch.zeros(2, latent_dim(game))
    content = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated, and what torch alone can read
        # What is written is checked.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        script = torch.jit.trace(network_of(game), example, check_trace=False)
        notes = {"latent_dim": str(example.shape[1])}
        torch.jit.save(script, content, _extra_files=notes)
    write_whole(path, without_traces(content))


def without_traces(archive: io.BytesIO) -> bytes:
    """Without the stack traces of each operation: they name folders of whoever exports."""
    kept = io.BytesIO()
    with zipfile.ZipFile(archive) as before, zipfile.ZipFile(kept, "w") as after:
        for entry in before.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                after.writestr(zipfile.ZipInfo(entry.filename), before.read(entry))
    return kept.getvalue()


def read_torchscript(path: Path) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        script = torch.jit.load(path, map_location="cpu")

    @torch.no_grad()
    def run(latents: Tensor) -> Tensor:
        made: Tensor = script(latents)
        return made

    return run


# safetensors ---------------------------------------------------------------------------------


def write_safetensors(game: Game, weights: Path, path: Path) -> None:
    write_whole(path, weights.read_bytes())


def read_safetensors(path: Path) -> Run:
    game = read_generator(path)
    return lambda latents: images_of(game, latents)


# ONNX ----------------------------------------------------------------------------------------


def write_onnx(game: Game, weights: Path, path: Path) -> None:
    """Any number of latents at a time. Raises TakeError where what it takes is not installed."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        needs = f"ONNX needs {' and '.join(missing)}, not installed"
        raise TakeError(f"{needs}: pip install 'gan-advisor[export]'")
    import onnx

    program = torch.onnx.export(
        network_of(game),
        (torch.zeros(2, latent_dim(game)),),
        input_names=["latents"],
        output_names=["images"],
        dynamic_shapes=({0: torch.export.Dim("count", min=1)},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # only the older exporter returns nothing
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces: they name folders of whoever exports
    onnx.checker.check_model(model)
    write_whole(path, model.SerializeToString())


def read_onnx(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return lambda latents: torch.from_numpy(session.run(None, {"latents": latents.numpy()})[0])


FORMATS: dict[str, Format] = {
    "torchscript": Format(
        "generator.pt", write_torchscript, read_torchscript, 1e-5,
        "weights and network as TorchScript; generate.py draws from it",
    ),
    "safetensors": Format(
        "generator.safetensors", write_safetensors, read_safetensors, 0.0,
        "the weights, with the recipe of their network in the metadata",
    ),
    "onnx": Format(
        "generator.onnx", write_onnx, read_onnx, 1e-4,
        "weights and network as ONNX: `latents` to `images`, any number at a time",
    ),
}  # fmt: skip
