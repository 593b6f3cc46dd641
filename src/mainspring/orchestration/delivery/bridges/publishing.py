"""Events published to a tenant's queues: the transport of endpoints that are no web addresses.

A connection is kept for the next event of its endpoint and closed when anything goes wrong with it, or when it has not
been used for a minute: the next attempt opens it anew, past the guard again.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.ids import show_id
from mainspring.foundation.webguard import UrlRefused
from mainspring.orchestration.delivery.cloudevents import CloudEvent, write_binary, write_structured
from mainspring.orchestration.delivery.errors import EndpointInvalid
from mainspring.orchestration.delivery.types import (
    EVENT_PREFIX,
    EndpointId,
    Format,
    Outcome,
    OutgoingEvent,
    Parcel,
)

from .queue import Queue, QueueAddress, QueueGone, QueueKind, read_credentials

_IDLE_SECONDS = 60.0
_SECONDS = 30.0


@dataclass(slots=True)
class _Line:
    """One endpoint's connection; `lock` keeps its users apart."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    queue: Queue | None = None
    address: QueueAddress | None = None
    used_at: float = 0.0


class QueueTransport:
    """Publishes parcels to queues of one kind.

    known  names of credentials that the kind takes
    """

    def __init__(self, kind: QueueKind, known: frozenset[str], describe: Callable[[OutgoingEvent], CloudEvent]) -> None:
        self._kind = kind
        self._known = known
        self._describe = describe
        self._lines: dict[EndpointId, _Line] = {}

    async def send(self, parcel: Parcel) -> Outcome:
        """Publish it once, as a CloudEvent; the queue's own word is the success."""
        forbid_open_transaction("a queue")
        await self._close_idle()
        line = self._lines.setdefault(parcel.endpoint, _Line())
        event = self._describe(parcel.event)
        headers, body = write_binary(event) if parcel.format is Format.CLOUDEVENTS_BINARY else write_structured(event)
        try:
            secret = parcel.secrets[0] if parcel.secrets else None
            address = QueueAddress(parcel.url, parcel.address, read_credentials(secret, self._known))
            async with asyncio.timeout(_SECONDS), line.lock:
                await self._publish(line, address, body, headers, once=show_id(EVENT_PREFIX, parcel.event.id))
        except QueueGone as gone:
            return Outcome(succeeded=False, error=str(gone))
        except (UrlRefused, EndpointInvalid) as refused:
            return Outcome(succeeded=False, error=refused.detail)
        except TimeoutError:
            await _drop(line)
            return Outcome(succeeded=False, error=f"The queue did not take it within {_SECONDS:g} s.")
        return Outcome(succeeded=True)

    async def close(self) -> None:
        """Close every connection."""
        for line in self._lines.values():
            await _drop(line)
        self._lines.clear()

    async def _publish(
        self, line: _Line, address: QueueAddress, body: bytes, headers: dict[str, str], *, once: str
    ) -> None:
        if line.queue is None or line.address != address:
            await _drop(line)
            line.queue, line.address = await self._kind.open(address), address
        try:
            await line.queue.publish(body, headers, once=once)
            line.used_at = time.monotonic()
        except QueueGone:
            await _drop(line)
            raise

    async def _close_idle(self) -> None:
        before = time.monotonic() - _IDLE_SECONDS
        idle = [name for name, line in self._lines.items() if line.used_at < before and not line.lock.locked()]
        for name in idle:
            await _drop(self._lines.pop(name))


async def _drop(line: _Line) -> None:
    queue, line.queue = line.queue, None
    if queue is not None:
        await queue.close()
