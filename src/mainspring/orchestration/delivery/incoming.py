"""`Incoming`: CloudEvents of others that start runs, and the subscriptions that say which start what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import Conflict, NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import Run

from . import incoming_store
from .cloudevents import CloudEvent
from .errors import EndpointInvalid, EventUnknown, TooManyEndpoints
from .starting import Cause, Starter

MANAGE, TRIGGER = "delivery.manage", "ai.analysis.trigger"
SUBSCRIPTION_PREFIX = "sub"
MAX_SUBSCRIPTIONS = 200
_MAX_TYPE, _MAX_SOURCE = 200, 500

SubscriptionId = NewType("SubscriptionId", UUID)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Events of `type` start `pipeline`; only those of `source`, where one is named."""

    id: SubscriptionId
    type: str
    source: str | None
    pipeline: str
    created_by: str
    created_at: datetime

    def takes(self, event: CloudEvent) -> bool:
        """Whether it is about this event."""
        return self.type == event.type and self.source in (None, event.source)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The runs that an event started, or had started when it came before."""

    event: CloudEvent
    runs: tuple[Run, ...]


class Incoming:
    """Use cases on events that come in."""

    def __init__(self, database: Database, starter: Starter) -> None:
        self._database = database
        self._starter = starter

    async def subscribe(self, principal: Principal, type_: str, source: str | None, pipeline: str) -> Subscription:
        """Let events of a type start a pipeline with their data as its input. Needs `delivery.manage`.

        raises   EndpointInvalid, TooManyEndpoints; Conflict when there is the same already
        """
        principal.require(MANAGE)
        if not 1 <= len(type_) <= _MAX_TYPE or "\0" in type_ + (source or ""):
            raise EndpointInvalid(f"The type has {len(type_)} characters; it needs 1 to {_MAX_TYPE}, without NUL.")
        if source is not None and not 1 <= len(source) <= _MAX_SOURCE:
            raise EndpointInvalid(f"The source has {len(source)} characters; it needs 1 to {_MAX_SOURCE}.")
        self._starter.check(pipeline)
        row = {"id": new_id(), "type": type_, "source": source, "pipeline": pipeline, "by": principal.name}
        async with self._database.tenant(principal.tenant) as transaction:
            if len(await incoming_store.list_subscriptions(transaction)) >= MAX_SUBSCRIPTIONS:
                raise TooManyEndpoints(f"There are {MAX_SUBSCRIPTIONS} subscriptions; delete one first.")
            stored = await incoming_store.insert_subscription(transaction, row)
        if stored is None:
            raise Conflict(f"Events of the type {type_!r} start {pipeline} already.")
        return _read(stored)

    async def list(self, principal: Principal) -> list[Subscription]:
        """Every subscription, the oldest first. Needs `delivery.manage`."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            return [_read(row) for row in await incoming_store.list_subscriptions(transaction)]

    async def unsubscribe(self, principal: Principal, subscription: SubscriptionId) -> None:
        """Forget a subscription. Needs `delivery.manage`; NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await incoming_store.delete_subscription(transaction, subscription):
                raise NotFound(f"There is no subscription {show_id(SUBSCRIPTION_PREFIX, subscription)}.")

    async def accept(self, principal: Principal, events: Sequence[CloudEvent]) -> Sequence[Accepted]:
        """Start what the events start; the same source and id start nothing twice. Needs `ai.analysis.trigger`.

        Every event is checked before the first run is started, so that of a batch that is refused nothing runs.
        raises   EventUnknown for a type that no subscription takes, EventInvalid for data that does not fit
        """
        principal.require(TRIGGER)
        async with self._database.tenant(principal.tenant) as transaction:
            known = [_read(row) for row in await incoming_store.list_subscriptions(transaction)]
        planned = [self._plan(event, known) for event in events]
        return [
            Accepted(event, tuple([await self._start(principal, event, name, given) for name, given in starts]))
            for event, starts in zip(events, planned, strict=True)
        ]

    def _plan(self, event: CloudEvent, known: Sequence[Subscription]) -> Sequence[tuple[str, object]]:
        names = dict.fromkeys(each.pipeline for each in known if each.takes(event))
        if not names:
            types = ", ".join(sorted({each.type for each in known})) or "none yet"
            raise EventUnknown(
                f"No subscription takes events of the type {event.type[:80]!r} from {event.source[:80]!r}. "
                f"Types that are taken: {types}."
            )
        return [(name, self._starter.fit(name, event.data)) for name in names]

    async def _start(self, principal: Principal, event: CloudEvent, name: str, given: object) -> Run:
        cause = Cause((event.source, event.id), f"event:{event.type}")
        return await self._starter.start(principal.tenant, name, given, cause=cause, by=principal)


def _read(row: Row) -> Subscription:
    return Subscription(
        id=SubscriptionId(row["id"]),
        type=row["type"],
        source=row["source"],
        pipeline=row["pipeline"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
