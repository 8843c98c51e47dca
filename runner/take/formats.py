"""A generator in other programs' formats, each held against the original before it counts."""

import copy
import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from knowledge.files import write_whole
from runner.scene import Game
from runner.take.find import TakeError
from runner.take.generator import (
    BLOCK,
    classes_of,
    images_of,
    latent_dim,
    read_generator,
    told_classes,
)

PROBES = (1, 7, BLOCK)  # sizes of batches: an export must not have learnt one of them by heart
PROBE_SEED = 11
NEEDED = ("onnx", "onnxscript", "onnxruntime")
INPUTS = ("latents", "labels")  # the second where a generator is told a class

# latents (N, d), and labels (N,) if any -> images (N, C, H, W), as the file gives them
Run = Callable[..., Tensor]


class Format(NamedTuple):
    """How it is written and read back, and how far its images may lie from the original's.

    The tolerance is of values from -1 to 1, where a grey level is 0.0078 wide.
    """

    file: str
    write: Callable[[Game, Path, Path], None]  # game, the trial's weights, the file to write
    read: Callable[[Path], Run]
    tolerance: float
    says: str  # {takes}: what its program is given


class Check(NamedTuple):
    """The largest difference from the original's images, over the same latents and all classes."""

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
    samples, differences, largest = 0, [], 1.0
    for given in batches(game):
        wanted = images_of(game, *given)
        made = run(*given)
        if made.shape != wanted.shape:
            shapes = (" x ".join(map(str, each.shape)) for each in (made, wanted))
            raise TakeError(f"{format.file} makes {' instead of '.join(shapes)}")
        samples += len(made)
        differences.append(float((made - wanted).abs().max()))
        largest = max(largest, float(wanted.abs().max()))
    # NaN would lose against anything in max().
    worst = float(torch.tensor(differences).max())
    return Check(format.file, samples, worst, format.tolerance * largest)


def batches(game: Game) -> Iterator[tuple[Tensor, ...]]:
    """What the generator takes, in batches of every size; classes come in turn until all have.

    Of more classes than the largest batch holds, the smaller sizes see only as many: a thousand
    one by one take minutes.
    """
    rng = torch.Generator().manual_seed(PROBE_SEED)
    size, classes = latent_dim(game), told_classes(game)
    for count in PROBES:
        some = classes if count == max(PROBES) else min(classes, max(PROBES))
        for first in range(0, max(1, some), count):
            latents = torch.randn(count, size, generator=rng)
            labels = torch.arange(first, first + count)
            yield (latents, labels % classes) if classes else (latents,)


def example(game: Game) -> tuple[Tensor, ...]:
    """Of the right kinds and shapes, for what follows a network's operations."""
    latents = torch.zeros(2, latent_dim(game))
    return (latents, torch.zeros(2, dtype=torch.long)) if told_classes(game) else (latents,)


def network_of(game: Game) -> nn.Module:
    return game.networks["generator"]


# TorchScript ---------------------------------------------------------------------------------


def write_torchscript(game: Game, weights: Path, path: Path) -> None:
    given, content = example(game), io.BytesIO()
    network = copy.deepcopy(network_of(game)).requires_grad_(False)  # of whoever runs it
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated, and what torch alone can read
        # What is written is checked.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        script = torch.jit.trace(network, given, check_trace=False)
        classes = classes_of(game, weights)
        notes = {
            "latents": str(latent_dim(game)),
            "classes": "\n".join(each.name for each in classes),
            "seen": "\n".join(str(each.seen) for each in classes),
        }
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
    def run(*given: Tensor) -> Tensor:
        made: Tensor = script(*given)
        return made

    return run


# safetensors ---------------------------------------------------------------------------------


def write_safetensors(game: Game, weights: Path, path: Path) -> None:
    write_whole(path, weights.read_bytes())


def read_safetensors(path: Path) -> Run:
    game = read_generator(path)
    return lambda *given: images_of(game, *given)


# ONNX ----------------------------------------------------------------------------------------


def write_onnx(game: Game, weights: Path, path: Path) -> None:
    """Any number of latents at a time. Raises TakeError where what it takes is not installed."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        needs = f"ONNX needs {' and '.join(missing)}, not installed"
        raise TakeError(f"{needs}: pip install 'gan-advisor[export]'")
    import onnx

    given, count = example(game), torch.export.Dim("count", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that latents and labels are as many
        program = torch.onnx.export(
            network_of(game),
            given,
            input_names=INPUTS[: len(given)],
            output_names=["images"],
            dynamic_shapes=({0: count},) * len(given),
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

    def run(*given: Tensor) -> Tensor:
        named = {name: each.numpy() for name, each in zip(INPUTS, given, strict=False)}
        return torch.from_numpy(session.run(None, named)[0])

    return run


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
        "weights and network as ONNX: {takes} to `images`, any number at a time",
    ),
}  # fmt: skip
