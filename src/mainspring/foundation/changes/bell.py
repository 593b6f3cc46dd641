"""The bell: a hint through Valkey that a tenant's configuration changed.

Only a hint. Whoever misses it finds the change in the log (`log`) half a second later, so ringing
never fails, never waits for long, and carries nothing that matters.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from redis.asyncio.client import PubSub

from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

log = get_logger(__name__)

CHANNEL = "mainspring:changed"
"""Payload: a tenant's UUID as text, or `*` for all. No expiry: a channel stores nothing."""

EVERYONE = "*"
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 0.5


async def announce(valkey: Valkey, tenant: TenantId | None) -> None:
    """Tell every process that a tenant, or with None any of them, changed; call it after the commit. Never raises."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await valkey.publish(CHANNEL, str(tenant) if tenant else EVERYONE)
    except (*ValkeyGone, TimeoutError) as away:
        log.debug("change_not_announced", error=type(away).__name__)


async def listen(valkey: Valkey, on_change: Callable[[TenantId | None], None]) -> None:
    """Call `on_change` with each tenant that is announced (None: all of them), until cancelled.

    What is announced while there is no connection is not heard: look at the log as well.
    """
    while True:
        try:
            async with valkey.pubsub() as subscription:
                await subscription.subscribe(CHANNEL)
                await _hear(subscription, on_change)
        except (*ValkeyGone, RuntimeError) as away:
            log.warning("changes_away", error=type(away).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _hear(subscription: PubSub, on_change: Callable[[TenantId | None], None]) -> None:
    while True:
        message = await subscription.get_message(timeout=5.0)
        if message is None:
            continue
        data = message["data"]
        if data == EVERYONE.encode():
            on_change(None)
        elif isinstance(data, bytes):
            tenant = _read_tenant(data)
            if tenant is not None:
                on_change(tenant)


def _read_tenant(data: bytes) -> TenantId | None:
    """Whoever can reach Valkey may send anything; what is no tenant's id is nothing."""
    try:
        return TenantId(UUID(data.decode("ascii", "replace")))
    except ValueError:
        return None
