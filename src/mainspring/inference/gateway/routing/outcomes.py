"""What routing learns from: outcomes of past calls, in Postgres, and an index of them in memory for busy tenants.

A call's path asks `predictor` only, which never waits: it returns what is in memory and notes that
the tenant is wanted. `refresh` loads those that are wanted and missing or old; a timer calls it.
Memory is bounded: the newest outcomes of a few tenants, the longest unused leaves first, and who asks
no more leaves after a while.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId

from .learned import Neighbours
from .store import delete_older_outcomes, select_newest_outcomes, upsert_outcome

DIMENSIONS = 384
OUTCOMES = 4000
"""Newest outcomes of a tenant that are kept and searched; 6 MB in memory."""
TENANTS = 8
"""Tenants whose outcomes are in memory at once."""
_FRESH_SECONDS = 60.0
_UNUSED_SECONDS = 600.0
_TRIM_EVERY = 200


@dataclass(slots=True)
class _Held:
    index: Neighbours | None
    loaded_at: float
    asked_at: float


class Outcomes:
    """Outcomes of every tenant.

    clock     monotonic seconds
    tenants   how many may be in memory at once
    """

    def __init__(self, database: Database, clock: Callable[[], float], *, tenants: int = TENANTS) -> None:
        self._database = database
        self._tenants = tenants
        self._clock = clock
        self._held: OrderedDict[TenantId, _Held] = OrderedDict()
        self._recorded: dict[TenantId, int] = {}

    async def record_outcome(
        self, tenant: TenantId, call: UUID, *, model: str, embedding: Sequence[float], score: float
    ) -> None:
        """Keep how well `model` answered a call; said again for the same call, the later score counts.

        model       name in the catalogue, as of `Deployment.model.name`
        embedding   384 numbers, of length 1, of the question
        score       0 (useless) to 1 (right)
        """
        if not 0 <= score <= 1:
            raise InvalidInput(f"The score of an outcome is {score}; it must lie between 0 and 1.")
        if len(embedding) != DIMENSIONS:
            raise InvalidInput(f"The embedding of an outcome has {len(embedding)} numbers; it must have {DIMENSIONS}.")
        recorded = self._recorded[tenant] = self._recorded.get(tenant, 0) + 1
        async with self._database.tenant(tenant) as transaction:
            await upsert_outcome(transaction, call, model=model, embedding=embedding, score=score)
            if recorded % _TRIM_EVERY == 0:
                await delete_older_outcomes(transaction, keep=OUTCOMES)

    def predictor(self, tenant: TenantId) -> Neighbours | None:
        """What is in memory of the tenant's outcomes; None until `refresh` has loaded some."""
        held, now = self._held.get(tenant), self._clock()
        if held is None:
            held = self._held[tenant] = _Held(None, float("-inf"), now)
            if len(self._held) > self._tenants:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(tenant)
            held.asked_at = now
        return held.index

    @property
    def held(self) -> tuple[TenantId, ...]:
        """The tenants that are or will be in memory, the longest unused first."""
        return tuple(self._held)

    async def refresh(self) -> int:
        """Load the outcomes of tenants that were asked for and are missing or a minute old; returns how many."""
        now = self._clock()
        for tenant in [tenant for tenant, held in self._held.items() if now - held.asked_at > _UNUSED_SECONDS]:
            del self._held[tenant]
        due = [tenant for tenant, held in self._held.items() if now - held.loaded_at >= _FRESH_SECONDS]
        for tenant in due:
            async with self._database.tenant(tenant) as transaction:
                rows = await select_newest_outcomes(transaction, limit=OUTCOMES)
            index = await asyncio.to_thread(_index, rows)  # some ten milliseconds of arithmetic
            if held := self._held.get(tenant):
                held.index, held.loaded_at = index, now
        return len(due)


def _index(rows: list[Row]) -> Neighbours | None:
    if not rows:
        return None
    # pgvector's binary halfvec: dimensions and a zero as 16-bit integers, then the numbers, all big-endian.
    import numpy as np  # only tenants whose routing learns need it

    vectors = np.stack([np.frombuffer(bytes(row["embedding"]), dtype=">f2", offset=4) for row in rows])
    scores = np.array([row["score"] for row in rows], dtype=np.float32)
    return Neighbours([str(row["model"]) for row in rows], vectors.astype(np.float32), scores)
