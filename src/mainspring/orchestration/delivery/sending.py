"""What a worker does with deliveries: claim what is due, hand each to its transport, write down what came of it.

A claim is a lease with a token. A worker that dies leaves its claims to expire, and others send them again under the
same id: at least once. As many deliveries are under way as there are places; a delivery that takes long keeps its own
place, and the bound for each endpoint keeps it from taking those of others.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Database, DatabaseGone, Row, TenantTransaction
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.vault import Unreadable, Vault

from . import due_store, store
from .events import EndpointDisabled
from .schedule import GIVEN_UP_AFTER, pause_after
from .types import (
    ENDPOINT_PREFIX,
    DeliveryState,
    EndpointId,
    EndpointKind,
    EndpointState,
    EventId,
    Format,
    Outcome,
    OutgoingEvent,
    Parcel,
    Transport,
)

log = get_logger(__name__)

SECRET_KIND = "delivery_secret"  # noqa: S105 - the kind of thing that the vault seals
_LOOK_EVERY_SECONDS = 1.0
_PURGE_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Places:
    """How many deliveries may be under way: in this process, and to one endpoint and of one tenant in all.

    lease  how long a claim keeps others away; longer than an attempt may take
    """

    total: int = 64
    per_endpoint: int = 4
    per_tenant: int = 32
    lease: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Claim:
    delivery: UUID
    token: UUID
    tries: int
    kind: EndpointKind
    parcel: Parcel


class Sender:
    """Sends what is due, of all tenants.

    transports  by the kind of endpoint
    sample      a random number from 0 to 1, for the jitter of pauses
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        transports: Mapping[EndpointKind, Transport],
        *,
        places: Places | None = None,
        sample: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._vault = vault
        self._transports = dict(transports)
        self._places = places or Places()
        self._sample = sample
        self._under_way = set[asyncio.Task[None]]()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; what is under way then is finished. Survives a lost database."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            taken = 0
            try:
                taken = await self._start_due()
            except DatabaseGone as gone:
                log.warning("deliveries_wait_for_database", error=type(gone).__name__)
            if not taken:  # what ends makes a place for the next delivery of its endpoint
                waited_for = {stopping, *self._under_way}
                await asyncio.wait(waited_for, timeout=_LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await stopping
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def deliver_due(self) -> int:
        """Send all that is due now, and wait until each was tried once; how many."""
        count = 0
        while taken := await self._start_due():
            count += taken
            await asyncio.wait(tuple(self._under_way))
        return count

    async def purge(self, *, older_than: timedelta = timedelta(days=30)) -> int:
        """Forget what was delivered or refused long ago; how many."""
        async with self._database.system() as transaction:
            purged = await due_store.delete_old_refusals(transaction, older_than=older_than)
        while True:
            async with self._database.system() as transaction:
                batch = await due_store.delete_old(transaction, older_than=older_than, limit=_PURGE_BATCH)
            purged += batch
            if batch < _PURGE_BATCH:
                return purged

    async def _start_due(self) -> int:
        room = self._places.total - len(self._under_way)
        if room <= 0:
            await asyncio.wait(self._under_way, timeout=_LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return 0
        async with self._database.system() as transaction:
            rows = await due_store.claim_due(
                transaction,
                room=room,
                per_endpoint=self._places.per_endpoint,
                per_tenant=self._places.per_tenant,
                lease=self._places.lease,
            )
        for claim in await self._equip(rows):
            task = asyncio.create_task(self._deliver(claim))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(rows)

    async def _equip(self, rows: Sequence[Row]) -> list[_Claim]:
        """The claims with the secrets of their endpoints."""
        by_tenant: dict[TenantId, list[Row]] = defaultdict(list)
        for row in rows:
            by_tenant[TenantId(row["tenant_id"])].append(row)
        claims: list[_Claim] = []
        for tenant, own in by_tenant.items():
            secrets = await self._open_secrets(tenant, {row["endpoint_id"] for row in own})
            claims += [_read_claim(tenant, row, secrets.get(row["endpoint_id"], ())) for row in own]
        return claims

    async def _open_secrets(self, tenant: TenantId, endpoints: set[UUID]) -> dict[UUID, tuple[str, ...]]:
        async with self._database.tenant(tenant) as transaction:
            rows = await store.list_secrets(transaction, list(endpoints))
        if not rows:
            return {}
        opened: dict[UUID, tuple[str, ...]] = {}
        try:
            vault = await self._vault.open_tenant(tenant)
            for row in rows:
                secret = vault.unseal(SECRET_KIND, row["id"], row["sealed"]).decode()
                opened[row["endpoint_id"]] = (*opened.get(row["endpoint_id"], ()), secret)
        except Unreadable as unreadable:
            log.error("delivery_secret_unreadable", tenant=str(tenant), error=unreadable.detail)
        return opened

    async def _deliver(self, claim: _Claim) -> None:
        started = time.monotonic()
        try:
            outcome = await self._send(claim)
            milliseconds = round((time.monotonic() - started) * 1000)
            async with self._database.tenant(claim.parcel.tenant) as transaction:
                await self._settle(transaction, claim, outcome, milliseconds)
        except DatabaseGone as gone:  # the claim expires, and the delivery is tried again
            log.warning("delivery_not_written_down", error=type(gone).__name__)
        except Exception as failure:  # the edge of a task: one delivery must not stop the others
            log.exception("delivery_crashed", error=type(failure).__name__)

    async def _send(self, claim: _Claim) -> Outcome:
        transport = self._transports.get(claim.kind)
        if transport is None:
            return Outcome(
                succeeded=False, error=f"This worker has no client for {claim.kind.value}; install its extra."
            )
        if claim.kind is EndpointKind.WEBHOOK and not claim.parcel.secrets:
            return Outcome(succeeded=False, error="The signing secret cannot be opened; rotate it.")
        return await transport.send(claim.parcel)

    async def _settle(self, transaction: TenantTransaction, claim: _Claim, outcome: Outcome, milliseconds: int) -> None:
        state, pause = DeliveryState.DELIVERED, None
        if not outcome.succeeded:
            asked, is_over = outcome.retry_after_seconds, claim.parcel.is_direct and outcome.is_gone
            pause = None if is_over else pause_after(claim.tries + 1, asked_seconds=asked, sample=self._sample)
            state = DeliveryState.FAILED if pause is None else DeliveryState.PENDING
        number = await due_store.settle(transaction, claim.delivery, claim.token, state=state.value, pause=pause)
        if number is None:
            return  # the endpoint was turned off, or the claim expired and another worker has it
        row = {
            "delivery": claim.delivery,
            "number": number,
            "endpoint": claim.parcel.endpoint,
            "succeeded": outcome.succeeded,
            "status": outcome.status,
            "error": outcome.error,
            "response": outcome.response,
            "milliseconds": milliseconds,
        }
        await due_store.insert_attempt(transaction, row)
        if outcome.succeeded:
            await due_store.record_success(transaction, claim.parcel.endpoint)
        else:
            told = replace(outcome, is_gone=False) if claim.parcel.is_direct else outcome
            await _record_failure(transaction, claim.parcel.endpoint, told)


async def _record_failure(transaction: TenantTransaction, endpoint: EndpointId, outcome: Outcome) -> None:
    error = outcome.error or "It failed."
    row = await due_store.record_failure(transaction, endpoint, error, given_up_after=GIVEN_UP_AFTER)
    if row is None or row["state"] != EndpointState.ON.value or not (outcome.is_gone or row["is_hopeless"]):
        return
    state = EndpointState.GONE if outcome.is_gone else EndpointState.FAILED
    days = GIVEN_UP_AFTER.days
    reason = "It answered 410 Gone." if outcome.is_gone else f"It failed for {days} days; the last time: {error}"
    await store.set_state(transaction, endpoint, state.value, reason)
    event = EndpointDisabled(show_id(ENDPOINT_PREFIX, endpoint), row["url"], reason)
    await publish(transaction, topic=event.TOPIC, payload=event.payload())
    log.warning("endpoint_disabled", tenant=str(transaction.tenant), endpoint=event.endpoint, reason=reason)


def _read_claim(tenant: TenantId, row: Row, secrets: tuple[str, ...]) -> _Claim:
    event = OutgoingEvent(EventId(row["event_id"]), row["topic"], row["payload"], row["occurred_at"])
    parcel = Parcel(
        tenant=tenant,
        endpoint=EndpointId(row["endpoint_id"]),
        url=row["url"],
        address=row["address"],
        format=Format(row["format"]),
        secrets=secrets,
        event=event,
        is_direct=row["direct_url"] is not None,
    )
    return _Claim(row["id"], row["token"], row["tries"], EndpointKind(row["kind"]), parcel)
