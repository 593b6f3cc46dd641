"""Waiting that grows: for loops that must outlive an engine's restart, and for steps that are run again."""

import asyncio
import random
from datetime import timedelta

FIRST_RETRY = timedelta(milliseconds=500)
LONGEST_RETRY = timedelta(minutes=2)


class Backoff:
    """0.1 s, then twice as long each time, up to 2 s; `reset` after a success."""

    def __init__(self, first: float = 0.1, most: float = 2.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    async def wait(self) -> None:
        """Wait, and be ready to wait longer next time."""
        pause, self._next = self._next, min(self._most, self._next * 2)
        await asyncio.sleep(pause)

    def reset(self) -> None:
        """It works again."""
        self._next = self._first


def retry_delay(failures: int, chance: random.Random, *, at_least: float = 0.0) -> float:
    """Seconds before the next attempt after `failures` earlier ones: doubling from 0.5 s to 2 min, with jitter.

    at_least  what the one that refused us asked for
    """
    longest = min(LONGEST_RETRY.total_seconds(), FIRST_RETRY.total_seconds() * 2 ** min(failures, 20))
    return max(at_least, longest * chance.uniform(0.5, 1.0))
