"""Images in, batches out."""

from runner.data.batches import Batches
from runner.data.find import NAMES, TOYS
from runner.data.images import DataError, ImageSet, Skipped
from runner.data.open import open_images

__all__ = ["NAMES", "TOYS", "Batches", "DataError", "ImageSet", "Skipped", "open_images"]
