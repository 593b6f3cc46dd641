"""Recorded contents of calls are read as their run may be, and those of tools without a run by their caller."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from mainspring.entry.record_contents import RunContents
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway import InferenceRecord, Operation
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, StepRun


@dataclass(frozen=True, slots=True)
class Nothing:
    """What the run is given and makes."""


class Closed:
    """Every subject is closed to everybody."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        return subjects


@pytest.fixture
def pipelines(database: Database, valkey: Valkey) -> Pipelines:
    return Pipelines(database, valkey)


async def _run(pipelines: Pipelines, tenant: TenantId, subject: str | None) -> Run:
    pipeline = Pipeline("tests.recorded", version=1)

    @pipeline.step("rest", title="Rest")
    async def rest(given: Nothing, run: StepRun) -> Nothing:
        return given

    return await pipelines.submit(tenant, pipeline, Nothing(), subject=subject)


def _record(tenant: TenantId, run: UUID | None, operation: Operation, key: UUID | None = None) -> InferenceRecord:
    return InferenceRecord(
        tenant, uuid4(), datetime.now(UTC), operation, "search", "tools", "a key", run_id=run, key_id=key
    )


def _caller(tenant: TenantId, *permissions: str, key: UUID | None = None) -> Principal:
    return Principal(tenant, PrincipalKind.API_KEY, "a key", frozenset(permissions), credential=key)


async def test_a_call_of_a_run_about_what_is_closed_is_closed_as_well(pipelines: Pipelines, tenant: TenantId):
    contents = RunContents(pipelines, Closed())
    closed = await _run(pipelines, tenant, "doc_secret")
    about_nothing = await _run(pipelines, tenant, None)
    caller = _caller(tenant)
    assert not await contents.may_read(caller, _record(tenant, closed.id, Operation.CHAT))
    assert await contents.may_read(caller, _record(tenant, about_nothing.id, Operation.CHAT))


async def test_a_tools_call_without_a_run_is_read_by_its_caller_and_by_who_oversees(
    pipelines: Pipelines, tenant: TenantId
):
    contents, key = RunContents(pipelines, Closed()), uuid4()
    called = _record(tenant, None, Operation.TOOL, key)
    assert await contents.may_read(_caller(tenant, key=key), called)
    assert await contents.may_read(_caller(tenant, "knowledge.manage"), called)
    assert not await contents.may_read(_caller(tenant, "ai.output.view", key=uuid4()), called)
    assert await contents.may_read(_caller(tenant), _record(tenant, None, Operation.CHAT))
