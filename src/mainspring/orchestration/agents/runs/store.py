"""The SQL of threads and their runs. Who changes a thread's runs holds the lock of the thread's row."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_SELECT: LiteralString = """
    select r.id, r.tenant_id, r.thread_id, r.ordinal, r.assistant_id, r.graph, r.status, r.multitask, r.input,
           r.command, r.checkpoint, r.config, r.context, r.metadata, r.kwargs, r.caller, r.stream_modes,
           r.stream_subgraphs, r.interrupt_before, r.interrupt_after, r.durability, r.on_completion, r.webhook,
           r.due_at, r.key, r.pipeline_run, r.attempt, r.cancel_reason, r.error_code, r.error_detail, r.created_at,
           r.updated_at, r.started_at, r.finished_at, (
               select t.is_stateless from agent_thread t
                where t.tenant_id = r.tenant_id and t.id = r.thread_id) as is_stateless
      from agent_run r
     where r.tenant_id = %(tenant)s """


async def insert_thread(
    transaction: TenantTransaction,
    thread: UUID,
    *,
    is_stateless: bool,
    created_by: str | None,
    owner: str | None,
    graph: str,
) -> None:
    """A thread, unless there is one of that id."""
    await transaction.run(
        """
        insert into agent_thread (tenant_id, id, graph, is_stateless, created_by, owner)
        values (%(tenant)s, %(thread)s, %(graph)s, %(is_stateless)s, %(created_by)s, %(owner)s)
            on conflict do nothing""",
        tenant=transaction.tenant,
        thread=thread,
        graph=graph,
        is_stateless=is_stateless,
        created_by=created_by,
        owner=owner,
    )


async def lock_thread(transaction: TenantTransaction, thread: UUID) -> Row | None:
    """The thread's row, kept from others until the transaction ends. Primary key."""
    return await transaction.first(
        """
        select id, config, metadata, graph, is_stateless, status, ttl_minutes from agent_thread
         where tenant_id = %(tenant)s and id = %(thread)s for update""",
        tenant=transaction.tenant,
        thread=thread,
    )


async def unfinished(transaction: TenantTransaction, thread: UUID) -> list[Row]:
    """The thread's unfinished runs in order."""
    return await transaction.all(
        """
        select id, pipeline_run, status from agent_run
         where tenant_id = %(tenant)s and thread_id = %(thread)s and status in ('pending', 'running')
         order by ordinal""",
        tenant=transaction.tenant,
        thread=thread,
    )


async def insert_run(transaction: TenantTransaction, row: Mapping[str, object]) -> UUID | None:
    """A pending run at the end of its thread; None when its key was used before."""
    found = await transaction.first(
        """
        with numbered as (
            update agent_thread set last_ordinal = last_ordinal + 1, graph = %(graph)s, status = 'busy',
                                    updated_at = now(),
                                    metadata = metadata || jsonb_build_object('graph_id', %(graph)s::text,
                                                                              'assistant_id', %(assistant)s::text)
             where tenant_id = %(tenant)s and id = %(thread)s
            returning last_ordinal)
        insert into agent_run (tenant_id, id, thread_id, ordinal, assistant_id, graph, multitask, input, command,
                               checkpoint, config, context, metadata, kwargs, caller, stream_modes, stream_subgraphs,
                               interrupt_before, interrupt_after, durability, on_completion, webhook, due_at, key)
        select %(tenant)s, %(id)s, %(thread)s, last_ordinal, %(assistant)s, %(graph)s, %(multitask)s,
               %(input)s::text::jsonb, %(command)s::text::jsonb, %(checkpoint)s::text::jsonb,
               %(config)s::text::jsonb, %(context)s::text::jsonb, %(metadata)s::text::jsonb, %(kwargs)s::text::jsonb,
               %(caller)s::text::jsonb, %(stream_modes)s, %(stream_subgraphs)s, %(interrupt_before)s,
               %(interrupt_after)s, %(durability)s, %(on_completion)s, %(webhook)s,
               case when %(delay)s::float8 > 0 then mainspring_now() + %(delay)s::float8 * interval '1 second' end,
               %(key)s
          from numbered
            on conflict (tenant_id, key) do nothing
        returning id""",
        tenant=transaction.tenant,
        **row,
    )
    return found["id"] if found else None


