"""The SQL of checkpoints. Small values are in a checkpoint's row; each other one is a blob, by channel and version.

Every statement names the tenant beside row-level security, so that the primary keys serve it.
"""

from collections.abc import Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction

_SELECT: LiteralString = """
    select c.thread_id, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, c.checkpoint, c.metadata,
           b.channels, b.kinds, b.blobs, w.task_ids, w.written, w.write_kinds, w.write_blobs
      from checkpoints c
      left join lateral (
           select array_agg(bl.channel) as channels, array_agg(bl.type) as kinds, array_agg(bl.blob) as blobs
             from jsonb_each_text(c.checkpoint -> 'channel_versions') as version
             join checkpoint_blobs bl
               on bl.tenant_id = c.tenant_id and bl.thread_id = c.thread_id and bl.checkpoint_ns = c.checkpoint_ns
              and bl.channel = version.key and bl.version = version.value) b on true
      left join lateral (
           select array_agg(cw.task_id order by cw.task_path collate "C", cw.task_id collate "C", cw.idx) as task_ids,
                  array_agg(cw.channel order by cw.task_path collate "C", cw.task_id collate "C", cw.idx) as written,
                  array_agg(cw.type order by cw.task_path collate "C", cw.task_id collate "C", cw.idx) as write_kinds,
                  array_agg(cw.blob order by cw.task_path collate "C", cw.task_id collate "C", cw.idx) as write_blobs
             from checkpoint_writes cw
            where cw.tenant_id = c.tenant_id and cw.thread_id = c.thread_id
              and cw.checkpoint_ns = c.checkpoint_ns and cw.checkpoint_id = c.checkpoint_id) w on true
     where c.tenant_id = %(tenant)s
       and (%(thread)s::text is null or c.thread_id = %(thread)s)
       and (%(namespace)s::text is null or c.checkpoint_ns = %(namespace)s)
       and (%(checkpoint)s::text is null or c.checkpoint_id = %(checkpoint)s)
       and (%(before)s::text is null or c.checkpoint_id < %(before)s)
       and (%(metadata)s::text is null or c.metadata @> %(metadata)s::text::jsonb)
     order by c.checkpoint_id desc
     limit %(limit)s"""


async def leads(transaction: TenantTransaction, run: UUID, pipeline_run: UUID, attempt: int) -> bool:
    """Whether the attempt leads the run; the row stays as it is until the transaction ends. Primary key; 1 row."""
    row = await transaction.first(
        """
        select 1 as leads from agent_run
         where tenant_id = %(tenant)s and id = %(run)s and (status = 'running' or is_open)
           and pipeline_run = %(pipeline_run)s and attempt = %(attempt)s
           for share""",
        tenant=transaction.tenant,
        run=run,
        pipeline_run=pipeline_run,
        attempt=attempt,
    )
    return row is not None


async def lock_busy(transaction: TenantTransaction, thread: UUID) -> bool:
    """Lock the thread against new runs, and say whether one leads it."""
    await transaction.run(
        "select from agent_thread where tenant_id = %(tenant)s and id = %(thread)s for update",
        tenant=transaction.tenant,
        thread=thread,
    )
    row = await transaction.first(
        """
        select 1 as busy from agent_run
         where tenant_id = %(tenant)s and thread_id = %(thread)s and status in ('pending', 'running')
           and pipeline_run is not null
         limit 1""",
        tenant=transaction.tenant,
        thread=thread,
    )
    return row is not None


async def select_checkpoints(  # noqa: PLR0913 - the filters of LangGraph's `list`
    transaction: TenantTransaction,
    *,
    thread: str | None,
    namespace: str | None,
    checkpoint: str | None = None,
    before: str | None = None,
    metadata: str | None = None,
    limit: int | None = None,
) -> list[Row]:
    """Checkpoints with their values and pending writes, newest first; each filter that is None is left out."""
    return await transaction.planned(
        _SELECT,
        tenant=transaction.tenant,
        thread=thread,
        namespace=namespace,
        checkpoint=checkpoint,
        before=before,
        metadata=metadata,
        limit=limit,
    )


