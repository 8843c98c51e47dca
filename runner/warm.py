"""Imported by the fork server, for all trials at once: what each would load for itself."""

import ctypes

# The first optimizer of a process imports this, for two seconds.
import torch._dynamo  # noqa: F401

import runner.trial  # noqa: F401
from runner.game import rule_book

# Of <malloc.h>. Tensors come and go by the megabyte. Without these glibc gives them back to the
# system each time and gets them anew: five thousand page faults a step of a small DCGAN, 5 % of its
# time (docs/performance.md).
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """In this process and those forked from it. Without glibc nothing happens."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(MMAP_THRESHOLD, 1 << 30)
        mallopt(TRIM_THRESHOLD, (1 << 31) - 1)
        mallopt(TOP_PAD, 64 << 20)


keep_freed_memory()
rule_book()  # kept from here on
