"""How far generated images are from real ones, in numbers that say what they compare."""

from runner.metrics.errors import MetricError
from runner.metrics.features import Extractor, extractor
from runner.metrics.frechet import Moments, Target, frechet_distance
from runner.metrics.pixels import Images, is_points, measurable, to_uint8
from runner.metrics.references import Reference, reference, reference_points
from runner.metrics.score import Score, distance_name, floor, measure, metric_name

__all__ = [
    "Extractor",
    "Images",
    "MetricError",
    "Moments",
    "Reference",
    "Score",
    "Target",
    "distance_name",
    "extractor",
    "floor",
    "frechet_distance",
    "is_points",
    "measurable",
    "measure",
    "metric_name",
    "reference",
    "reference_points",
    "to_uint8",
]
