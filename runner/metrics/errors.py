"""What can go wrong while measuring, in a sentence for the user."""


class MetricError(ValueError):
    """The message says what is wrong and what to do about it."""
