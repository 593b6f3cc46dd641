"""Looking for a key that the snapshot does not have, without letting guesses reach Postgres in numbers."""

import asyncio
import hashlib
import time

from .ports import CallerFacts, Directory

LOOKS_PER_SECOND = 20
_REMEMBERED_SECONDS = 1.0
_MOST_REMEMBERED = 1_000


class FreshLookups:
    """At most `LOOKS_PER_SECOND`, one at a time for each key; what was not found is remembered for a second."""

    def __init__(self, directory: Directory, *, looks_per_second: int = LOOKS_PER_SECOND) -> None:
        self._directory = directory
        self._rate = looks_per_second
        self._allowed = float(looks_per_second)
        self._counted_at = time.monotonic()
        self._in_vain: dict[bytes, float] = {}
        self._under_way: dict[bytes, asyncio.Task[CallerFacts | None]] = {}

    async def find(self, secret: bytes) -> CallerFacts | None:
        """The live key; None when there is none, or when too many were looked for just now.

        A key made a moment ago that meets the second case is told by the bell all the same.
        """
        secret_hash = hashlib.sha256(secret).digest()
        look = self._under_way.get(secret_hash)
        if look is None:
            if self._was_in_vain(secret_hash) or not self._may_look():
                return None
            look = self._under_way[secret_hash] = asyncio.create_task(self._look(secret_hash))
            look.add_done_callback(_take_failure)
        return await asyncio.shield(look)

    async def _look(self, secret_hash: bytes) -> CallerFacts | None:
        try:
            async with asyncio.timeout(5):
                found = await self._directory.find_caller(secret_hash)
        finally:
            self._under_way.pop(secret_hash, None)
        if found is None:
            if len(self._in_vain) >= _MOST_REMEMBERED:
                self._in_vain.clear()
            self._in_vain[secret_hash] = time.monotonic()
        return found

    def _was_in_vain(self, secret_hash: bytes) -> bool:
        looked_at = self._in_vain.get(secret_hash)
        if looked_at is None:
            return False
        if time.monotonic() - looked_at < _REMEMBERED_SECONDS:
            return True
        del self._in_vain[secret_hash]
        return False

    def _may_look(self) -> bool:
        now = time.monotonic()
        self._allowed = min(float(self._rate), self._allowed + (now - self._counted_at) * self._rate)
        self._counted_at = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True


def _take_failure(look: asyncio.Task[CallerFacts | None]) -> None:
    """A look that everyone stopped waiting for fails without a word."""
    if not look.cancelled():
        look.exception()
