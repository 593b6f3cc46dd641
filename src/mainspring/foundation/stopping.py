"""Ending tasks for certain.

A task that talks to an engine can lose a cancellation: `asyncio.wait_for` of Python 3.11 drops one that comes in the
very turn of the loop in which what it waits for is done, and redis-py sends each command through it. A task that goes
on for ever would then be waited for for ever. So whoever ends such a task cancels it until it has ended.
"""

import asyncio
from collections.abc import Iterable
from typing import Any


async def stop_all(tasks: Iterable[asyncio.Task[Any]], *, patience: float = 0.5) -> None:
    """Cancel the tasks until each has ended; what one failed with is still to be asked of the task.

    patience  seconds until those that go on are cancelled again, which also cuts short what they clear up
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=patience)