async def find_run(transaction: TenantTransaction, run: UUID) -> Row | None:
    """A run. Primary key."""
    return await transaction.first(_SELECT + "and r.id = %(run)s", tenant=transaction.tenant, run=run)


async def find_by_key(transaction: TenantTransaction, key: str) -> Row | None:
    """The run that was submitted under a key. Unique index."""
    return await transaction.first(_SELECT + "and r.key = %(key)s", tenant=transaction.tenant, key=key)


async def find_by_pipeline_run(transaction: TenantTransaction, pipeline_run: UUID) -> Row | None:
    """The unfinished run that a pipeline run leads."""
    return await transaction.first(
        _SELECT + "and r.pipeline_run = %(led)s and r.status in ('pending', 'running')",
        tenant=transaction.tenant,
        led=pipeline_run,
    )


async def list_runs(
    transaction: TenantTransaction, thread: UUID, *, status: str | None, limit: int, offset: int
) -> list[Row]:
    """A thread's runs, newest first."""
    return await transaction.all(
        _SELECT
        + """and r.thread_id = %(thread)s and (%(status)s::text is null or r.status = %(status)s)
             order by r.ordinal desc limit %(limit)s offset %(offset)s""",
        tenant=transaction.tenant,
        thread=thread,
        status=status,
        limit=limit,
        offset=offset,
    )


async def next_due(transaction: TenantTransaction, thread: UUID) -> Row | None:
    """The first run of a thread that waits, if its time has come and no run leads the thread."""
    return await transaction.first(
        """
        select id, graph, caller from agent_run
         where tenant_id = %(tenant)s and thread_id = %(thread)s and status = 'pending' and pipeline_run is null
           and (due_at is null or due_at <= mainspring_now())
           and not exists (select from agent_run led
                            where led.tenant_id = %(tenant)s and led.thread_id = %(thread)s
                              and led.status in ('pending', 'running') and led.pipeline_run is not null)
         order by ordinal limit 1""",
        tenant=transaction.tenant,
        thread=thread,
    )


async def lead(transaction: TenantTransaction, run: UUID, pipeline_run: UUID) -> None:
    """From now on the pipeline run leads the run."""
    await transaction.run(
        """
        update agent_run set pipeline_run = %(led)s, updated_at = now()
         where tenant_id = %(tenant)s and id = %(run)s""",
        tenant=transaction.tenant,
        run=run,
        led=pipeline_run,
    )


async def begin(transaction: TenantTransaction, run: UUID, pipeline_run: UUID, attempt: int) -> Row | None:
    """Make this attempt the one that leads; None when a later one does, or the run is over.

    A failed run goes on where an operator retries its pipeline run: that is another, later one.
    """
    return await transaction.first(
        """
        update agent_run set status = 'running', pipeline_run = %(led)s, attempt = %(attempt)s, finished_at = null,
                             error_code = null, error_detail = null, updated_at = now(),
                             started_at = case when status in ('error', 'timeout') then mainspring_now()
                                               else coalesce(started_at, mainspring_now()) end
         where tenant_id = %(tenant)s and id = %(run)s
           and (status in ('pending', 'running') or (status in ('error', 'timeout') and pipeline_run < %(led)s))
           and (pipeline_run is null or (pipeline_run, attempt) <= (%(led)s, %(attempt)s))
        returning mainspring_now() - started_at as elapsed""",
        tenant=transaction.tenant,
        run=run,
        led=pipeline_run,
        attempt=attempt,
    )


async def finish(  # noqa: PLR0913 - what a run ends with
    transaction: TenantTransaction,
    run: UUID,
    *,
    status: str,
    code: str | None = None,
    detail: str | None = None,
    reason: str | None = None,
    stops: bool = False,
) -> bool:
    """End a run; False when it had ended. `stops` marks that its pipeline run is still to be cancelled."""
    return (
        await transaction.run(
            """
            update agent_run set status = %(status)s, error_code = %(code)s, error_detail = %(detail)s,
                                 cancel_reason = %(reason)s, is_stopping = %(stops)s and pipeline_run is not null,
                                 is_open = %(stops)s and status = 'running',
                                 finished_at = mainspring_now(), updated_at = now()
             where tenant_id = %(tenant)s and id = %(run)s and status in ('pending', 'running')""",
            tenant=transaction.tenant,
            run=run,
            status=status,
            code=code,
            detail=detail,
            reason=reason,
            stops=stops,
        )
        > 0
    )


