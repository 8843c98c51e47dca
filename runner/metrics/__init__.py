"""How far generated images are from real ones, in numbers that say what they compare."""

from runner.metrics.anchors import ANCHORS, anchors, floor
from runner.metrics.classes import intra_class_distances
from runner.metrics.errors import MetricError
from runner.metrics.features import Extractor, extractor
from runner.metrics.frechet import Moments, Target, frechet_distance
from runner.metrics.pixels import Images, is_points, measurable, to_uint8
from runner.metrics.references import Reference, reference, reference_points
from runner.metrics.score import Score, beside, distance_name, measure, metric_name
from runner.metrics.secondary import SECONDARY, secondary_of

__all__ = [
    "ANCHORS",
    "SECONDARY",
    "Extractor",
    "Images",
    "MetricError",
    "Moments",
    "Reference",
    "Score",
    "Target",
    "anchors",
    "beside",
    "distance_name",
    "extractor",
    "floor",
    "frechet_distance",
    "intra_class_distances",
    "is_points",
    "measurable",
    "measure",
    "metric_name",
    "reference",
    "reference_points",
    "secondary_of",
    "to_uint8",
]
