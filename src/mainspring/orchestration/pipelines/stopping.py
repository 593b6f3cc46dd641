"""Ending tasks for certain."""

import asyncio
from collections.abc import Collection


async def stop_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel the tasks until each has ended: a connection that is just being made can swallow one cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
