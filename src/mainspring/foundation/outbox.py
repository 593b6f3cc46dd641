"""The outbox: a fact written in the transaction that made it true, delivered afterwards, at least once.

`publish` inserts; `relay` hands undelivered events to subscribers in order of writing and marks
them. A subscriber must be idempotent by event id: a crash between its work and the mark repeats it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from mainspring.foundation.db import Database, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """A fact: `topic` in the past tense (`contract.analyzed`), `payload` of ids and small values."""

    id: UUID
    tenant: TenantId
    topic: str
    payload: Mapping[str, Any]
    created_at: datetime


Subscriber = Callable[[OutboxEvent], Awaitable[None]]
Subscribers = Mapping[str, tuple[Subscriber, ...]]
"""Who hears each topic; those under EVERY_TOPIC hear all."""

EVERY_TOPIC = "*"

RELAYED_AT_ONCE = 100

_CLAIM = """
    select id, tenant_id, topic, payload, created_at from outbox
     where delivered_at is null and attempts < 20 and due_at <= now()
     order by created_at, id limit %(most)s for update skip locked"""

_POSTPONE = """
    update outbox set attempts = attempts + 1,
                      due_at = now() + least(%(pause)s * power(2, attempts), interval '1 hour')
     where id = any(%(ids)s)"""


async def publish(transaction: TenantTransaction, *, topic: str, payload: Mapping[str, Any]) -> UUID:
    """Write an event; it becomes deliverable when the caller's transaction commits."""
    event = new_id()
    await transaction.run(
        "insert into outbox (id, tenant_id, topic, payload) values (%(id)s, %(tenant)s, %(topic)s, %(payload)s)",
        id=event,
        tenant=transaction.tenant,
        topic=topic,
        payload=Jsonb(dict(payload)),
    )
    return event


async def publish_all(
    transaction: SystemTransaction, *, topic: str, payloads: Sequence[tuple[TenantId, Mapping[str, Any]]]
) -> None:
    """Write one event per payload, for several tenants at once, in one statement."""
    rows = [{"id": new_id(), "tenant_id": tenant, "payload": payload} for tenant, payload in payloads]
    await transaction.run(
        """
        insert into outbox (id, tenant_id, topic, payload)
        select written.id, written.tenant_id, %(topic)s, written.payload
          from jsonb_to_recordset(%(rows)s::jsonb) as written (id uuid, tenant_id uuid, payload jsonb)""",
        topic=topic,
        rows=msgspec.json.encode(rows).decode(),
    )


async def relay(
    database: Database,
    subscribers: Subscribers,
    *,
    pause: timedelta = timedelta(seconds=5),
) -> int:
    """Deliver what is due and return how many; an event whose subscriber fails is kept for later.

    pause   an event that is being delivered is left alone for so long, doubled with each attempt up
            to an hour; after 20 attempts it stays, undelivered, for an operator to look at
    """
    async with database.system() as transaction:
        rows = await transaction.all(_CLAIM, most=RELAYED_AT_ONCE)
        ids = [row["id"] for row in rows]
        await transaction.run(_POSTPONE, ids=ids, pause=pause)
    delivered: list[UUID] = []
    for row in rows:
        event = OutboxEvent(row["id"], TenantId(row["tenant_id"]), row["topic"], row["payload"], row["created_at"])
        if await _deliver(event, (*subscribers.get(event.topic, ()), *subscribers.get(EVERY_TOPIC, ()))):
            delivered.append(event.id)
    async with database.system() as transaction:
        await transaction.run("update outbox set delivered_at = now() where id = any(%(ids)s)", ids=delivered)
    return len(delivered)


def join_subscribers(*rooms: Subscribers) -> Subscribers:
    """Who hears each topic, of all rooms."""
    joined: dict[str, tuple[Subscriber, ...]] = {}
    for room in rooms:
        for topic, subscribers in room.items():
            joined[topic] = (*joined.get(topic, ()), *subscribers)
    return joined


async def purge(database: Database, *, older_than: timedelta = timedelta(days=7)) -> int:
    """Delete what was delivered long ago, and return how many; what was never delivered stays to be looked at."""
    async with database.system() as transaction:
        return await transaction.run("delete from outbox where delivered_at < now() - %(age)s", age=older_than)


async def _deliver(event: OutboxEvent, subscribers: tuple[Subscriber, ...]) -> bool:
    for subscriber in subscribers:
        try:
            await subscriber(event)
        except Exception as failure:  # noqa: BLE001 - the edge of a task: one bad subscriber must not stop the others
            log.error("outbox_delivery_failed", topic=event.topic, event=str(event.id), error=type(failure).__name__)
            return False
    return True
