"""Messages of a tenant's queues start runs: at least once, and once per message.

A message is acknowledged when its run is stored in Postgres, never before. A worker that dies between the two gets, or
another gets, the same message again, and its id finds the run that is there. What fits no pipeline goes to the queue's
dead letters with the reason written down; a full backlog gives the message back and pauses the whole queue.

Each trigger is consumed by one worker at a time, which holds it by a lease.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, DatabaseGone, Row
from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, RateLimited
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.vault import Unreadable, Vault
from mainspring.foundation.webguard import UrlRefused
from mainspring.orchestration.delivery import bridge_store
from mainspring.orchestration.delivery.cloudevents import read_events
from mainspring.orchestration.delivery.errors import EndpointInvalid, EventInvalid
from mainspring.orchestration.delivery.starting import Cause, Starter
from mainspring.orchestration.delivery.types import EndpointKind

from .queue import QueueAddress, QueueGone, QueueKind, Received, read_credentials

log = get_logger(__name__)

SEALED_KIND = "delivery_trigger"
_LEASE = timedelta(seconds=30)
_RENEW_SECONDS = 5.0
_MOST_HELD = 50
_MESSAGES_AT_ONCE = 20
_PATIENCE = timedelta(seconds=2)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_WELL_SECONDS = 10.0
"""What has consumed for so long was well, and is opened again at once."""
_BACKLOG_PAUSE = timedelta(seconds=10)
_MAX_EXCERPT = 1_000
_CLOSING_SECONDS = 5.0  # for a queue to say goodbye to its broker


@dataclass(frozen=True, slots=True)
class Installed:
    """A kind of queue that is installed here, and the credentials that it takes."""

    kind: QueueKind
    credentials: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Trigger:
    tenant: TenantId
    id: UUID
    kind: EndpointKind
    url: str
    address: str
    pipeline: str
    sealed: bytes | None


class _Pause(Exception):
    """The platform takes no more for now."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__()
        self.pause = pause


