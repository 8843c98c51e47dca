"""Distances within classes, for generators that are told a class."""

import numpy as np
from numpy.typing import NDArray

from runner.metrics.errors import MetricError
from runner.metrics.frechet import Features, Target

Labels = NDArray[np.integer]


def intra_class_distances(
    real: Features, real_labels: Labels, made: Features, made_labels: Labels
) -> dict[int, float]:
    """The Fréchet distance of each class from the same class; their mean is the intra-class FID.

    That measure is Miyato and Koyama's (2018, section 4). It tells a generator that ignores its
    labels from one that heeds them, which the distance over all classes does not. Classes have
    few images each, so it is larger than that by far. Features (N, d) with labels (N,); raises
    MetricError unless both sides have the same classes, with two images or more of each.
    """
    for features, labels in ((real, real_labels), (made, made_labels)):
        if labels.shape != (len(features),):
            raise MetricError(f"{len(features)} features have labels of shape {labels.shape}.")
    classes, theirs = np.unique(real_labels), np.unique(made_labels)
    if set(classes.tolist()) != set(theirs.tolist()):
        raise MetricError(
            f"The real images have {len(classes)} classes and the generated ones {len(theirs)}, "
            "or others, so there are no distances within classes."
        )
    return {
        int(label): Target.of(real[real_labels == label]).distance(made[made_labels == label])
        for label in classes
    }
