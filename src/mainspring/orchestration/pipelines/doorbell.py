"""The doorbell: hints through Valkey that steps are ready or runs were cancelled.

Only hints. Whoever misses one finds the work by the sweep a second later, so ringing never
fails, never waits for long, and carries nothing that matters.
"""

import asyncio
from collections.abc import Callable, Iterable

from redis.asyncio.client import PubSub

from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .backoff import Backoff

log = get_logger(__name__)

READY_CHANNEL = "pipelines:ready"
"""Payload: the ringer's id, then lanes, separated by spaces. No expiry: a channel stores nothing."""

CANCELLED_CHANNEL = "pipelines:cancelled"
"""Payload: empty. Whoever holds leases checks them now."""

PATIENCE_SECONDS = 0.25


class Doorbell:
    """Rings for workers wherever they are."""

    def __init__(self, valkey: Valkey, *, ringer: str = "-") -> None:
        self._valkey = valkey
        self._ringer = ringer

    async def ring(self, lanes: Iterable[str]) -> None:
        """Tell that steps of these lanes became ready."""
        await self._publish(READY_CHANNEL, " ".join((self._ringer, *sorted(lanes))))

    async def ring_cancelled(self) -> None:
        """Tell that a run was ended from outside."""
        await self._publish(CANCELLED_CHANNEL, "")

    async def _publish(self, channel: str, payload: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._valkey.publish(channel, payload)
        except (*ValkeyGone, TimeoutError) as away:
            log.debug("doorbell_silent", error=type(away).__name__)


async def listen(valkey: Valkey, *, on_ready: Callable[[set[str]], None], on_cancelled: Callable[[], None]) -> None:
    """Hear what others ring, until cancelled. After a lost connection both are called once, for what was missed.

    on_ready  gets the ringer's id and the lanes as one set
    """
    backoff = Backoff()
    while True:
        try:
            async with valkey.pubsub() as subscription:
                await subscription.subscribe(READY_CHANNEL, CANCELLED_CHANNEL)
                await _hear(subscription, on_ready, on_cancelled, backoff)
        except ValkeyGone as away:
            log.warning("doorbell_away", error=type(away).__name__)
            await backoff.wait()


async def _hear(
    subscription: PubSub, on_ready: Callable[[set[str]], None], on_cancelled: Callable[[], None], backoff: Backoff
) -> None:
    while True:
        message = await subscription.get_message(timeout=5.0)
        if message is None:
            continue
        backoff.reset()
        if message["type"] == "subscribe":
            on_ready(set())
            on_cancelled()
        elif message["channel"] == CANCELLED_CHANNEL.encode():
            on_cancelled()
        elif isinstance(message["data"], bytes):
            on_ready(set(message["data"].decode().split()))
