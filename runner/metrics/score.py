"""A score, with all that it takes to compare it, and how it is measured."""

from collections.abc import Callable, Collection
from statistics import fmean

from pydantic import Field

from knowledge.schema import Record
from runner.metrics import inception
from runner.metrics.errors import MetricError
from runner.metrics.features import Extractor
from runner.metrics.pixels import Images
from runner.metrics.points import NAME as COORDINATES
from runner.metrics.references import Reference
from runner.metrics.secondary import SECONDARY, secondary_of

Sample = Callable[[int, int], Images]  # n, seed -> n images by a generator


class Score(Record):
    """A distance and its protocol. Only where the protocols are equal do the values compare."""

    metric: str  # "fid-inception-10k", "fd-efficientnet-lite0@64-10k", "w1-2.5k"
    value: float  # the mean of the draws
    draws: tuple[float, ...] = ()  # one for each independent set of samples
    n_generated: int
    n_reference: int
    features: str  # the extractor's name
    dimension: int  # how many features an image has
    resize: str
    digest: str  # the extractor's: weights, input size, resize, scaling, precision
    reference: str  # the key of the reference: its images and their features
    # Of the first draw: "kid", "coverage", ... They rank nothing.
    secondary: dict[str, float] = Field(default_factory=dict)

    @property
    def protocol(self) -> tuple[str, int, int, str, str]:
        """Equal where the values can be compared."""
        return self.metric, self.n_generated, self.n_reference, self.digest, self.reference

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader of the number ought to know."""
        n = min(self.n_generated, self.n_reference)
        if n >= 2 * self.dimension:
            return ()
        few = (
            f"{n} images are few for {self.dimension} features: such distances are too large, by "
            f"an amount that depends on n. Use {2 * self.dimension} images or more where you can, "
            "and compare with the real-against-real floor."
        )
        return (few,)


def measure(
    sample: Sample,
    reference: Reference,
    *,
    draws: int = 1,
    seed: int = 0,
    secondary: bool | Collection[str] = True,
) -> Score:
    """As many samples as the reference has images, held against it; the mean of so many draws.

    Every candidate gets the same seeds: seed, seed + 1, ... What is wanted beside the distance (all
    of SECONDARY, none, or some by name) is worked out from the first draw's features. Raises
    MetricError where the samples are not the images that were asked for.
    """
    names = SECONDARY if secondary is True else secondary or ()
    values: list[float] = []
    others: dict[str, float] = {}
    for draw in range(draws):
        features = reference.extractor(_drawn(sample, reference.count, seed + draw))
        values.append(reference.distance(features))
        if draw == 0 and names:
            others = secondary_of(features, reference, names)
    extractor = reference.extractor
    return Score(
        metric=metric_name(extractor, reference.count),
        value=fmean(values),
        draws=tuple(values),
        n_generated=reference.count,
        n_reference=reference.count,
        features=extractor.name,
        dimension=extractor.dimension,
        resize=extractor.resize,
        digest=extractor.digest,
        reference=reference.key,
        secondary=others,
    )


def beside(score: Score, name: str, value: float) -> Score:
    """With one number more that ranks nothing."""
    return score.model_copy(update={"secondary": {**score.secondary, name: value}})


def metric_name(extractor: Extractor, n: int) -> str:
    """What the number may be called."""
    thousands = f"{n / 1000:g}k" if n >= 1000 else str(n)
    return f"{distance_name(extractor.name)}-{thousands}"


def distance_name(features: str) -> str:
    """Without the number of images: an FID only with Inception's weights of 2015."""
    if features == inception.NAME:
        return "fid-inception"
    return "w1" if features == COORDINATES else f"fd-{features}"


def _drawn(sample: Sample, n: int, seed: int) -> Images:
    images = sample(n, seed)
    if len(images) != n:
        raise MetricError(f"{n} samples were asked for and {len(images)} came.")
    return images
