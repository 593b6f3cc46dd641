"""SQL of endpoints and their deliveries, as a tenant sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, TenantTransaction

_ENDPOINTS = """
    select e.*, coalesce(day.attempts, 0) as day_attempts, coalesce(day.succeeded, 0) as day_succeeded
      from delivery_endpoint e
      left join lateral (
        select count(*) as attempts, count(*) filter (where a.succeeded) as succeeded
          from delivery_attempt a
         where a.tenant_id = e.tenant_id and a.endpoint_id = e.id and a.at > mainspring_now() - interval '24 hours'
      ) day on true
     where e.tenant_id = %(tenant)s and (%(id)s::uuid is null or e.id = %(id)s::uuid)
       and (%(kinds)s::text[] is null or e.kind = any(%(kinds)s::text[]))
     order by e.id"""

_DELIVERIES = """
    select d.*, v.topic from delivery d join delivery_event v on v.tenant_id = d.tenant_id and v.id = d.event_id
     where d.tenant_id = %(tenant)s and d.endpoint_id = %(endpoint)s
       and (%(id)s::uuid is null or d.id = %(id)s::uuid)
       and (%(state)s::text is null or d.state = %(state)s::text)
       and (%(before)s::uuid is null or d.id < %(before)s::uuid)
     order by d.id desc limit %(limit)s"""


async def list_endpoints(
    transaction: TenantTransaction, *, endpoint: UUID | None = None, kinds: Sequence[str] | None = None
) -> list[Row]:
    """The tenant's endpoints, or one of them, with the figures of their last 24 hours; at most some hundred."""
    return await transaction.all(
        _ENDPOINTS, tenant=transaction.tenant, id=endpoint, kinds=list(kinds) if kinds is not None else None
    )


async def count_endpoints(transaction: TenantTransaction, *, are_direct: bool = False) -> int:
    """How many the tenant has that ask for topics, or that do not; it may have few, so that counting is cheap."""
    row = await transaction.one(
        "select count(*) as found from delivery_endpoint"
        " where tenant_id = %(tenant)s and (topics = '{}') = %(are_direct)s",
        tenant=transaction.tenant,
        are_direct=are_direct,
    )
    return int(row["found"])


async def insert_endpoint(transaction: TenantTransaction, row: Mapping[str, object]) -> bool:
    """Store a new endpoint, unless its id is there; whether it was stored."""
    stored = await transaction.run(
        "insert into delivery_endpoint (tenant_id, id, kind, url, address, format, topics, description, created_by)"
        " values (%(tenant)s, %(id)s, %(kind)s, %(url)s, %(address)s, %(format)s, %(topics)s, %(description)s, %(by)s)"
        " on conflict do nothing",
        tenant=transaction.tenant,
        **row,
    )
    return stored == 1


async def update_endpoint(
    transaction: TenantTransaction,
    endpoint: UUID,
    *,
    url: str | None,
    topics: Sequence[str] | None,
    form: str | None,
    description: str | None,
) -> bool:
    """Set what is not None; whether there is such an endpoint."""
    changed = await transaction.run(
        """
        update delivery_endpoint set url = coalesce(%(url)s, url), topics = coalesce(%(topics)s, topics),
               format = coalesce(%(form)s, format), description = coalesce(%(description)s, description)
         where tenant_id = %(tenant)s and id = %(id)s""",
        tenant=transaction.tenant,
        id=endpoint,
        url=url,
        topics=list(topics) if topics is not None else None,
        form=form,
        description=description,
    )
    return changed == 1


