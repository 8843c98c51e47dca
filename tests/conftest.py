"""What holds for all tests."""

import os

from hypothesis import settings

# The same examples every time: a failure is of the change at hand, and not of chance. For new ones:
# HYPOTHESIS_PROFILE=default pytest ...
settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
