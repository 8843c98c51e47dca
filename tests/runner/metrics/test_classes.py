import numpy as np
import pytest

from runner.metrics import MetricError, Moments, frechet_distance, intra_class_distances

CLASSES, EACH, D = 4, 300, 8


def labelled(seed, shift=0.0):
    """Classes that are far from one another."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(CLASSES), EACH))
    noise = np.random.default_rng(seed + 100).standard_normal((len(labels), D))
    features = noise + 10 * labels[:, None] + shift * labels[:, None]
    return features.astype(np.float32), labels


def test_each_class_has_the_distance_of_its_own_images():
    (real, a), (made, b) = labelled(0), labelled(1)
    found = intra_class_distances(real, a, made, b)
    assert list(found) == list(range(CLASSES))
    for label, distance in found.items():
        moments = Moments.of(real[a == label]), Moments.of(made[b == label])
        assert distance == pytest.approx(frechet_distance(*moments), rel=1e-6)


def test_shifted_classes_are_as_far_as_they_are_shifted():
    (real, labels), (made, _) = labelled(0), labelled(0, shift=2)
    found = intra_class_distances(real, labels, made, labels)
    assert list(found.values()) == pytest.approx(
        [D * (2 * c) ** 2 for c in range(CLASSES)], abs=1e-3
    )


def test_a_generator_that_ignores_its_labels_is_found_out():
    (real, a), (made, b) = labelled(0), labelled(1)
    shuffled = np.random.default_rng(5).permutation(b)
    heeds, ignores = (np.mean(list(intra_class_distances(real, a, made, labels).values()))
                      for labels in (b, shuffled))  # fmt: skip
    assert ignores > 100 * heeds
    over_all = [frechet_distance(Moments.of(real), Moments.of(made))] * 2
    assert over_all[0] == over_all[1] < heeds


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.arange(CLASSES * EACH) % (CLASSES - 1), "4 classes and the generated ones 3"),
        (np.arange(CLASSES * EACH) % CLASSES + 1, "4 classes and the generated ones 4, or others"),
        (np.zeros(7, int), r"1200 features have labels of shape \(7,\)"),
        (np.minimum(np.arange(CLASSES * EACH), 3), r"Two or more features are needed.*\(1, 8\)"),
    ],
)
def test_unlike_labels_are_refused(labels, says):
    real, a = labelled(0)
    with pytest.raises(MetricError, match=says):
        intra_class_distances(real, a, real, labels)
