"""Whether an advice is for what is trained here: its task, and images like these."""

from collections.abc import Mapping

from advisor.recommendation import Answer, Recommendation
from knowledge.library import Library
from runner.data import ImageSet
from runner.data.find import NAMED, TOYS
from runner.data.points import MIXTURES

# What all games of the runner do: new images, of a class where they are told one.
TRAINED = ("unconditional", "class-conditional")
# Structures of the runner that do more than that.
ALSO: Mapping[str, tuple[str, ...]] = {"inversion": ("vae-gan",)}
# Toys go by other names in the knowledge base.
TOYS_OF = {"gaussian-mixture": tuple(MIXTURES), "triangles": ("polygons",), "shapes": ("shapes",)}
LARGER = 2  # times as many pixels a side, at the most, before images count as others; placeholder

COLOURS = {1: "grey", 3: "colour"}


def untrained_task(advice: Recommendation) -> str | None:
    """Why no arm of this advice can be trained for what it is wanted for, if none can."""
    task = advice.facts.get("task")
    if task is None or task in TRAINED:
        return None
    if any(arm.recipe.structure.name in ALSO.get(str(task), ()) for arm in advice.candidates):
        return None
    what = str(task).replace("-", " ")
    return (
        f"this advice is for {what}, and none of its candidates can be trained for that here: what "
        "is trained are GANs that make new images, told a class or not. Take their authors' code "
        "for it, or ask for advice with --task unconditional or class-conditional"
    )


def other_data(advice: Recommendation, images: ImageSet, library: Library) -> str | None:
    """A caution where the images differ from those that the advice was made for."""
    facts = advice.facts
    known = str(facts.get("dataset", ""))
    colour, size = facts.get("channels"), facts.get("resolution")
    another_set = (
        known in library.datasets
        and images.name in (*NAMED, "shapes", *TOYS)
        and images.name not in (known, *TOYS_OF.get(known, ()))
    )
    here = COLOURS.get(images.channels)
    another_colour = colour in COLOURS.values() and here is not None and here != colour
    another_size = isinstance(size, int | float) and not (
        1 / LARGER <= images.size / size <= LARGER
    )
    if not another_set and (images.of_points or not (another_colour or another_size)):
        return None
    name = f"{library.datasets[known].name}, " if known in library.datasets else "images "
    plane = images.of_points
    these = "points of a plane" if plane else described(images.size, here or images.kind)
    return (
        f"The advice was made for {name}{described(size, colour)}; this is {images.name}, {these}. "
        "What its sources say may not hold here."
    )


def described(size: Answer | None, colour: Answer | None) -> str:
    """of 28 px in grey."""
    pixels = f"of {size:g} px" if isinstance(size, int | float) else ""
    return " ".join(filter(None, [pixels, f"in {colour}" if colour else ""]))