class Consumer:
    """Consumes the triggers of all tenants that it can get hold of."""

    def __init__(
        self, database: Database, vault: Vault, starter: Starter, kinds: Mapping[EndpointKind, Installed]
    ) -> None:
        self._database = database
        self._vault = vault
        self._starter = starter
        self._kinds = dict(kinds)
        self._holder = new_id()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; what is in hand is finished, and the triggers are let go for others."""
        tasks: dict[UUID, asyncio.Task[None]] = {}
        try:
            while not stop.is_set():
                with suppress(*DatabaseGone):
                    await self._attend(tasks)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _RENEW_SECONDS)
        finally:
            await stop_all(tasks.values(), patience=_CLOSING_SECONDS)
            with suppress(*DatabaseGone):
                async with self._database.system() as transaction:
                    await bridge_store.release_triggers(transaction, self._holder)

    async def _attend(self, tasks: dict[UUID, asyncio.Task[None]]) -> None:
        """One task for each trigger that is held, and none for those that are not any more."""
        async with self._database.system() as transaction:
            rows = await bridge_store.hold_triggers(transaction, self._holder, lease=_LEASE, limit=_MOST_HELD)
        held = {row["id"]: row for row in rows}
        gone = [name for name, task in tasks.items() if name not in held or task.done()]
        await stop_all([tasks.pop(name) for name in gone], patience=_CLOSING_SECONDS)
        for name, row in held.items():
            if name not in tasks:
                tasks[name] = asyncio.create_task(self._keep_consuming(_read(row)))

    async def _keep_consuming(self, trigger: _Trigger) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            trouble: str | None = None
            began_at = time.monotonic()
            try:
                await self._consume(trigger)
            except _Pause as full:
                trouble, pause = (
                    "The backlog is full; consuming goes on when it is shorter.",
                    full.pause.total_seconds(),
                )
            except QueueGone as away:
                trouble = str(away)
            except (UrlRefused, EndpointInvalid, Unreadable) as refused:
                trouble = refused.detail
            except DatabaseGone as away:
                log.warning("trigger_waits_for_database", error=type(away).__name__)
            except Exception as failure:  # the edge of a task: one trigger must not stop the others
                log.exception("trigger_crashed", trigger=str(trigger.id), error=type(failure).__name__)
                trouble = "Consuming failed on our side."
            with suppress(*DatabaseGone):
                await self._record_trouble(trigger, trouble)
            if time.monotonic() - began_at > _WELL_SECONDS:
                pause = min(pause, _FIRST_PAUSE_SECONDS)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _consume(self, trigger: _Trigger) -> None:
        """Until something goes wrong."""
        installed = self._kinds.get(trigger.kind)
        if installed is None:
            raise QueueGone(f"This worker has no client for {trigger.kind.value}; install its extra.")
        credentials = read_credentials(await self._open_secret(trigger), installed.credentials)
        queue = await installed.kind.open(QueueAddress(trigger.url, trigger.address, credentials))
        try:
            await self._record_trouble(trigger, None)
            while True:
                for message in await queue.receive(_MESSAGES_AT_ONCE, patience=_PATIENCE):
                    await self._take(trigger, message)
        finally:
            await queue.close()

    async def _take(self, trigger: _Trigger, message: Received) -> None:
        try:
            once, data = read_message(message)
            submitted = self._starter.fit(trigger.pipeline, data)
            cause = Cause((*once, str(trigger.id)), f"{trigger.kind.value}:{trigger.address}")
            await self._starter.start(trigger.tenant, trigger.pipeline, submitted, cause=cause)
        except RateLimited as full:
            pause = timedelta(seconds=full.retry_after_seconds) if full.retry_after_seconds else _BACKLOG_PAUSE
            await message.later(pause)
            raise _Pause(pause) from None
        except EndpointInvalid:
            await message.later(_BACKLOG_PAUSE)  # the pipeline is not here (any more): no fault of the message
            raise
        except Conflict as draining:
            if draining.code != "idempotency_key_reused":
                await message.later(_BACKLOG_PAUSE)
                raise _Pause(_BACKLOG_PAUSE) from None
            await self._refuse(trigger, message, draining)
        except InvalidInput as unfit:
            await self._refuse(trigger, message, unfit)
        else:
            await message.done()
            async with self._database.tenant(trigger.tenant) as transaction:
                await bridge_store.record_taken(transaction, trigger.id)

    async def _refuse(self, trigger: _Trigger, message: Received, why: MainspringError) -> None:
        excerpt = message.body[:_MAX_EXCERPT].decode("utf-8", "replace").replace("\0", "\ufffd")
        row = {
            "id": new_id(),
            "trigger": trigger.id,
            "message": message.id[:200],
            "reason": why.detail,
            "excerpt": excerpt,
        }
        async with self._database.tenant(trigger.tenant) as transaction:
            await bridge_store.insert_refusal(transaction, row)
        await message.refuse()

    async def _open_secret(self, trigger: _Trigger) -> str | None:
        if trigger.sealed is None:
            return None
        vault = await self._vault.open_tenant(trigger.tenant)
        return vault.unseal(SEALED_KIND, trigger.id, trigger.sealed).decode()

    async def _record_trouble(self, trigger: _Trigger, trouble: str | None) -> None:
        async with self._database.tenant(trigger.tenant) as transaction:
            await bridge_store.record_trouble(transaction, trigger.id, trouble)


def read_message(message: Received) -> tuple[tuple[str, ...], object]:
    """What names the thing that a message is about, and its data; EventInvalid.

    A CloudEvent is named by its source and id, and its data counts; any other JSON by the message's own id.
    """
    kind = message.headers.get("content-type", "")
    if "ce-specversion" in message.headers or kind.startswith("application/cloudevents"):
        (event, *others) = read_events(message.headers, message.body)
        if others:
            raise EventInvalid("A message holds one event; send several messages in the place of a batch.")
        return (event.source, event.id), event.data
    try:
        return ("message", message.id), msgspec.json.decode(message.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EventInvalid("The message is neither a CloudEvent nor JSON.") from None


def _read(row: Row) -> _Trigger:
    return _Trigger(
        tenant=TenantId(row["tenant_id"]),
        id=row["id"],
        kind=EndpointKind(row["kind"]),
        url=row["url"],
        address=row["address"],
        pipeline=row["pipeline"],
        sealed=row["sealed"],
    )
