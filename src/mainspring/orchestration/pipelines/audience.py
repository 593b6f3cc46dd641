"""Who follows a run over HTTP: what of it may be told, asked again and again while the answer goes on."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import Request

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.http import is_still_allowed
from mainspring.foundation.principal import Principal
from mainspring.foundation.stopping import stop_all

from .live import LiveEvents
from .privacy import Privacy, cover_events
from .types import Run, RunEvent

READ = "ai.output.view"
KEEP_ALIVE_SECONDS = 15.0


class Audience:
    """Tells runs to callers.

    privacy          knows what runs are about that is closed to a caller
    recheck_seconds  an answer that goes on ends so long after its key was revoked, at most
    """

    def __init__(self, live: LiveEvents, privacy: Privacy, recheck_seconds: float) -> None:
        self._live = live
        self._privacy = privacy
        self._recheck_seconds = recheck_seconds

    async def is_closed(self, principal: Principal, run: Run) -> bool:
        """Whether what the run is about is closed to the caller."""
        return run.subject is not None and run.subject in await self._privacy.closed_to(principal, (run.subject,))

    async def iter_batches(
        self, request: Request, principal: Principal, run: Run, after: str | None, *, is_closed: bool
    ) -> AsyncGenerator[list[RunEvent]]:
        """The run's events after an id, as they come, in batches; an empty one when nothing came for a while.

        is_closed  as it was when the answer began; the answer ends when that changes
        """

        async def is_as_before() -> bool:
            if not await is_still_allowed(request, READ):
                return False
            with suppress(*DatabaseGone):  # nobody can tell, and what was allowed goes on
                return await self.is_closed(request.state.principal or principal, run) == is_closed
            return True

        async with (
            self._live.follow(principal.tenant, run.id, after) as following,
            asking_again(is_as_before, self._recheck_seconds, following.end),
        ):
            while not following.is_over:
                events = await following.batch(KEEP_ALIVE_SECONDS)
                if events or not following.is_over:
                    yield cover_events(events) if is_closed else events


@asynccontextmanager
async def asking_again(
    is_allowed: Callable[[], Awaitable[bool]], seconds: float, end: Callable[[], None]
) -> AsyncGenerator[None]:
    """Ask every so often beside the block, and call `end` at the first no.

    Not in the way of what is being told, and never all callers at once, who may have come at once.
    """

    async def ask() -> None:
        try:
            while True:
                await asyncio.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
                if not await is_allowed():
                    return
        finally:
            end()

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        await stop_all([asking])
