import pytest

from knowledge.library import Library, build


@pytest.fixture(scope="session")
def library() -> Library:
    return build()
