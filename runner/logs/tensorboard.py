"""TensorBoard's event files, RUN/tensorboard/TRIAL/: tensorboard --logdir RUN/tensorboard shows them.

Steps are real images that the critic has been shown. "loss/…" and "health/…" are points of the
curves, "look/…" the distances on the way with the samples of the same latents, "score/…" what was
measured at the end.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.writer import FileWriter

from runner.logs import Entry, Point
from runner.plan import RunPlan
from runner.results import Leaderboard

GROUPS = {"loss": "curve", "health": "curve", "look": "look", "score": "score", "truth": "score"}
QUALITY = 90  # TensorBoard shows no WebP, and a PNG of photographs is ten times as large


class TensorBoard:
    """A run goes on in a new file beside the old ones; what these have is not written again."""

    name = "TensorBoard"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, FileWriter] = {}
        self.last: dict[str, dict[str, int]] = {}  # steps, of trials, for each group

    def begin(self, plan: RunPlan) -> None:
        """Nothing: a trial's folder appears with its first point."""

    def write(self, entry: Entry) -> None:
        trial = entry.trial.id
        last = self.last.setdefault(trial, written(self.folder / trial))
        score = (entry.score,) if entry.score else ()
        new = [
            (group, point)
            for group, points in (("curve", entry.curve), ("look", entry.looks), ("score", score))
            for point in points
            if point.images_seen > last.get(group, -1)
        ]
        for group, point in sorted(new, key=lambda each: each[1].images_seen):
            self.writer(trial).add_summary(summary(point), point.images_seen)
            last[group] = point.images_seen
        if new:
            self.writer(trial).flush()
        if entry.result:  # at the end of a rung: a run may hold thousands of trials
            self.close_one(trial)

    def writer(self, trial: str) -> FileWriter:
        if trial not in self.writers:
            folder = self.folder / trial
            # Else two that begin in the same second would have the same name.
            suffix = f".{len(list(folder.glob('*')))}"
            self.writers[trial] = FileWriter(str(folder), filename_suffix=suffix)
        return self.writers[trial]

    def close_one(self, trial: str) -> None:
        if writer := self.writers.pop(trial, None):
            writer.close()

    def conclude(self, board: Leaderboard) -> None:
        """Nothing: the ranking is no course of anything."""

    def close(self) -> None:
        for trial in list(self.writers):
            self.close_one(trial)


def summary(point: Point) -> Summary:
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in point.values.items()]
    if point.grid:
        with Image.open(point.grid) as opened:
            picture = opened.convert("RGB")
        file = BytesIO()
        picture.save(file, "JPEG", quality=QUALITY)
        shown = Summary.Image(
            height=picture.height,
            width=picture.width,
            colorspace=3,
            encoded_image_string=file.getvalue(),
        )
        values.append(Summary.Value(tag="samples", image=shown))
    return Summary(value=values)


def written(folder: Path) -> dict[str, int]:
    """The last step of every group in the event files of a folder."""
    last: dict[str, int] = {}
    for path in folder.glob("events.out.tfevents.*"):
        for event in events(path):
            for value in event.summary.value:
                if group := GROUPS.get(value.tag.partition("/")[0]):
                    last[group] = max(event.step, last.get(group, -1))
    return last


def events(path: Path) -> Iterator[Event]:
    """Up to the first one that is not whole: its writer was killed.

    A record is its length (8 bytes), a checksum of that (4), the event, and a checksum of it (4).
    """
    content = path.read_bytes()
    at = 0
    while at + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        end = at + 12 + length + 4
        if end > len(content):
            return
        yield Event.FromString(content[at + 12 : end - 4])
        at = end
