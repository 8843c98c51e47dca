"""How far generated images are from real ones, in numbers that say what they compare."""

from runner.metrics.errors import MetricError
from runner.metrics.features import Extractor, extractor
from runner.metrics.frechet import Moments, Target, frechet_distance
from runner.metrics.pixels import Images, to_uint8
from runner.metrics.references import Reference, reference
from runner.metrics.score import Score, floor, measure, metric_name

__all__ = [
    "Extractor",
    "Images",
    "MetricError",
    "Moments",
    "Reference",
    "Score",
    "Target",
    "extractor",
    "floor",
    "frechet_distance",
    "measure",
    "metric_name",
    "reference",
    "to_uint8",
]
