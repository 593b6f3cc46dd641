"""SQL of runs that the server needs beside the runtime's: what follows in a thread, and what to stop or forget."""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def find_next(transaction: TenantTransaction, thread: UUID, *, after: int) -> Row | None:
    """The id and ordinal of the first run of a thread after the `after`th."""
    return await transaction.first(
        "select id, ordinal, finished_at from agent_run"
        " where tenant_id = %(tenant)s and thread_id = %(thread)s and ordinal > %(after)s order by ordinal limit 1",
        tenant=transaction.tenant,
        thread=thread,
        after=after,
    )


async def find_last_ordinal(transaction: TenantTransaction, thread: UUID) -> int:
    """How many runs were submitted to the thread; 0 for one that is not there."""
    row = await transaction.first(
        "select last_ordinal from agent_thread where tenant_id = %(tenant)s and id = %(thread)s",
        tenant=transaction.tenant,
        thread=thread,
    )
    return row["last_ordinal"] if row else 0


async def list_unfinished(
    transaction: TenantTransaction, *, thread: UUID | None, status: str, hands: Sequence[str] | None, limit: int
) -> list[UUID]:
    """Unfinished runs of threads of these hands or of one thread, newest first; `status` may be all."""
    rows = await transaction.all(
        "select id from agent_run r where tenant_id = %(tenant)s"
        " and (%(hands)s::text[] is null or exists (select from agent_thread t where t.tenant_id = r.tenant_id"
        " and t.id = r.thread_id and (t.owner is null or t.owner = any(%(hands)s::text[]))))"
        " and (%(thread)s::uuid is null or thread_id = %(thread)s)"
        " and status in ('pending', 'running') and (%(status)s = 'all' or status = %(status)s)"
        " order by id desc limit %(limit)s",
        tenant=transaction.tenant,
        thread=thread,
        status=status,
        hands=None if hands is None else list(hands),
        limit=limit,
    )
    return [row["id"] for row in rows]


async def delete_finished(transaction: TenantTransaction, runs: Sequence[UUID]) -> int:
    """Forget finished runs; how many there were."""
    return await transaction.run(
        "delete from agent_run where tenant_id = %(tenant)s and id = any(%(runs)s::uuid[])"
        " and status not in ('pending', 'running')",
        tenant=transaction.tenant,
        runs=list(runs),
    )