async def set_state(transaction: TenantTransaction, endpoint: UUID, state: str, reason: str | None) -> bool:
    """Turn an endpoint on or off, and hold or release what is on its way; whether there is such an endpoint.

    Turned on, it begins anew: what was held is due now, and the days of failure are forgotten.
    """
    changed = await transaction.run(
        """
        update delivery_endpoint set state = %(state)s, state_reason = %(reason)s,
               failures = case when %(state)s = 'on' then 0 else failures end,
               failing_since = case when %(state)s = 'on' then null else failing_since end
         where tenant_id = %(tenant)s and id = %(id)s""",
        tenant=transaction.tenant,
        id=endpoint,
        state=state,
        reason=reason,
    )
    if changed and state == "on":
        await transaction.run(
            "update delivery set state = 'pending', due_at = mainspring_now(), tries = 0"
            " where tenant_id = %(tenant)s and endpoint_id = %(id)s and state = 'held'",
            tenant=transaction.tenant,
            id=endpoint,
        )
    elif changed:
        await transaction.run(
            "update delivery set state = 'held', token = null, lease_until = null"
            " where tenant_id = %(tenant)s and endpoint_id = %(id)s and state = 'pending'",
            tenant=transaction.tenant,
            id=endpoint,
        )
    return changed == 1


async def delete_endpoint(transaction: TenantTransaction, endpoint: UUID) -> bool:
    """Forget an endpoint with its secrets and deliveries; whether there was one."""
    deleted = await transaction.run(
        "delete from delivery_endpoint where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=endpoint,
    )
    return deleted == 1


async def insert_secret(transaction: TenantTransaction, endpoint: UUID, secret: UUID, sealed: bytes) -> None:
    """Store a secret that does not expire."""
    await transaction.run(
        "insert into delivery_secret (tenant_id, id, endpoint_id, sealed)"
        " values (%(tenant)s, %(id)s, %(endpoint)s, %(sealed)s)",
        tenant=transaction.tenant,
        id=secret,
        endpoint=endpoint,
        sealed=sealed,
    )


async def expire_secrets(transaction: TenantTransaction, endpoint: UUID, *, after: timedelta) -> None:
    """Let every present secret expire so much later at the latest; forget those that have expired."""
    await transaction.run(
        """
        delete from delivery_secret
         where tenant_id = %(tenant)s and endpoint_id = %(endpoint)s and expires_at <= mainspring_now()""",
        tenant=transaction.tenant,
        endpoint=endpoint,
    )
    await transaction.run(
        """
        update delivery_secret set expires_at = least(expires_at, mainspring_now() + %(after)s)
         where tenant_id = %(tenant)s and endpoint_id = %(endpoint)s""",
        tenant=transaction.tenant,
        endpoint=endpoint,
        after=after,
    )


async def list_secrets(transaction: TenantTransaction, endpoints: Sequence[UUID]) -> list[Row]:
    """`id`, `endpoint_id` and `sealed` of the secrets that are good now, the newest first."""
    return await transaction.all(
        """
        select id, endpoint_id, sealed from delivery_secret
         where tenant_id = %(tenant)s and endpoint_id = any(%(endpoints)s)
           and (expires_at is null or expires_at > mainspring_now())
         order by id desc""",
        tenant=transaction.tenant,
        endpoints=list(endpoints),
    )


async def find_takers(transaction: TenantTransaction, patterns: Sequence[str]) -> list[UUID]:
    """The endpoints that asked for one of the patterns."""
    rows = await transaction.all(
        "select id from delivery_endpoint where tenant_id = %(tenant)s and topics && %(patterns)s::text[]",
        tenant=transaction.tenant,
        patterns=list(patterns),
    )
    return [row["id"] for row in rows]


