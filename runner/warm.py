"""Imported by the fork server, for all trials at once: what each would load for itself."""

# The first optimizer of a process imports this, for two seconds.
import torch._dynamo  # noqa: F401

import runner.trial  # noqa: F401
from runner.game import rule_book

rule_book()  # kept from here on
