"""What can be taken from `mainspring` itself: each name is there, and type checkers are told the same."""

import re
from pathlib import Path

import pytest

import mainspring


@pytest.mark.parametrize("name", mainspring.__all__)
def test_each_name_is_loaded_when_it_is_asked_for(name: str):
    assert getattr(mainspring, name) is not None


def test_type_checkers_are_told_of_the_same_names():
    stub = Path(mainspring.__file__).with_suffix(".pyi").read_text()
    assert {*re.findall(r" as (\w+)$", stub, re.MULTILINE), "__version__"} == set(mainspring.__all__)


def test_a_name_that_is_not_there_is_said_to_be_missing():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = mainspring.Nothing  # pyright: ignore[reportAttributeAccessIssue]
