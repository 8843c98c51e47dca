"""Images in, batches out."""

from runner.data.batches import Batches
from runner.data.find import NAMES
from runner.data.images import DataError, ImageSet, Skipped
from runner.data.open import open_images

__all__ = ["NAMES", "Batches", "DataError", "ImageSet", "Skipped", "open_images"]