async def has_open(transaction: TenantTransaction, thread: UUID) -> bool:
    """Whether an interrupted run of the thread may still store what it reached. Partial index."""
    row = await transaction.first(
        "select 1 as open from agent_run where tenant_id = %(tenant)s and thread_id = %(thread)s and is_open limit 1",
        tenant=transaction.tenant,
        thread=thread,
    )
    return row is not None


async def close_open(transaction: TenantTransaction, thread: UUID, run: UUID | None = None) -> bool:
    """Let the interrupted runs of a thread, or one of them, store nothing more; whether there was one."""
    return (
        await transaction.run(
            """
            update agent_run set is_open = false
             where tenant_id = %(tenant)s and thread_id = %(thread)s and is_open
               and (%(run)s::uuid is null or id = %(run)s)""",
            tenant=transaction.tenant,
            thread=thread,
            run=run,
        )
        > 0
    )


async def stopped(transaction: TenantTransaction, run: UUID) -> None:
    """The pipeline run of a stopped run is cancelled."""
    await transaction.run(
        "update agent_run set is_stopping = false where tenant_id = %(tenant)s and id = %(run)s",
        tenant=transaction.tenant,
        run=run,
    )


async def delete_run(transaction: TenantTransaction, run: UUID) -> None:
    """Forget a run that was rolled back."""
    await transaction.run(
        "delete from agent_run where tenant_id = %(tenant)s and id = %(run)s",
        tenant=transaction.tenant,
        run=run,
    )


async def settle_thread(
    transaction: TenantTransaction,
    thread: UUID,
    *,
    status: str | None,
    error: str | None = None,
    expires_minutes: float | None = None,
) -> None:
    """What the thread is after a run: busy while another one waits. Its own time to live begins anew.

    status  None for what it was before the run: interrupted where interrupts wait
    """
    await transaction.run(
        """
        update agent_thread set error = %(error)s::text::jsonb, updated_at = now(),
               expires_at = coalesce(
                   mainspring_now() + coalesce(%(expires)s::real, ttl_minutes) * interval '1 minute', expires_at),
               status = case when exists (
                   select from agent_run r where r.tenant_id = %(tenant)s and r.thread_id = %(thread)s
                      and r.status in ('pending', 'running')) then 'busy'
                   else coalesce(%(status)s, case when interrupts = '{}' then 'idle' else 'interrupted' end) end
         where tenant_id = %(tenant)s and id = %(thread)s""",
        tenant=transaction.tenant,
        thread=thread,
        status=status,
        error=error,
        expires=expires_minutes,
    )


async def keep_state(transaction: TenantTransaction, thread: UUID, *, values: str, interrupts: str) -> None:
    """The state that the thread shows; both JSON."""
    await transaction.run(
        """
        update agent_thread set "values" = %(values)s::text::jsonb, interrupts = %(interrupts)s::text::jsonb,
                                state_updated_at = now()
         where tenant_id = %(tenant)s and id = %(thread)s""",
        tenant=transaction.tenant,
        thread=thread,
        values=values,
        interrupts=interrupts,
    )


async def await_approvals(
    transaction: TenantTransaction, thread: UUID, run: UUID, waits: list[tuple[UUID, str]]
) -> None:
    """What the thread waits for now; what it waited for before is forgotten."""
    await transaction.run(
        "delete from agent_awaited_approval where tenant_id = %(tenant)s and thread_id = %(thread)s",
        tenant=transaction.tenant,
        thread=thread,
    )
    await transaction.many(
        """
        insert into agent_awaited_approval (tenant_id, approval_id, thread_id, run_id, interrupt_id)
        values (%(tenant)s, %(approval)s, %(thread)s, %(run)s, %(interrupt)s) on conflict do nothing""",
        [
            {"tenant": transaction.tenant, "approval": each, "thread": thread, "run": run, "interrupt": interrupt}
            for each, interrupt in waits
        ],
    )


