"""Who waits for a thread's next run: told at once where it was submitted, through Valkey elsewhere.

A ring is only a hint. Whoever waits looks for itself each second, so that nothing hangs on it.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

log = get_logger(__name__)

_LONGEST_SILENCE = 2.0


def channel() -> str:
    """`agents:threads`: the one Valkey channel of rings; a message is `tenant/thread`, nothing is stored."""
    return "agents:threads"


class ThreadWatch:
    """The bells of this process. Its listener starts with the first of them."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self.is_closed = False

    async def ring(self, tenant: TenantId, thread: UUID) -> None:
        """Something was submitted to the thread."""
        name = f"{tenant}/{thread}"
        self._wake(name)
        try:
            await self._valkey.publish(channel(), name)
        except (*ValkeyGone, TimeoutError) as away:
            log.debug("ring_not_heard", error=type(away).__name__)

    @contextmanager
    def watching(self, tenant: TenantId, thread: UUID) -> Generator[asyncio.Event]:
        """A bell that is set when the thread is rung, or the server goes down; clear it before looking."""
        if self._listener is None and not self.is_closed:
            self._listener = asyncio.create_task(self._listen())
        name, bell = f"{tenant}/{thread}", asyncio.Event()
        bells = self._bells.setdefault(name, set())
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells and self._bells.get(name) is bells:
                del self._bells[name]

    async def close(self) -> None:
        """Wake everybody for the last time."""
        self.is_closed = True
        for name in list(self._bells):
            self._wake(name)
        if self._listener is not None:
            await stop_all([self._listener])
            self._listener = None

    def _wake(self, name: str) -> None:
        for bell in self._bells.get(name, ()):
            bell.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._valkey.pubsub() as subscription:
                    await subscription.subscribe(channel())
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5.0)
                        if message is not None and isinstance(message["data"], bytes):
                            self._wake(message["data"].decode(errors="replace"))
            except (*ValkeyGone, RuntimeError) as away:
                log.warning("thread_watch_away", error=type(away).__name__)
            await asyncio.sleep(_LONGEST_SILENCE)


async def wait_for(bell: asyncio.Event, seconds: float) -> bool:
    """Whether the bell was set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return False
    return True
