"""Checkpoints: LangGraph's conformance under tenant isolation, fencing, pruning, copying."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.agents.checkpoints import Fence, IdleOnly, TenantSaver, prune_thread
from mainspring.orchestration.agents.errors import AgentFenced, ThreadBusy
from mainspring.orchestration.agents.types import AgentRunId, ThreadId
from mainspring.orchestration.pipelines.types import RunId
from tests.orchestration.agents.acting import checkpoint_of

CAPABILITIES = {"put", "put_writes", "get_tuple", "list", "delete_thread", "delete_for_runs", "copy_thread", "prune"}


async def test_the_saver_conforms_while_another_tenant_uses_the_same_threads(
    database: Database, tenant: TenantId, other_tenant: TenantId
):
    @checkpointer_test(name="tenant")
    async def saver() -> AsyncGenerator[TenantSaver]:
        yield TenantSaver(database, tenant)

    @checkpointer_test(name="other")
    async def other_saver() -> AsyncGenerator[TenantSaver]:
        yield TenantSaver(database, other_tenant)

    for registered in (saver, other_saver):
        report = await validate(registered)
        assert {name for name, result in report.results.items() if result.detected} == CAPABILITIES
        assert {name: result.failures for name, result in report.results.items() if result.failures} == {}
        assert sum(result.tests_passed for result in report.results.values()) > 70


async def put(
    saver: TenantSaver,
    thread: str,
    *,
    parent: RunnableConfig | None = None,
    values: dict[str, Any] | None = None,
    namespace: str = "",
    **metadata: Any,
) -> RunnableConfig:
    """A checkpoint after `parent`."""
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = values or {"messages": ["hello"]}
    versions: dict[str, Any] = {name: saver.get_next_version(None, None) for name in checkpoint["channel_values"]}
    checkpoint["channel_versions"] = versions
    config: RunnableConfig = {"configurable": {"thread_id": thread, "checkpoint_ns": namespace}}
    if parent:
        config["configurable"] = {**config.get("configurable", {}), "checkpoint_id": checkpoint_of(parent)}
    known: Any = {"source": "loop", "step": 0, "parents": {}, **metadata}
    return await saver.aput(config, checkpoint, known, versions)


async def listed(saver: TenantSaver, thread: str) -> list[CheckpointTuple]:
    return [each async for each in saver.alist({"configurable": {"thread_id": thread}})]


async def test_another_tenant_reads_and_deletes_nothing_of_a_thread_it_can_name(
    database: Database, tenant: TenantId, other_tenant: TenantId
):
    ours, theirs = TenantSaver(database, tenant), TenantSaver(database, other_tenant)
    thread = str(uuid4())
    config = await put(ours, thread, values={"secret": ["ours"]})
    await ours.aput_writes(config, [("answer", "ours")], str(uuid4()))
    assert await theirs.aget_tuple(config) is None
    assert await listed(theirs, thread) == []
    assert thread not in {each.config.get("configurable", {})["thread_id"] async for each in theirs.alist(None)}
    await theirs.adelete_thread(thread)
    await theirs.acopy_thread(thread, str(uuid4()))
    await theirs.aprune([thread], strategy="delete")
    found = await ours.aget_tuple(config)
    assert found is not None
    assert found.checkpoint["channel_values"] == {"secret": ["ours"]}
    assert [each[1:] for each in found.pending_writes or ()] == [("answer", "ours")]


async def test_both_tenants_may_call_a_thread_the_same(database: Database, tenant: TenantId, other_tenant: TenantId):
    thread = str(uuid4())
    await put(TenantSaver(database, tenant), thread, values={"whose": ["ours"]})
    await put(TenantSaver(database, other_tenant), thread, values={"whose": ["theirs"]})
    (found,) = await listed(TenantSaver(database, tenant), thread)
    assert found.checkpoint["channel_values"] == {"whose": ["ours"]}


@pytest.mark.parametrize("value", ["with \0 in it", float("nan"), b"\xff", "ünï", 2**70, None, True, "x" * 5000])
async def test_values_come_back_as_they_were(database: Database, tenant: TenantId, value: object):
    saver = TenantSaver(database, tenant)
    found = await saver.aget_tuple(await put(saver, str(uuid4()), values={"value": value}))
    assert found is not None
    back = found.checkpoint["channel_values"]["value"]
    assert back == value or (back != back and value != value)


async def lead(database: Database, tenant: TenantId, thread: ThreadId, *, attempt: int = 1) -> Fence:
    """A run that is led by this attempt."""
    fence = Fence(AgentRunId(new_id()), RunId(new_id()), attempt)
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            "insert into agent_thread (tenant_id, id) values (%(tenant)s, %(thread)s) on conflict do nothing",
            tenant=tenant,
            thread=thread,
        )
        await transaction.run(
            """
            insert into agent_run (tenant_id, id, thread_id, ordinal, assistant_id, graph, status, caller,
                                   pipeline_run, attempt)
            values (%(tenant)s, %(run)s, %(thread)s, 1, %(run)s, 'g', 'running', '{}', %(led)s, %(attempt)s)""",
            tenant=tenant,
            run=fence.run,
            thread=thread,
            led=fence.pipeline_run,
            attempt=attempt,
        )
    return fence


@pytest.mark.parametrize(
    "change",
    ["attempt = 2", "status = 'interrupted', finished_at = now()", "pipeline_run = gen_random_uuid()"],
)
async def test_a_zombie_writes_nothing_once_another_leads_or_the_run_was_stopped(
    database: Database, tenant: TenantId, change: str
):
    thread = ThreadId(new_id())
    fence = await lead(database, tenant, thread)
    zombie = TenantSaver(database, tenant, guard=fence)
    config = await put(zombie, str(thread))
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            f"update agent_run set {change} where tenant_id = %(tenant)s and id = %(run)s",  # type: ignore[arg-type]
            tenant=tenant,
            run=fence.run,
        )
    with pytest.raises(AgentFenced):
        await put(zombie, str(thread), parent=config)
    with pytest.raises(AgentFenced):
        await zombie.aput_writes(config, [("answer", "late")], str(uuid4()))
    (only,) = await listed(zombie, str(thread))
    assert only.pending_writes == []


async def test_a_state_is_not_changed_by_hand_while_a_run_leads_the_thread(database: Database, tenant: TenantId):
    thread = ThreadId(new_id())
    by_hand = TenantSaver(database, tenant, guard=IdleOnly(thread))
    await put(by_hand, str(thread))
    await lead(database, tenant, thread)
    with pytest.raises(ThreadBusy):
        await put(by_hand, str(thread))


async def test_what_a_run_wrote_is_undone_and_what_was_before_stays(database: Database, tenant: TenantId):
    thread = ThreadId(new_id())
    before = TenantSaver(database, tenant)
    config = await put(before, str(thread), values={"messages": ["before"]})
    fence = await lead(database, tenant, thread)
    during = TenantSaver(database, tenant, guard=fence)
    await during.aput_writes(config, [("messages", "resumed")], str(uuid4()))
    await put(during, str(thread), parent=config, values={"messages": ["during"]})
    await before.adelete_for_runs([str(fence.run)])
    (only,) = await listed(before, str(thread))
    assert only.checkpoint["channel_values"] == {"messages": ["before"]}
    assert only.pending_writes == []
    assert await count_blobs(database, tenant, thread) == 1


async def count_blobs(database: Database, tenant: TenantId, thread: object) -> int:
    async with database.tenant(tenant) as transaction:
        row = await transaction.one(
            "select count(*) as n from checkpoint_blobs where thread_id = %(thread)s", thread=str(thread)
        )
    return row["n"]


async def test_pruning_keeps_the_latest_and_the_ends_of_branches(database: Database, tenant: TenantId):
    saver, thread = TenantSaver(database, tenant), str(uuid4())
    chain = [await put(saver, thread, values={"messages": [0]})]
    for n in range(1, 6):
        chain.append(await put(saver, thread, parent=chain[-1], values={"messages": [n]}))
    branch = await put(saver, thread, parent=chain[1], values={"messages": ["branch"]})
    more = [await put(saver, thread, parent=chain[-1], values={"messages": ["later"]})]
    for _ in range(2):
        more.append(await put(saver, thread, parent=more[-1], values={"messages": ["later"]}))
    assert await prune_thread(database, tenant, thread, history=2) == 10 - 3
    left = {checkpoint_of(each.config): each for each in await listed(saver, thread)}
    assert set(left) == {checkpoint_of(each) for each in (branch, more[-1], more[-2])}
    assert all(each.checkpoint["channel_values"]["messages"] for each in left.values())
    assert await count_blobs(database, tenant, thread) == 3


async def test_pruning_keeps_what_subgraphs_stored_for_a_kept_checkpoint(database: Database, tenant: TenantId):
    saver, thread = TenantSaver(database, tenant), str(uuid4())
    first = await put(saver, thread)
    await put(saver, thread, namespace="child:1", parents={"": checkpoint_of(first)})
    second = await put(saver, thread, parent=first)
    for _ in range(3):
        await put(saver, thread, namespace="child:2", parents={"": checkpoint_of(second)})
    await prune_thread(database, tenant, thread, history=1)
    spaces = [each.config.get("configurable", {})["checkpoint_ns"] for each in await listed(saver, thread)]
    assert sorted(spaces) == ["", "child:2", "child:2", "child:2"]


async def test_a_thread_that_is_rebuilt_from_its_writes_stays_whole(database: Database, tenant: TenantId):
    saver, thread = TenantSaver(database, tenant), str(uuid4())
    first = await put(saver, thread, counters_since_delta_snapshot={"messages": [1, 1]})
    await put(saver, thread, parent=first)
    assert await prune_thread(database, tenant, thread, history=1) == 0
    assert len(await listed(saver, thread)) == 2
