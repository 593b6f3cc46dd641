"""Catching a task at one moment of what it does."""

import asyncio
from collections.abc import Iterator
from types import CoroutineType
from typing import Any

_MOST_TURNS = 100_000


async def until_it_waits_in(task: asyncio.Task[Any], function: str) -> None:
    """Give the loop turns until the task waits somewhere within a function of that name."""
    for _ in range(_MOST_TURNS):
        if task.done() or function in _names(task.get_coro()):
            break
        await asyncio.sleep(0)
    assert not task.done()


def _names(waiting: object) -> Iterator[str]:
    while isinstance(waiting, CoroutineType):
        yield waiting.cr_code.co_name
        waiting = waiting.cr_await
