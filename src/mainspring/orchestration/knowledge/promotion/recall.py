"""How many of the ten nearest an approximate search finds: both ways are asked with vectors of the tenant's own chunks.

The chunk that lends its vector is left out of both answers, for it is found whatever the graph is like. What counts
is how near the others are and not which they are: of two copies of a clause either is right.
"""

import statistics
from collections.abc import Awaitable
from time import perf_counter
from typing import TypeVar

from mainspring.foundation.db import Row
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.retrieval.store import Key, Scope, nearest, roughly_nearest
from mainspring.orchestration.knowledge.retrieval.types import Filters
from mainspring.orchestration.knowledge.setup import RetrievalSetup
from mainspring.orchestration.knowledge.types import Reader

from . import store
from .types import Held, Recall

Result = TypeVar("Result")

NEAREST = 10
_ROUNDING = 1e-5  # of a cosine of 16-bit numbers, computed in two ways
_CANDIDATES = RetrievalSetup().candidates  # what searches ask for, on which depends how far the graph is walked


async def measure_recall(homes: Homes, held: Held, queries: int) -> Recall:
    """Ask `queries` times, each in a transaction of its own; without chunks nothing is missed."""
    async with homes.reading(held.tenant) as transaction:
        drawn = await store.sample(transaction, held.index, queries)
    answers = [await _ask_both_ways(homes, held, chunk) for chunk in drawn]
    wanted = sum(count for _, count, _, _ in answers)
    return Recall(
        share=sum(found for found, _, _, _ in answers) / wanted if wanted else 1.0,
        queries=len(answers),
        exact_ms=statistics.median([took for _, _, took, _ in answers] or [0.0]),
        approximate_ms=statistics.median([took for _, _, _, took in answers] or [0.0]),
    )


async def _ask_both_ways(homes: Homes, held: Held, chunk: Row) -> tuple[int, int, float, float]:
    """How many of the nearest were found, how many there are, and the milliseconds of the exact and the other way."""
    scope = Scope(held.index, Reader(held.tenant, None), Filters(), is_whole=True)  # as searches mostly are
    itself, vector = (chunk["document_id"], chunk["ordinal"]), chunk["vector"]
    async with homes.reading(held.tenant) as transaction:
        exact, exact_ms = await _timed(nearest(transaction, scope, vector, limit=NEAREST + 1))
        rough, rough_ms = await _timed(
            roughly_nearest(transaction, scope, vector, dimensions=held.dimensions, limit=_CANDIDATES)
        )
    best, found = _without(exact, itself), _without(rough, itself)
    near_enough = sum(score >= best[-1] - _ROUNDING for score in found) if best else 0
    return near_enough, len(best), exact_ms, rough_ms


def _without(answer: list[tuple[Key, float]], itself: Key) -> list[float]:
    return [score for key, score in answer if key != itself][:NEAREST]


async def _timed(work: Awaitable[Result]) -> tuple[Result, float]:
    began = perf_counter()
    result = await work
    return result, (perf_counter() - began) * 1_000
