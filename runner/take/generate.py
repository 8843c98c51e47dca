"""python generate.py [COUNT [SEED [OUT [CLASS]]]]: draws from generator.pt; takes torch alone."""

import sys
import warnings
import zlib
from pathlib import Path

import torch


def generate(count: int, seed: int = 0, label: int | str | None = None) -> torch.Tensor:
    """Images (N, C, H, W) from -1 to 1, or points; the first are the same whatever the count."""
    warnings.simplefilter("ignore", FutureWarning)  # TorchScript is read, but not developed on
    rng, notes = torch.Generator().manual_seed(seed), {"latents": b"", "classes": b"", "seen": b""}
    network = torch.jit.load(Path(__file__).with_name("generator.pt"), "cpu", _extra_files=notes)
    names, blocks = notes["classes"].decode().splitlines(), range(0, count, 64)
    known = [*names, *map(str, range(len(names))), *range(len(names))]  # by name, or by number
    given = [(torch.randn(64, int(notes["latents"]), generator=rng) for _ in blocks)]
    if label is not None:
        label in known or sys.exit(f"no class {label!r}; known: {', '.join(names) or 'none'}")
        given += [(torch.full((64,), known.index(label) % len(names)) for _ in blocks)]
    elif names:  # each class as often as training saw it
        seen = torch.tensor([int(times) for times in notes["seen"].split()]).double()
        given += [(torch.multinomial(seen, 64, True, generator=rng) for _ in blocks)]
    return torch.cat([network(*each) for each in zip(*given, strict=True)])[:count]


if __name__ == "__main__":
    says = [*sys.argv[1:], *("64", "0", "")[len(sys.argv) - 1 :]]
    made = generate(*(int(n) if n.isdecimal() else sys.exit(__doc__) for n in says[:2]), *says[3:])
    pixels = (made * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)  # eight to a row
    sheet = torch.nn.functional.pad(pixels, (0,) * 7 + (-len(made) % 8,)).unflatten(0, (-1, 8))
    rows = torch.nn.functional.pad(sheet.permute(0, 3, 1, 4, 2).flatten(2).flatten(0, 1), (1, 0))
    head = bytes.fromhex(f"{8 * made.shape[3]:08x}{len(rows):08x}080{' 0426'[made.shape[1]]}000000")
    chunks = (b"IHDR" + head, b"IDAT" + zlib.compress(bytes(rows.flatten().tolist())), b"IEND")
    parts = ((len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks)
    png, points = b"\x89PNG\r\n\x1a\n" + b"".join(parts), str(made.flatten(1).tolist()).encode()
    kind, data = ("png", png) if made.shape[2] > 1 else ("json", points)  # of a plane
    Path(says[2] or f"generated.{kind}").write_bytes(data)
