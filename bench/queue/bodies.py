"""What a job does in every library: mark its start, and when it is to take time, take it and mark its end."""

import asyncio
from collections.abc import Awaitable, Callable

from .marks import mark
from .types import Place


def make_body(place: Place) -> Callable[[int, float], Awaitable[None]]:
    """The body as a coroutine function of key and seconds, without options."""

    async def work(key: int, seconds: float) -> None:
        mark(place.marks, "S", key)
        if seconds:
            await asyncio.sleep(seconds)
            mark(place.marks, "E", key)

    return work
