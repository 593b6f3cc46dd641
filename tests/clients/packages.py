"""Client packages that `make test-clients` installs: elsewhere their tests are skipped, there they must be present."""

import importlib
import os
from typing import Any

import pytest

REQUIRED = "MAINSPRING_TEST_CLIENTS"
"""Set by `make test-clients`: what is missing then is a failure, not a reason to skip."""


def skip_or_fail(reason: str) -> None:
    """Skip the module, or fail where everything was installed."""
    if os.environ.get(REQUIRED):
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"{reason}; `make test-clients` does", allow_module_level=True)


def package(name: str) -> Any:
    """A module of a client package."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        skip_or_fail(f"{missing.name} is not installed here")
