"""How often a sign-in may be tried: per email and per address, in windows of five minutes.

Attempts are counted before the password is looked at, so that guesses sent at once do not slip
through together. The counts live in Valkey, for all processes; while Valkey is away each process
counts by itself, with half the allowance: an outage neither opens the door nor locks it.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .errors import SignInThrottled

log = get_logger(__name__)

_WINDOW_SECONDS = 300
_VALKEY_PATIENCE_SECONDS = 0.5
_MOST_LOCAL_COUNTS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Attempts in a window."""

    per_email: int = 10
    per_address: int = 60


@dataclass(slots=True)
class _Count:
    attempts: int
    ends: float


class Throttle:
    """Counts attempts to sign in and refuses those beyond the allowance."""

    def __init__(self, valkey: Valkey, allowance: Allowance, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._valkey = valkey
        self._allowance = allowance
        self._seconds = seconds
        self._counts: dict[str, _Count] = {}

    async def admit(self, *, email: str, address: str) -> None:
        """Count an attempt; SignInThrottled with the time to wait when there were too many."""
        for of, value, most in (
            ("address", address, self._allowance.per_address),
            ("email", email, self._allowance.per_email),
        ):
            attempts, left, allowed = await self._count(throttle_key(of, value), most)
            if attempts > allowed:
                raise SignInThrottled(
                    f"More than {allowed} attempts to sign in for this {of} in {_WINDOW_SECONDS // 60} minutes; "
                    f"try again in {left} s.",
                    retry_after_seconds=left,
                )

    async def forgive(self, *, email: str) -> None:
        """Forget the attempts for an email whose password was right in the end."""
        key = throttle_key("email", email)
        self._counts.pop(key, None)
        try:
            async with asyncio.timeout(_VALKEY_PATIENCE_SECONDS):
                await self._valkey.delete(key)
        except (*ValkeyGone, TimeoutError):
            log.warning("sign_in_throttle_unreachable")

    async def _count(self, key: str, most: int) -> tuple[int, int, int]:
        try:
            async with asyncio.timeout(_VALKEY_PATIENCE_SECONDS), self._valkey.pipeline(transaction=True) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, _WINDOW_SECONDS, nx=True)
                pipeline.ttl(key)
                attempts, _, left = await pipeline.execute()
        except (*ValkeyGone, TimeoutError):
            log.warning("sign_in_throttle_unreachable")
            half = max(1, most // 2)
            return *self._count_here(key), half
        return int(attempts), max(1, int(left)), most

    def _count_here(self, key: str) -> tuple[int, int]:
        now = self._seconds()
        count = self._counts.get(key)
        if count is None or count.ends <= now:
            self._make_room(now)
            count = self._counts[key] = _Count(0, now + _WINDOW_SECONDS)
        count.attempts += 1
        return count.attempts, max(1, math.ceil(count.ends - now))

    def _make_room(self, now: float) -> None:
        if len(self._counts) < _MOST_LOCAL_COUNTS:
            return
        self._counts = {key: count for key, count in self._counts.items() if count.ends > now}
        while len(self._counts) >= _MOST_LOCAL_COUNTS:
            del self._counts[next(iter(self._counts))]


def throttle_key(of: str, value: str) -> str:
    """`identity:sign_in:email:<hash>`: a count that expires with its window.

    Owned by identity, before a tenant is known; the hash keeps emails and addresses out of Valkey.
    """
    return f"identity:sign_in:{of}:{hashlib.sha256(value.encode()).hexdigest()[:32]}"
