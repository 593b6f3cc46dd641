"""Group commit: the outcomes that came in during the last commits make up the next one.

Two at once, so that one is worked at while the other waits for the disk. Batches that share runs take turns by
the locks on those, as those of two workers do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.telemetry import get_logger

from .backoff import Backoff
from .outcomes import Outcome, failed
from .settle import Settled, settle
from .types import Failure

log = get_logger(__name__)

MAX_SETTLED = 200
AT_ONCE = 2
"""Commits under way; each takes a connection."""

_REFUSED = "output_refused"

OnSettled = Callable[[Sequence[Outcome], Settled], Awaitable[None]]


class Settler:
    """Settles every outcome that is put in, for as long as it takes.

    on_settled  called after each commit with the outcomes and what came of them
    """

    def __init__(self, database: Database, on_settled: OnSettled) -> None:
        self._database = database
        self._on_settled = on_settled
        self._waiting: list[Outcome] = []
        self._has_waiting = asyncio.Event()

    def put(self, outcome: Outcome) -> None:
        """Settle it with the next commit."""
        self._waiting.append(outcome)
        self._has_waiting.set()

    async def run(self) -> None:
        """Settle until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._settle_forever())

    async def _settle_forever(self) -> None:
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_SETTLED], self._waiting[MAX_SETTLED:]
                await self._settle(batch)

    async def _settle(self, batch: Sequence[Outcome]) -> None:
        """Repeat while Postgres is away: a commit whose answer was lost is refused by token the second time."""
        backoff = Backoff()
        while True:
            try:
                async with self._database.system(plans_once=True) as transaction:
                    settled = await settle(transaction, batch)
                break
            except DatabaseGone as away:
                log.warning("settle_failed", error=type(away).__name__, outcomes=len(batch))
                await backoff.wait()
            except psycopg.Error as refusal:
                settled = await self._settle_apart(batch, refusal)
                break
        for outcome in settled.refused:
            log.info("outcome_too_late", run=str(outcome.lease.run), step=outcome.lease.name)
        await self._on_settled(batch, settled)

    async def _settle_apart(self, batch: Sequence[Outcome], refusal: psycopg.Error) -> Settled:
        """One outcome cannot be stored: settle the others, and fail that one."""
        if len(batch) > 1:
            for outcome in batch:
                await self._settle([outcome])
        else:
            (outcome,) = batch
            log.error("outcome_not_storable", step=outcome.lease.name, error=type(refusal).__name__)
            if not (outcome.failure and outcome.failure.code == _REFUSED):
                failure = Failure(_REFUSED, "What the step returned could not be stored.")
                await self._settle([failed(outcome.lease, failure, trace=type(refusal).__name__, given=None)])
        return Settled((), frozenset(), ())
