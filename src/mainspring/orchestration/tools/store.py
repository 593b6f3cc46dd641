"""SQL of tool calls, of what was read in a scope, of policies and of secrets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_INSERT_CALL = """
    insert into tool_call (tenant_id, id, scope, call_id, tool, arguments_digest, status, leased_until,
                           principal, run_id, step, agent)
    values (%(tenant)s, %(id)s, %(scope)s, %(call_id)s, %(tool)s, %(arguments_digest)s, 'running',
            now() + %(lease)s, %(principal)s, %(run)s, %(step)s, %(agent)s)
    on conflict (tenant_id, scope, call_id) do nothing
    returning *"""

# A fence goes up with each holder: who lost the call can neither renew nor finish it.
_TAKE_OVER = """
    update tool_call set fence = fence + 1, leased_until = now() + %(lease)s
     where tenant_id = %(tenant)s and id = %(id)s and status = 'running' and leased_until < now()
    returning *"""

_START_AWAITED = """
    update tool_call set status = 'running', fence = fence + 1, leased_until = now() + %(lease)s
     where tenant_id = %(tenant)s and id = %(id)s and status = 'awaiting'
    returning *"""

_FINISH = """
    update tool_call set status = 'done', leased_until = null, result_status = %(result_status)s,
                         error_code = %(error_code)s, is_untrusted = %(is_untrusted)s, result = %(result)s,
                         record_id = %(record)s, finished_at = now()
     where tenant_id = %(tenant)s and id = %(id)s and status = 'running' and fence = %(fence)s"""

_LIST_CALLS = """
    select id, scope, call_id, tool, status, fence, approval_id, result_status, error_code, is_untrusted, record_id,
           principal, run_id, step, agent, created_at, finished_at
      from tool_call
     where tenant_id = %(tenant)s
       and (%(run)s::uuid is null or run_id = %(run)s)
       and (%(scope)s::text is null or scope = %(scope)s)
       and (%(before)s::uuid is null or id < %(before)s)
     order by id desc limit %(limit)s"""

_STATS = """
    select tool, count(*) as calls, count(*) filter (where result_status = 'failed') as failed,
           count(*) filter (where result_status = 'empty') as empty,
           count(*) filter (where status = 'awaiting') as awaiting, max(created_at) as last_at
      from tool_call
     where tenant_id = %(tenant)s and created_at > now() - interval '7 days'
     group by tool"""


async def insert_call(transaction: TenantTransaction, call: dict[str, Any], *, lease: timedelta) -> Row | None:
    """The row of a new running call, with fence 1; None when there is one with its scope and call id."""
    return await transaction.first(_INSERT_CALL, tenant=transaction.tenant, lease=lease, **call)


async def find_call(transaction: TenantTransaction, scope: str, call_id: str) -> Row | None:
    """The call with `is_abandoned`: running, and its lease is over."""
    return await transaction.first(
        """
        select *, status = 'running' and leased_until < now() as is_abandoned from tool_call
         where tenant_id = %(tenant)s and scope = %(scope)s and call_id = %(call_id)s""",
        tenant=transaction.tenant,
        scope=scope,
        call_id=call_id,
    )


async def take_over(transaction: TenantTransaction, call: UUID, *, lease: timedelta) -> Row | None:
    """The call with the next fence, if whoever held it let its lease run out."""
    return await transaction.first(_TAKE_OVER, tenant=transaction.tenant, id=call, lease=lease)


async def start_awaited(transaction: TenantTransaction, call: UUID, *, lease: timedelta) -> Row | None:
    """The call with the next fence, if it still waits for its approval."""
    return await transaction.first(_START_AWAITED, tenant=transaction.tenant, id=call, lease=lease)


async def renew(transaction: TenantTransaction, call: UUID, fence: int, *, lease: timedelta) -> bool:
    """Hold the call on; False when another holder has it."""
    return (
        await transaction.run(
            """
        update tool_call set leased_until = now() + %(lease)s
         where tenant_id = %(tenant)s and id = %(id)s and fence = %(fence)s and status = 'running'""",
            tenant=transaction.tenant,
            id=call,
            fence=fence,
            lease=lease,
        )
        == 1
    )


async def await_approval(
    transaction: TenantTransaction, call: UUID, fence: int, *, approval: UUID, digest: str
) -> bool:
    """Leave the call until it is called again; False when another holder has it."""
    return (
        await transaction.run(
            """
        update tool_call set status = 'awaiting', leased_until = null, approval_id = %(approval)s,
                             approval_digest = %(digest)s
         where tenant_id = %(tenant)s and id = %(id)s and fence = %(fence)s and status = 'running'""",
            tenant=transaction.tenant,
            id=call,
            fence=fence,
            approval=approval,
            digest=digest,
        )
        == 1
    )


async def finish(transaction: TenantTransaction, call: UUID, fence: int, **outcome: object) -> bool:
    """Store how the call ended; False when another holder has it."""
    return await transaction.run(_FINISH, tenant=transaction.tenant, id=call, fence=fence, **outcome) == 1


async def drop_call(transaction: TenantTransaction, call: UUID, fence: int) -> None:
    """Forget a call that was not begun."""
    await transaction.run(
        """
        delete from tool_call
         where tenant_id = %(tenant)s and id = %(id)s and fence = %(fence)s and status = 'running'""",
        tenant=transaction.tenant,
        id=call,
        fence=fence,
    )


async def list_calls(
    transaction: TenantTransaction, *, run: UUID | None, scope: str | None, before: UUID | None, limit: int
) -> list[Row]:
    """Calls of the tenant, newest first, older than `before`."""
    return await transaction.all(
        _LIST_CALLS, tenant=transaction.tenant, run=run, scope=scope, before=before, limit=limit
    )


async def count_calls(transaction: TenantTransaction) -> list[Row]:
    """Per tool, the calls of seven days by how they ended."""
    return await transaction.all(_STATS, tenant=transaction.tenant)


async def mark_untrusted(transaction: TenantTransaction, scope: str, source: str) -> None:
    """Note that untrusted content was read in the scope; the first source stays."""
    await transaction.run(
        """
        insert into tool_scope (tenant_id, scope, source) values (%(tenant)s, %(scope)s, %(source)s)
        on conflict do nothing""",
        tenant=transaction.tenant,
        scope=scope,
        source=source,
    )


async def find_mark(transaction: TenantTransaction, scope: str) -> Row | None:
    """`source` and `untrusted_since`, if untrusted content was read in the scope."""
    return await transaction.first(
        "select source, untrusted_since from tool_scope where tenant_id = %(tenant)s and scope = %(scope)s",
        tenant=transaction.tenant,
        scope=scope,
    )


async def forget_scope(transaction: TenantTransaction, scope: str) -> int:
    """Delete the calls of a scope and its mark; returns how many calls."""
    where = {"tenant": transaction.tenant, "scope": scope}
    await transaction.run("delete from tool_scope where tenant_id = %(tenant)s and scope = %(scope)s", **where)
    return await transaction.run("delete from tool_call where tenant_id = %(tenant)s and scope = %(scope)s", **where)


async def purge_calls(transaction: SystemTransaction, *, before: datetime, limit: int) -> int:
    """Delete up to `limit` calls of any tenant that were done before an instant."""
    return await transaction.run(
        """
        delete from tool_call where (tenant_id, id) in
          (select tenant_id, id from tool_call where finished_at < %(before)s limit %(limit)s)""",
        before=before,
        limit=limit,
    )


async def find_policy(transaction: TenantTransaction, tool: str) -> Row | None:
    """`document` of the tenant's policy for a tool."""
    return await transaction.first(
        "select document from tool_policy where tenant_id = %(tenant)s and tool = %(tool)s",
        tenant=transaction.tenant,
        tool=tool,
    )


