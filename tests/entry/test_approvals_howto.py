"""The how-to about approvals, run as it stands: its pipeline in a worker, its commands against a served API."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mainspring.application.identity.testing import PASSWORD, Person
from mainspring.foundation.db import Database
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines import Pipelines, Run, RunStatus, Worker
from tests.orchestration.approvals.office import Office, approvals, identity, office

__all__ = ["approvals", "identity", "office"]

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "ask-a-person.md"


def blocks_of(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def refunds() -> ModuleType:
    """The page's module."""
    (source,) = blocks_of("python")
    module = ModuleType("acme_refunds")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(source, str(PAGE), "exec", dont_inherit=True), module.__dict__)
    return module


def run_commands(folder: Path, url: str, ada: Person, ben: Person) -> str:
    script = "".join(blocks_of("bash")).replace("http://127.0.0.1:8710", url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "NO_PROXY": "127.0.0.1",
            "PASSWORD": PASSWORD,
            "ADA_EMAIL": ada.member.user.email,
            "BEN_EMAIL": ben.member.user.email,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


async def until(pipelines: Pipelines, run: Run, status: str) -> Run:
    """The run, once it or its first step has that status."""
    async with asyncio.timeout(10):
        while True:
            found = await pipelines.get_run(run.tenant, run.id)
            if status in {found.status.value, found.steps[0].status.value}:
                return found
            await asyncio.sleep(0.01)


async def test_asking_a_person_as_the_page_says(
    database: Database, valkey: Valkey, office: Office, refunds: ModuleType, tmp_path: Path
):
    for name in ("curl", "jq"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed here")
    ada, ben, clerk = [await office.person() for _ in range(3)]
    till, pipelines, stop = refunds.Till(), Pipelines(database, valkey), asyncio.Event()
    pipeline = refunds.build_pipeline(office.approvals, till)
    worker = asyncio.create_task(Worker(database, valkey, pipelines=[pipeline]).run(stop))
    try:
        run = await pipelines.submit(office.tenant, pipeline, refunds.Claim("A-17", 5000), by=clerk.principal)
        await until(pipelines, run, "suspended")
        async with office.served() as url:
            said = await asyncio.to_thread(run_commands, tmp_path, url, ada, ben)
        assert "Refund 50.00 for order A-17\npending\n" in said
        assert '"cents": 5000' in said
        assert '"revision": 2' in said
        assert said.endswith("approved\nrequested\nedited\napproved\n")
        ended = await until(pipelines, run, RunStatus.SUCCEEDED.value)
        assert ended.error is None
        assert list(till.paid.values()) == [4500]
    finally:
        stop.set()
        await worker
