"""The Python interface: what its page shows is run, and starting it costs nothing."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import advisor
import advisor.api

PAGE = Path(__file__).parents[2] / "docs" / "api" / "advice.md"


def test_the_examples_of_the_page_do_what_they_show():
    done = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert done.attempted > 20
    assert done.failed == 0


@pytest.mark.parametrize("name", advisor.api.__all__)
def test_every_name_is_had_from_the_package(name):
    assert name in advisor.__all__
    assert getattr(advisor, name) is getattr(advisor.api, name)


def test_the_package_offers_nothing_else():
    assert set(advisor.__all__) == set(advisor.api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'discriminate'"):
        _ = advisor.discriminate


def test_the_package_by_itself_loads_nothing():
    program = "import sys, advisor; print('advisor.api' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