async def find_awaiting(transaction: TenantTransaction, approval: UUID) -> Row | None:
    """The thread that waits for an approval, and the run that asked."""
    return await transaction.first(
        """
        select w.thread_id, w.interrupt_id, r.assistant_id, r.caller, r.config, r.context, r.stream_modes,
               r.stream_subgraphs, r.durability, r.metadata, r.webhook
          from agent_awaited_approval w
          join agent_run r on r.tenant_id = w.tenant_id and r.id = w.run_id
         where w.tenant_id = %(tenant)s and w.approval_id = %(approval)s""",
        tenant=transaction.tenant,
        approval=approval,
    )


async def fresh_waits(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Approvals that threads began to wait for a while ago: one may have been decided before anybody waited."""
    return await transaction.all(
        """
        select tenant_id, approval_id from agent_awaited_approval
         where created_at between now() - interval '10 minutes' and now() - interval '10 seconds'
         order by created_at limit %(limit)s""",
        limit=limit,
    )


async def threads_due(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Threads with a run that waits though its time has come and no run leads them. Partial index."""
    return await transaction.all(
        """
        select distinct tenant_id, thread_id from agent_run w
         where status = 'pending' and pipeline_run is null and (due_at is null or due_at <= mainspring_now())
           and not exists (select from agent_run led
                            where led.tenant_id = w.tenant_id and led.thread_id = w.thread_id
                              and led.status in ('pending', 'running') and led.pipeline_run is not null)
         limit %(limit)s""",
        limit=limit,
    )


async def runs_stopping(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Stopped runs whose pipeline run is still to be cancelled. Partial index."""
    return await transaction.all(
        "select tenant_id, id, pipeline_run from agent_run where is_stopping order by id limit %(limit)s", limit=limit
    )


async def runs_quiet(transaction: SystemTransaction, older: float, limit: int) -> list[Row]:
    """Led runs that nothing was heard of for so many seconds: their pipeline run may have ended without them."""
    return await transaction.all(
        """
        select tenant_id, id, pipeline_run from agent_run
         where status in ('pending', 'running') and pipeline_run is not null
           and updated_at < now() - %(older)s * interval '1 second'
         order by updated_at limit %(limit)s""",
        older=older,
        limit=limit,
    )


async def touch(transaction: TenantTransaction, run: UUID) -> None:
    """The run was looked at."""
    await transaction.run(
        "update agent_run set updated_at = now() where tenant_id = %(tenant)s and id = %(run)s",
        tenant=transaction.tenant,
        run=run,
    )


async def threads_expired(transaction: SystemTransaction, at: datetime | None, limit: int) -> list[Row]:
    """Threads past their time that no run needs. Partial index."""
    return await transaction.all(
        """
        select tenant_id, id, ttl_strategy, is_stateless from agent_thread t
         where expires_at < coalesce(%(at)s, mainspring_now())
           and not exists (select from agent_run r where r.tenant_id = t.tenant_id and r.thread_id = t.id
                              and r.status in ('pending', 'running'))
         order by expires_at limit %(limit)s""",
        at=at,
        limit=limit,
    )


async def delete_thread(transaction: TenantTransaction, thread: UUID) -> None:
    """A thread with its runs; its checkpoints are deleted beside it."""
    await transaction.run(
        "delete from agent_thread where tenant_id = %(tenant)s and id = %(thread)s",
        tenant=transaction.tenant,
        thread=thread,
    )


async def forget_expiry(transaction: TenantTransaction, thread: UUID) -> None:
    """The thread was reduced; it is left alone until it is used again."""
    await transaction.run(
        "update agent_thread set expires_at = null where tenant_id = %(tenant)s and id = %(thread)s",
        tenant=transaction.tenant,
        thread=thread,
    )


async def delete_expired_items(transaction: SystemTransaction) -> int:
    """Remembered items past their time. Partial index."""
    return await transaction.run("delete from agent_store_item where expires_at < now()")
