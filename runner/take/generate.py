"""python generate.py [COUNT [SEED [OUT]]]: draws from generator.pt beside it; takes torch alone."""

import struct
import sys
import warnings
import zlib
from pathlib import Path

import torch


@torch.inference_mode()
def generate(count: int, seed: int = 0) -> torch.Tensor:
    """Images (N, C, H, W) from -1 to 1, or points; the first are the same whatever the count."""
    warnings.simplefilter("ignore", FutureWarning)  # TorchScript is read, but not developed on
    notes = {"latent_dim": ""}
    network = torch.jit.load(Path(__file__).with_name("generator.pt"), "cpu", _extra_files=notes)
    rng, size = torch.Generator().manual_seed(seed), (64, int(notes["latent_dim"]))
    blocks = (torch.randn(size, generator=rng) for _ in range(0, count, 64))
    return torch.cat([network(latents) for latents in blocks])[:count]


def png(images: torch.Tensor) -> bytes:
    """Eight to a row."""
    pixels = (images * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
    sheet = torch.nn.functional.pad(pixels, (0,) * 7 + (-len(pixels) % 8,)).unflatten(0, (-1, 8))
    rows = torch.nn.functional.pad(sheet.permute(0, 3, 1, 4, 2).flatten(2).flatten(0, 1), (1, 0))
    sizes, colour = (8 * images.shape[3], len(rows)), (0, 4, 2, 6)[images.shape[1] - 1]
    head, data = struct.pack(">2I5B", *sizes, 8, colour, 0, 0, 0), bytes(rows.flatten().tolist())
    chunks = (b"IHDR" + head, b"IDAT" + zlib.compress(data), b"IEND")
    packed = (struct.pack(f">I{len(c)}sI", len(c) - 4, c, zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


if __name__ == "__main__":
    count, seed, out = [*sys.argv[1:], *("64", "0", "generated.png")[len(sys.argv) - 1 :]]
    made = generate(int(count), int(seed))
    points = str(made.flatten(1).tolist()).encode()  # of a plane: as JSON
    Path(out).write_bytes(png(made) if made.shape[2] > 1 else points)