async def insert_deliveries(
    transaction: TenantTransaction,
    event: Mapping[str, object],
    data: Mapping[str, Any],
    takers: Sequence[tuple[UUID, UUID]],
    *,
    url: str | None = None,
) -> int:
    """Write the event, and a delivery to each taker, which are pairs of delivery and endpoint; how many are new.

    event   id, topic and occurred_at. The same id again writes nothing.
    url     where it goes, if not to the endpoint's own address
    """
    await transaction.run(
        "insert into delivery_event (tenant_id, id, topic, payload, occurred_at)"
        " values (%(tenant)s, %(id)s, %(topic)s, %(payload)s, %(occurred_at)s) on conflict do nothing",
        tenant=transaction.tenant,
        payload=Jsonb(dict(data)),
        **event,
    )
    return await transaction.run(
        """
        insert into delivery (tenant_id, id, endpoint_id, event_id, url, state, due_at)
        select e.tenant_id, taker.id, e.id, %(event)s, %(url)s::text,
               case when e.state = 'on' then 'pending' else 'held' end, mainspring_now()
          from unnest(%(ids)s::uuid[], %(endpoints)s::uuid[]) as taker (id, endpoint_id)
          join delivery_endpoint e on e.tenant_id = %(tenant)s and e.id = taker.endpoint_id
            for share of e
        on conflict on constraint delivery_once do nothing""",
        tenant=transaction.tenant,
        event=event["id"],
        url=url,
        ids=[delivery for delivery, _ in takers],
        endpoints=[endpoint for _, endpoint in takers],
    )


async def insert_delivery(
    transaction: TenantTransaction, endpoint: UUID, delivery: UUID, event: Mapping[str, object], data: Mapping[str, Any]
) -> None:
    """Write an event for one endpoint alone."""
    await transaction.run(
        "insert into delivery_event (tenant_id, id, topic, payload, occurred_at)"
        " values (%(tenant)s, %(id)s, %(topic)s, %(payload)s, %(occurred_at)s)",
        tenant=transaction.tenant,
        payload=Jsonb(dict(data)),
        **event,
    )
    await transaction.run(
        "insert into delivery (tenant_id, id, endpoint_id, event_id, state, due_at)"
        " values (%(tenant)s, %(id)s, %(endpoint)s, %(event)s, 'pending', mainspring_now())",
        tenant=transaction.tenant,
        id=delivery,
        endpoint=endpoint,
        event=event["id"],
    )


async def list_deliveries(
    transaction: TenantTransaction,
    endpoint: UUID,
    *,
    limit: int,
    before: UUID | None = None,
    state: str | None = None,
    delivery: UUID | None = None,
) -> list[Row]:
    """Deliveries to an endpoint, the newest first."""
    return await transaction.all(
        _DELIVERIES,
        tenant=transaction.tenant,
        endpoint=endpoint,
        limit=limit,
        before=before,
        state=state,
        id=delivery,
    )


async def list_attempts(transaction: TenantTransaction, delivery: UUID) -> list[Row]:
    """Every attempt of a delivery, in order."""
    return await transaction.all(
        "select * from delivery_attempt where tenant_id = %(tenant)s and delivery_id = %(delivery)s order by number",
        tenant=transaction.tenant,
        delivery=delivery,
    )


async def replay_one(transaction: TenantTransaction, endpoint: UUID, delivery: UUID) -> bool:
    """Make a delivery due now with a whole schedule before it, whatever came of it; whether there is such a one."""
    changed = await transaction.run(
        "update delivery set state = 'pending', due_at = mainspring_now(), tries = 0, token = null,"
        "       lease_until = null, finished_at = null"
        " where tenant_id = %(tenant)s and endpoint_id = %(endpoint)s and id = %(id)s",
        tenant=transaction.tenant,
        endpoint=endpoint,
        id=delivery,
    )
    return changed == 1


async def replay_span(
    transaction: TenantTransaction, endpoint: UUID, *, since: datetime, until: datetime | None, failed_only: bool
) -> int:
    """As `replay_one`, for those that ended and whose event happened in the span; how many."""
    return await transaction.run(
        """
        update delivery d set state = 'pending', due_at = mainspring_now(), tries = 0, finished_at = null
          from delivery_event v
         where d.tenant_id = %(tenant)s and d.endpoint_id = %(endpoint)s
           and v.tenant_id = d.tenant_id and v.id = d.event_id
           and v.occurred_at >= %(since)s and (%(until)s::timestamptz is null or v.occurred_at < %(until)s)
           and d.state = any(%(states)s)""",
        tenant=transaction.tenant,
        endpoint=endpoint,
        since=since,
        until=until,
        states=["failed"] if failed_only else ["failed", "delivered"],
    )