async def list_policies(transaction: TenantTransaction) -> list[Row]:
    """`tool` and `document` of every policy of the tenant."""
    return await transaction.all(
        "select tool, document from tool_policy where tenant_id = %(tenant)s", tenant=transaction.tenant
    )


async def upsert_policy(transaction: TenantTransaction, tool: str, *, document: dict[str, Any], by: str) -> None:
    """Store a policy in the place of the one before."""
    await transaction.run(
        """
        insert into tool_policy (tenant_id, tool, document, updated_by)
        values (%(tenant)s, %(tool)s, %(document)s, %(by)s)
        on conflict (tenant_id, tool) do update
           set document = excluded.document, updated_by = excluded.updated_by, updated_at = now()""",
        tenant=transaction.tenant,
        tool=tool,
        document=Jsonb(document),
        by=by,
    )


async def find_secrets(transaction: TenantTransaction, names: Sequence[str]) -> dict[str, bytes]:
    """Sealed values by name."""
    rows = await transaction.all(
        "select name, sealed from tool_secret where tenant_id = %(tenant)s and name = any(%(names)s)",
        tenant=transaction.tenant,
        names=list(names),
    )
    return {row["name"]: bytes(row["sealed"]) for row in rows}


async def list_secrets(transaction: TenantTransaction) -> list[Row]:
    """Every secret without its value, by name."""
    return await transaction.all(
        "select name, created_at, created_by from tool_secret where tenant_id = %(tenant)s order by name",
        tenant=transaction.tenant,
    )


async def upsert_secret(transaction: TenantTransaction, name: str, *, sealed: bytes, by: str) -> Row:
    """Store a secret in the place of the one before."""
    return await transaction.one(
        """
        insert into tool_secret (tenant_id, name, sealed, created_by) values (%(tenant)s, %(name)s, %(sealed)s, %(by)s)
        on conflict (tenant_id, name) do update
           set sealed = excluded.sealed, created_by = excluded.created_by, created_at = now()
        returning name, created_at, created_by""",
        tenant=transaction.tenant,
        name=name,
        sealed=sealed,
        by=by,
    )


async def delete_secret(transaction: TenantTransaction, name: str) -> bool:
    """Whether there was such a secret."""
    return (
        await transaction.run(
            "delete from tool_secret where tenant_id = %(tenant)s and name = %(name)s",
            tenant=transaction.tenant,
            name=name,
        )
        == 1
    )
