"""The safety net of runs: whatever a crash left half done is found here, in whatever tenant.

Runs that wait in a free thread are led, pipeline runs of stopped runs are cancelled, runs whose pipeline run ended
without them are ended, and what is past its time is deleted. Several processes may sweep at once: each change is
made under the lock of its thread.
"""

from contextlib import suppress
from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.checkpoints import prune_thread
from mainspring.orchestration.agents.errors import ThreadBusy
from mainspring.orchestration.agents.types import AgentRunId, ThreadId
from mainspring.orchestration.pipelines import Pipelines
from mainspring.orchestration.pipelines.types import RunId, RunStatus

from . import store
from .ending import Ending
from .resuming import Resuming
from .threads import Threads

QUIET_SECONDS = 60.0
"""A led run is looked at when nothing was heard of it for so long."""

_MOST = 200


@dataclass(frozen=True, slots=True)
class Sweeping:
    """What a sweep works with."""

    database: Database
    pipelines: Pipelines
    resuming: Resuming
    ending: Ending
    threads: Threads


async def sweep_agents(parts: Sweeping, *, quiet: float = QUIET_SECONDS) -> int:
    """Sweep once; how many things were put right. Call it every few seconds."""
    database, resuming, runs = parts.database, parts.resuming, parts.resuming.runs
    async with database.system() as transaction:
        due = await store.threads_due(transaction, _MOST)
        stopping = await store.runs_stopping(transaction, _MOST)
        silent = await store.runs_quiet(transaction, quiet, _MOST)
        waits = await store.fresh_waits(transaction, _MOST)
    count = 0
    for row in waits:
        count += await resuming.look(TenantId(row["tenant_id"]), [row["approval_id"]])
    for row in due:
        count += await runs.drain_thread(TenantId(row["tenant_id"]), ThreadId(row["thread_id"]))
    for row in stopping:
        await runs.finish_stopping(TenantId(row["tenant_id"]), AgentRunId(row["id"]), RunId(row["pipeline_run"]))
        count += 1
    for row in silent:
        tenant = TenantId(row["tenant_id"])
        led = await parts.pipelines.find_run(tenant, RunId(row["pipeline_run"]))
        status = RunStatus.FAILED if led is None else led.status
        if status.is_final:
            failure = led.error if led else None
            count += await parts.ending.end_lost(tenant, RunId(row["pipeline_run"]), status, failure)
        else:
            async with database.tenant(tenant) as transaction:
                await store.touch(transaction, row["id"])
    return count + await _expire(database, parts.threads)


async def _expire(database: Database, threads: Threads) -> int:
    async with database.system() as transaction:
        count = await store.delete_expired_items(transaction)
        rows = await store.threads_expired(transaction, None, _MOST)
    for row in rows:
        tenant, thread = TenantId(row["tenant_id"]), ThreadId(row["id"])
        if row["ttl_strategy"] == "keep_latest" and not row["is_stateless"]:
            await prune_thread(database, tenant, str(thread), history=1)
            async with database.tenant(tenant) as transaction:
                await store.forget_expiry(transaction, thread)
        else:
            with suppress(ThreadBusy):  # used again meanwhile
                await threads.delete(tenant, thread)
    return count + len(rows)