async def insert_blobs(transaction: TenantTransaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Store values; a version of a channel is written once."""
    await transaction.many(
        """
        insert into checkpoint_blobs (tenant_id, thread_id, checkpoint_ns, channel, version, type, blob)
        values (%(tenant)s, %(thread)s, %(namespace)s, %(channel)s, %(version)s, %(kind)s, %(blob)s)
        on conflict (tenant_id, thread_id, checkpoint_ns, channel, version) do nothing""",
        rows,
    )


async def upsert_checkpoint(transaction: TenantTransaction, row: Mapping[str, object]) -> None:
    """Store a checkpoint; the same id again replaces it."""
    await transaction.run(
        """
        insert into checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id,
                                 checkpoint, metadata, run_id, attempt)
        values (%(tenant)s, %(thread)s, %(namespace)s, %(checkpoint)s, %(parent)s,
                %(value)s, %(metadata)s, %(run)s, %(attempt)s)
        on conflict (tenant_id, thread_id, checkpoint_ns, checkpoint_id)
           do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata""",
        **row,
    )


_WRITE: LiteralString = """
    insert into checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx,
                                   channel, type, blob, run_id, attempt)
    values (%(tenant)s, %(thread)s, %(namespace)s, %(checkpoint)s, %(task)s, %(path)s, %(index)s,
            %(channel)s, %(kind)s, %(blob)s, %(run)s, %(attempt)s)
    on conflict (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """


async def put_writes(transaction: TenantTransaction, rows: Sequence[Mapping[str, object]], *, replaces: bool) -> None:
    """Store what tasks wrote; `replaces` says whether the same place is overwritten or stays as it is."""
    if replaces:
        await transaction.many(
            _WRITE + "do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob", rows
        )
    else:
        await transaction.many(_WRITE + "do nothing", rows)


async def delete_threads(transaction: TenantTransaction, threads: Sequence[str]) -> None:
    """Everything of the threads."""
    await transaction.run(
        "delete from checkpoints where tenant_id = %(tenant)s and thread_id = any(%(threads)s)",
        tenant=transaction.tenant,
        threads=list(threads),
    )
    await transaction.run(
        "delete from checkpoint_writes where tenant_id = %(tenant)s and thread_id = any(%(threads)s)",
        tenant=transaction.tenant,
        threads=list(threads),
    )
    await transaction.run(
        "delete from checkpoint_blobs where tenant_id = %(tenant)s and thread_id = any(%(threads)s)",
        tenant=transaction.tenant,
        threads=list(threads),
    )


async def delete_runs(transaction: TenantTransaction, runs: Sequence[str]) -> list[str]:
    """What the runs wrote: their checkpoints with all writes on them, and their writes on earlier ones.

    Answers the threads concerned, whose values may be used by no checkpoint now.
    """
    rows = await transaction.all(
        """
        with gone as (
            delete from checkpoints where tenant_id = %(tenant)s and run_id = any(%(runs)s)
            returning thread_id, checkpoint_ns, checkpoint_id),
        written as (
            delete from checkpoint_writes w using gone
             where w.tenant_id = %(tenant)s and w.thread_id = gone.thread_id
               and w.checkpoint_ns = gone.checkpoint_ns and w.checkpoint_id = gone.checkpoint_id)
        select distinct thread_id from gone""",
        tenant=transaction.tenant,
        runs=list(runs),
    )
    await transaction.run(
        "delete from checkpoint_writes where tenant_id = %(tenant)s and run_id = any(%(runs)s)",
        tenant=transaction.tenant,
        runs=list(runs),
    )
    return [row["thread_id"] for row in rows]


async def delete_unused_blobs(transaction: TenantTransaction, thread: str) -> int:
    """Values of the thread that no checkpoint refers to."""
    return await transaction.run(
        """
        with used as (
            select c.checkpoint_ns, version.key as channel, version.value as version
              from checkpoints c cross join lateral jsonb_each_text(c.checkpoint -> 'channel_versions') as version
             where c.tenant_id = %(tenant)s and c.thread_id = %(thread)s)
        delete from checkpoint_blobs b
         where b.tenant_id = %(tenant)s and b.thread_id = %(thread)s
           and not exists (select from used where used.checkpoint_ns = b.checkpoint_ns
                              and used.channel = b.channel and used.version = b.version)""",
        tenant=transaction.tenant,
        thread=thread,
    )


async def copy_thread(transaction: TenantTransaction, source: str, target: str) -> None:
    """All checkpoints with values and writes, under another thread's name. They belong to no run there."""
    await transaction.run(
        """
        insert into checkpoint_blobs (tenant_id, thread_id, checkpoint_ns, channel, version, type, blob)
        select tenant_id, %(target)s, checkpoint_ns, channel, version, type, blob
          from checkpoint_blobs where tenant_id = %(tenant)s and thread_id = %(source)s
            on conflict do nothing""",
        tenant=transaction.tenant,
        source=source,
        target=target,
    )
    await transaction.run(
        """
        insert into checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel,
                                       type, blob, task_path)
        select tenant_id, %(target)s, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path
          from checkpoint_writes where tenant_id = %(tenant)s and thread_id = %(source)s
            on conflict do nothing""",
        tenant=transaction.tenant,
        source=source,
        target=target,
    )
    await transaction.run(
        """
        insert into checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,
                                 checkpoint, metadata)
        select tenant_id, %(target)s, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
          from checkpoints where tenant_id = %(tenant)s and thread_id = %(source)s
            on conflict do nothing""",
        tenant=transaction.tenant,
        source=source,
        target=target,
    )


async def outline(transaction: TenantTransaction, thread: str) -> list[Row]:
    """Every checkpoint of the thread without its values, newest first, for choosing what stays."""
    return await transaction.all(
        """
        select checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata -> 'parents' ->> '' as root,
               metadata ? 'counters_since_delta_snapshot' as is_delta
          from checkpoints
         where tenant_id = %(tenant)s and thread_id = %(thread)s
         order by checkpoint_id desc""",
        tenant=transaction.tenant,
        thread=thread,
    )


async def delete_checkpoints(
    transaction: TenantTransaction, thread: str, namespaces: Sequence[str], ids: Sequence[str]
) -> None:
    """These checkpoints (namespaces and ids go together) with their writes; children lose their parent."""
    gone = {"tenant": transaction.tenant, "thread": thread, "namespaces": list(namespaces), "ids": list(ids)}
    await transaction.planned(
        """
        with gone as (select * from unnest(%(namespaces)s::text[], %(ids)s::text[]) as gone (namespace, id)),
        written as (
            delete from checkpoint_writes w using gone
             where w.tenant_id = %(tenant)s and w.thread_id = %(thread)s
               and w.checkpoint_ns = gone.namespace and w.checkpoint_id = gone.id),
        orphaned as (
            update checkpoints c set parent_checkpoint_id = null from gone
             where c.tenant_id = %(tenant)s and c.thread_id = %(thread)s
               and c.checkpoint_ns = gone.namespace and c.parent_checkpoint_id = gone.id
               and c.checkpoint_id <> all(%(ids)s))
        delete from checkpoints c using gone
         where c.tenant_id = %(tenant)s and c.thread_id = %(thread)s
           and c.checkpoint_ns = gone.namespace and c.checkpoint_id = gone.id
        returning c.checkpoint_id""",
        **gone,
    )
