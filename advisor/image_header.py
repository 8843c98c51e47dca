"""What an image file says of itself before its pixels: size and colour. Standard library only."""

import struct
from typing import BinaryIO, NamedTuple

HEAD = 4096  # bytes in which all but JPEG and TIFF say what they are
TAIL = 64  # bytes in which a whole PNG or JPEG ends
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's start-of-frame markers
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers without a length
TIFF_FIELDS = {256: "width", 257: "height", 262: "photometric"}


class Header(NamedTuple):
    width: int
    height: int
    grey: bool  # stored with one channel of brightness


class Unreadable(ValueError):
    """Why a file cannot be an image that is used, in a few words."""


def read_header(file: BinaryIO, size: int) -> Header:
    """Of a seekable file of `size` bytes. Raises Unreadable."""
    if not size:
        raise Unreadable("empty")
    head = file.read(HEAD)
    for magic, read in READERS.items():
        if head.startswith(magic):
            try:
                header = read(head, file, size)
            except (struct.error, IndexError, ValueError) as error:
                says = str(error) if isinstance(error, Unreadable) else "its header is damaged"
                raise Unreadable(says) from None
            if header.width < 1 or header.height < 1:
                raise Unreadable("its header is damaged")
            return header
    raise Unreadable("not an image")


def png(head: bytes, file: BinaryIO, size: int) -> Header:
    width, height, _, colour = struct.unpack(">IIBB", head[16:26])
    if b"IEND" not in ending(file, size):
        raise Unreadable("cut off")
    return Header(width, height, grey=colour in (0, 4))


def jpeg(head: bytes, file: BinaryIO, size: int) -> Header:
    """Segments are walked, since a camera's notes may come to many kilobytes."""
    place = 2
    while True:
        file.seek(place)
        start, marker = struct.unpack(">BB", file.read(2))
        if start != 0xFF:
            raise Unreadable("its header is damaged")
        if marker == 0xFF or marker in ALONE:  # fill bytes
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker in FRAMES:
            _, height, width, channels = struct.unpack(">BHHB", file.read(6))
            break
        place += 2 + length
    if b"\xff\xd9" not in ending(file, size):
        raise Unreadable("cut off")
    return Header(width, height, grey=channels == 1)


def ending(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - TAIL, 0))
    return file.read(TAIL)


def gif(head: bytes, file: BinaryIO, size: int) -> Header:
    width, height = struct.unpack("<HH", head[6:10])
    return Header(width, height, grey=False)


def bmp(head: bytes, file: BinaryIO, size: int) -> Header:
    width, height = struct.unpack("<ii", head[18:26])
    return Header(width, abs(height), grey=False)  # a negative height: the rows run downwards


def webp(head: bytes, file: BinaryIO, size: int) -> Header:
    if head[8:12] != b"WEBP":
        raise Unreadable("not an image")
    if head[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return Header(width & 0x3FFF, height & 0x3FFF, grey=False)
    if head[12:16] == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, grey=False)
    width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
    return Header(width, height, grey=False)


def tiff(head: bytes, file: BinaryIO, size: int) -> Header:
    order = "<" if head[:2] == b"II" else ">"
    (place,) = struct.unpack(f"{order}I", head[4:8])
    file.seek(place)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    found = {}
    for _ in range(count):
        entry = file.read(12)
        tag, kind = struct.unpack(f"{order}HH", entry[:4])
        if tag in TIFF_FIELDS:
            value = struct.unpack(
                f"{order}{'H' if kind == 3 else 'I'}", entry[8 : 10 if kind == 3 else 12]
            )
            found[TIFF_FIELDS[tag]] = value[0]
    if "width" not in found or "height" not in found:
        raise Unreadable("its header is damaged")
    return Header(found["width"], found["height"], grey=found.get("photometric", 2) in (0, 1))


def netpbm(head: bytes, file: BinaryIO, size: int) -> Header:
    words = (w for line in head.splitlines()[:8] for w in line.split(b"#")[0].split())
    kind, width, height = next(words), next(words, b""), next(words, b"")
    return Header(int(width), int(height), grey=kind in (b"P2", b"P5"))


READERS = {
    b"\x89PNG\r\n\x1a\n": png,
    b"\xff\xd8": jpeg,
    b"GIF8": gif,
    b"BM": bmp,
    b"RIFF": webp,
    b"II*\0": tiff,
    b"MM\0*": tiff,
    b"P2": netpbm,
    b"P3": netpbm,
    b"P5": netpbm,
    b"P6": netpbm,
}
