"""From a fact in the outbox to deliveries: one to each endpoint that asked for its topic.

The subscriber writes rows and returns: nothing waits on another host while the outbox is relayed. It is idempotent by
the event's id, so that a relay that is repeated adds nothing.
"""

from collections.abc import Mapping

from mainspring.foundation.db import Database
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.outbox import OutboxEvent

from . import store
from .cloudevents import CloudEvent
from .topics import SHAPES, Shape, patterns_for
from .types import EVENT_PREFIX, OutgoingEvent


class Announcer:
    """Writes deliveries.

    shapes   how facts of a topic are shown to others, beside those of this package
    """

    def __init__(self, database: Database, *, shapes: Mapping[str, Shape] | None = None) -> None:
        self._database = database
        self._shapes = {**SHAPES, **(shapes or {})}

    async def announce(self, event: OutboxEvent) -> None:
        """Subscriber of every topic; the event's id is that of the deliveries' event."""
        patterns = patterns_for(event.topic)
        shape = self._shapes.get(event.topic)
        async with self._database.tenant(event.tenant) as transaction:
            takers = await store.find_takers(transaction, patterns)
            if not takers:
                return
            row = {"id": event.id, "topic": event.topic, "occurred_at": event.created_at}
            data = shape(event.payload) if shape else event.payload
            await store.insert_deliveries(transaction, row, data, [(new_id(), endpoint) for endpoint in takers])


class Describer:
    """Shows events of ours as CloudEvents.

    source   whose events they are: a URI reference that the operator chooses for this platform
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def __call__(self, event: OutgoingEvent) -> CloudEvent:
        """The CloudEvent; source and id name it once for all."""
        subject = event.data.get("subject")
        return CloudEvent(
            id=show_id(EVENT_PREFIX, event.id),
            source=self._source,
            type=event.topic,
            data=dict(event.data),
            time=event.occurred_at,
            subject=subject if isinstance(subject, str) and subject else None,
        )
