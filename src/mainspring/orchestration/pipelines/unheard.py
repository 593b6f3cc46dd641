"""What nobody hears is not said: milestones of quiet runs that no client follows are kept back, and mostly forgotten.

Milestones are in Postgres, and a client that begins to follow reads them there once it is subscribed.
So a stream is needed only for who follows already, and for what exists nowhere else: text and progress.
A run that ends within a second, followed by nobody and without a live word, leaves nothing in Valkey;
that is most of the work there for runs of quick steps. Whatever is said of a run is preceded by what
was kept back of it; and a step that was started before is told at once, as that fences the older attempt.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .story import Milestone
from .stream import PATIENCE_SECONDS, stream_keys
from .types import EventType, RunId

KEEP_SECONDS = 1.0
MAX_AT_ONCE = 256
MAX_OPEN = 20_000


Item = TypeVar("Item")


class Unheard:
    """Keeps milestones back, run by run, in the order of their first."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._kept: dict[RunId, tuple[float, list[Milestone]]] = {}
        self._open: set[RunId] = set()

    async def sift(self, items: Sequence[Item], run_of: Callable[[Item], RunId | None]) -> list[Item | Milestone]:
        """What of this is to be published now, in order, with what was kept back and must precede it.

        run_of  the run in which something live is said; None for what says nothing
        """
        spoken = {run for item in items if not isinstance(item, Milestone) and (run := run_of(item))}
        told = [item for item in items if isinstance(item, Milestone)]
        loud = spoken | self._open | {each.run for each in told if (each.attempt or 0) > 1}
        quiet = {each.run: each.tenant for each in told if each.run not in loud}
        for run in await self._find_followed(quiet):
            del quiet[run]
        published: list[Item | Milestone] = []
        for item in items:
            if isinstance(item, Milestone) and item.run in quiet:
                self._keep(item)
            else:
                published += self._open_up(item.run if isinstance(item, Milestone) else run_of(item))
                published.append(item)
                if isinstance(item, Milestone) and item.type is EventType.RUN_FINISHED:
                    self._open.discard(item.run)
        return published + self._release()

    def _keep(self, milestone: Milestone) -> None:
        if milestone.type is EventType.RUN_FINISHED:
            self._kept.pop(milestone.run, None)
        else:
            self._kept.setdefault(milestone.run, (time.monotonic(), []))[1].append(milestone)

    def _open_up(self, run: RunId | None) -> Iterable[Milestone]:
        if run is None:
            return ()
        if len(self._open) >= MAX_OPEN:
            self._open.clear()  # some ended elsewhere; of the others a little is kept back again
        self._open.add(run)
        return self._kept.pop(run, (0.0, []))[1]

    def _release(self) -> list[Milestone]:
        """What was kept for long enough: the run goes on, and gets its stream."""
        released: list[Milestone] = []
        oldest = time.monotonic() - KEEP_SECONDS
        while self._kept and len(released) < MAX_AT_ONCE:
            run = next(iter(self._kept))
            if self._kept[run][0] > oldest:
                break
            released += self._open_up(run)
        return released

    async def _find_followed(self, quiet: dict[RunId, TenantId]) -> list[RunId]:
        """Those that somebody is subscribed to; all of them while Valkey is away, which then says so itself."""
        if not quiet:
            return []
        channels = [stream_keys(tenant, run)[0] for run, tenant in quiet.items()]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                counted = await self._valkey.pubsub_numsub(*channels)
        except (*ValkeyGone, TimeoutError):
            return list(quiet)
        return [run for run, (_, followers) in zip(quiet, counted, strict=True) if followers]
