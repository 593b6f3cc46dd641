"""A stack with the rehearsal product installed, for browser tests of what runs in the background."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.stack import RunningStack, run_stack, wait_until

from .rehearsal import NAME

ENTRY_POINTS = "[mainspring.products]\nrehearsal = tests.journeys.rehearsal:product\n"
METADATA = "Metadata-Version: 2.1\nName: rehearsal\nVersion: 1.0\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Every process of `mainspring serve`, with one product more."""
    installed = tmp_path_factory.mktemp("rehearsal")
    described = installed / "rehearsal-1.0.dist-info"
    described.mkdir()
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    (described / "METADATA").write_text(METADATA)
    root = Path(__file__).resolve().parents[2]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(installed), str(root), *([before] if before else [])])
    try:
        with run_stack(tmp_path_factory.mktemp("stack")) as running:
            yield running
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def order(api: httpx.Client, *items: str, wants: str = "nothing", until: str | None = None) -> str:
    """The id of a new run of the order, once it or one of its steps has the status `until`."""
    body = {"input": {"items": [*(items or ("chair", "table"))], "wants": wants}}
    run = api.post(f"/v1/pipelines/{NAME}/runs", json=body).raise_for_status().json()["id"]
    if until is not None:
        wait_until(has(api, run, until), seconds=60)
    return run


def has(api: httpx.Client, run: str, status: str) -> Callable[[], bool]:
    """Whether the run or a step of it has the status now."""

    def claim() -> bool:
        found = api.get(f"/v1/runs/{run}").raise_for_status().json()
        return status in {found["status"], *(step["status"] for step in found["steps"])}

    return claim
