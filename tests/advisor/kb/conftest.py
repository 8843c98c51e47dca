import pytest

from advisor.kb.lint import Report, lint


@pytest.fixture(scope="session")
def sound() -> Report:
    """The whole base, checked once."""
    return lint()
