"""What a run ends in: samples, a generator to keep and to pass on, and further training."""

from runner.take.export import export
from runner.take.find import TakeError, Taken, find
from runner.take.formats import FORMATS, Check
from runner.take.further import Further, further, go_on
from runner.take.generator import class_named, read_generator
from runner.take.samples import write_samples

__all__ = [
    "FORMATS",
    "Check",
    "Further",
    "TakeError",
    "Taken",
    "class_named",
    "export",
    "find",
    "further",
    "go_on",
    "read_generator",
    "write_samples",
]
