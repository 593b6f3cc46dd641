"""SQL of what a worker does: claim what is due, write down what came of it, and forget what is old.

A claim locks the endpoints first, and only those that no other worker is claiming for: so the bound on how many
deliveries to one endpoint are under way holds across workers. A slow endpoint fills its own places and no others.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_CLAIM = """
    with busy as (
      select tenant_id, endpoint_id, count(*) as places from delivery
       where token is not null and lease_until > now() group by tenant_id, endpoint_id
    ), waiting as (
      select tenant_id, endpoint_id, min(due_at) as since from delivery
       where state = 'pending' and due_at <= mainspring_now() and (lease_until is null or lease_until <= now())
       group by tenant_id, endpoint_id
    ), chosen as (
      select e.tenant_id, e.id, %(per_endpoint)s - coalesce(busy.places, 0) as room
        from waiting
        join delivery_endpoint e on e.tenant_id = waiting.tenant_id and e.id = waiting.endpoint_id
        left join busy on busy.tenant_id = e.tenant_id and busy.endpoint_id = e.id
       where e.state = 'on' and coalesce(busy.places, 0) < %(per_endpoint)s
         and (select coalesce(sum(b.places), 0) from busy b where b.tenant_id = e.tenant_id) < %(per_tenant)s
       order by coalesce(busy.places, 0), waiting.since
       limit %(room)s
         for update of e skip locked
    ), picked as (
      select d.tenant_id, d.id
        from chosen
        cross join lateral (
          select tenant_id, id from delivery
           where tenant_id = chosen.tenant_id and endpoint_id = chosen.id and state = 'pending'
             and due_at <= mainspring_now() and (lease_until is null or lease_until <= now())
           order by due_at limit chosen.room for update skip locked
        ) d
       limit %(room)s
    ), taken as (
      update delivery d set token = gen_random_uuid(), lease_until = now() + %(lease)s
        from picked where d.tenant_id = picked.tenant_id and d.id = picked.id
      returning d.tenant_id, d.id, d.endpoint_id, d.event_id, d.token, d.tries, d.url as direct_url
    )
    select taken.*, e.kind, coalesce(taken.direct_url, e.url) as url, e.address, e.format, v.topic, v.payload,
           v.occurred_at
      from taken
      join delivery_endpoint e on e.tenant_id = taken.tenant_id and e.id = taken.endpoint_id
      join delivery_event v on v.tenant_id = taken.tenant_id and v.id = taken.event_id"""

_SETTLE = """
    update delivery set attempts = attempts + 1, tries = tries + 1, token = null, lease_until = null,
           state = %(state)s, due_at = coalesce(mainspring_now() + %(pause)s::interval, due_at),
           finished_at = case when %(state)s in ('delivered', 'failed') then mainspring_now() end
     where tenant_id = %(tenant)s and id = %(id)s and token = %(token)s
    returning attempts"""

_FAILED = """
    update delivery_endpoint set failures = failures + 1, failing_since = coalesce(failing_since, mainspring_now()),
           last_failure = %(error)s, last_failure_at = mainspring_now()
     where tenant_id = %(tenant)s and id = %(endpoint)s
    returning url, state, failing_since <= mainspring_now() - %(given_up_after)s as is_hopeless"""


async def claim_due(
    transaction: SystemTransaction, *, room: int, per_endpoint: int, per_tenant: int, lease: timedelta
) -> list[Row]:
    """Take up to `room` due deliveries of all tenants, with all that is needed to send them but the secrets."""
    return await transaction.all(_CLAIM, room=room, per_endpoint=per_endpoint, per_tenant=per_tenant, lease=lease)


async def settle(
    transaction: TenantTransaction, delivery: UUID, token: UUID, *, state: str, pause: timedelta | None
) -> int | None:
    """Give a claimed delivery its new state; the attempt's number, None when the claim was lost meanwhile."""
    row = await transaction.first(
        _SETTLE, tenant=transaction.tenant, id=delivery, token=token, state=state, pause=pause
    )
    return row["attempts"] if row else None


async def insert_attempt(transaction: TenantTransaction, row: Mapping[str, object]) -> None:
    """Write an attempt down."""
    await transaction.run(
        "insert into delivery_attempt"
        " (tenant_id, delivery_id, number, endpoint_id, at, succeeded, status, error, response, milliseconds)"
        " values (%(tenant)s, %(delivery)s, %(number)s, %(endpoint)s, mainspring_now(), %(succeeded)s, %(status)s,"
        " %(error)s, %(response)s, %(milliseconds)s)",
        tenant=transaction.tenant,
        **row,
    )


async def record_success(transaction: TenantTransaction, endpoint: UUID) -> None:
    """The endpoint is well; written only when that is news, or not written for a minute."""
    await transaction.run(
        """
        update delivery_endpoint set failures = 0, failing_since = null, last_success_at = mainspring_now()
         where tenant_id = %(tenant)s and id = %(endpoint)s
           and (failures > 0 or last_success_at is null or last_success_at < mainspring_now() - interval '1 minute')""",
        tenant=transaction.tenant,
        endpoint=endpoint,
    )


async def record_failure(
    transaction: TenantTransaction, endpoint: UUID, error: str, *, given_up_after: timedelta
) -> Row | None:
    """The endpoint's url and state, and whether it `is_hopeless` by now; None when it is gone."""
    return await transaction.first(
        _FAILED, tenant=transaction.tenant, endpoint=endpoint, error=error, given_up_after=given_up_after
    )


async def delete_old(transaction: SystemTransaction, *, older_than: timedelta, limit: int) -> int:
    """Forget events that no delivery is still trying, with deliveries and attempts; how many, `limit` at most."""
    return await transaction.run(
        """
        delete from delivery_event where (tenant_id, id) in (
          select v.tenant_id, v.id from delivery_event v
           where v.occurred_at < mainspring_now() - %(age)s
             and not exists (
               select from delivery d
                where d.tenant_id = v.tenant_id and d.event_id = v.id
                  and (d.state = 'pending' or d.finished_at > mainspring_now() - %(age)s))
           limit %(limit)s)""",
        age=older_than,
        limit=limit,
    )


async def delete_old_refusals(transaction: SystemTransaction, *, older_than: timedelta) -> int:
    """Forget messages that were of no use long ago; how many."""
    return await transaction.run("delete from delivery_refusal where at < now() - %(age)s", age=older_than)
