"""Whole searches as the API runs them, by `knowledge.retrieval.Search`: two transactions, all ranked lists, passages.

The question's vector is at hand: embedding a question takes one call of the model, which is the gateway's to measure.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.retrieval import Mode, Question, Search
from mainspring.orchestration.knowledge.setup import RetrievalSetup, Setup
from mainspring.orchestration.knowledge.types import Reader
from mainspring.orchestration.pipelines.types import StepRun

from .asking import Questions
from .rig import Timing, summarise

_WORDS = "termination notice liability indemnify insurance assignment"


@dataclass(frozen=True, slots=True)
class GivenVectors:
    """An embedder that has the answer already: the text is the vector's number."""

    vectors: Sequence[Sequence[float]]

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """The vector whose number the text ends with."""
        return [self.vectors[int(text.rpartition(" ")[2])] for text in texts]

    def dimensions(self, model: str) -> int:
        """Of MiniLM."""
        return 384


@dataclass(frozen=True, slots=True)
class SameSetup:
    """The product's defaults, but for the floor: invented chunks are near to nothing that is asked in words."""

    value: Setup = field(default_factory=lambda: Setup(retrieval=RetrievalSetup(relevance_floor=0.0)))

    async def current(self, tenant: TenantId, /) -> "SameSetup":
        """The same for everybody."""
        return self


@dataclass(frozen=True, slots=True)
class Whole:
    """By size of tenant; milliseconds of each part are medians.

    overall   of hybrid searches, one for each tenant drawn: `EVEN`, every tenant as likely as another, and `BY_CHUNKS`,
              as likely as it has chunks
    """

    hybrid: Mapping[str, Timing]
    vector: Mapping[str, Timing]
    parts: Mapping[str, Mapping[str, float]]
    overall: Mapping[str, Timing]


EVEN, BY_CHUNKS = "spread evenly over tenants", "in proportion to tenants' chunks"
_DRAWN = 400


def measure_whole(questions: Questions) -> Whole:
    """One question at a time."""
    return asyncio.run(_measure(questions))


async def _measure(questions: Questions) -> Whole:
    database = await Database.open(questions.rig.urls.database_url, connections=2)
    try:
        hybrid: dict[str, Timing] = {}
        vector: dict[str, Timing] = {}
        parts: dict[str, Mapping[str, float]] = {}
        for of in questions.classes:
            hybrid[of.name], parts[of.name] = await _ask(database, questions, of.places, Mode.HYBRID)
            vector[of.name], _ = await _ask(database, questions, of.places, Mode.VECTOR)
        return Whole(hybrid, vector, parts, await _ask_drawn(database, questions))
    finally:
        await database.close()


async def _ask_drawn(database: Database, questions: Questions) -> Mapping[str, Timing]:
    """Tenants in any order, so that none has its rows at hand because it was asked just before."""
    sizes = np.array([holding.chunks for holding in questions.corpus.holdings])
    random = np.random.default_rng(questions.corpus.seed)
    overall: dict[str, Timing] = {}
    for name, weights in ((EVEN, np.ones_like(sizes)), (BY_CHUNKS, sizes)):
        milliseconds: list[float] = []
        for place in random.choice(len(sizes), size=_DRAWN, p=weights / weights.sum()).tolist():
            search, reader = _searcher(database, questions, place, 1)
            began = time.perf_counter()
            await search.search(reader, Question(f"{_WORDS} 0", mode=Mode.HYBRID))
            milliseconds.append((time.perf_counter() - began) * 1_000)
        overall[name] = summarise(milliseconds)
    return overall


def _searcher(database: Database, questions: Questions, place: int, count: int) -> tuple[Search, Reader]:
    """A search that knows the vectors of so many questions of a tenant, and somebody who may ask."""
    vectors = questions.corpus.queries(place, count)
    search = Search(Homes(database), SameSetup(), GivenVectors(vectors.tolist()))
    tenant = TenantId(questions.corpus.holdings[place].tenant)
    return search, Reader(tenant, frozenset({"user:usr_bench", "role:viewer"}))


async def _ask(
    database: Database, questions: Questions, places: Sequence[int], mode: Mode
) -> tuple[Timing, Mapping[str, float]]:
    milliseconds: list[float] = []
    parts: dict[str, list[float]] = {}
    for place in places:
        search, reader = _searcher(database, questions, place, questions.each)
        for number in (0, *range(questions.each)):  # the first one warms up
            began = time.perf_counter()
            answer = await search.search(reader, Question(f"{_WORDS} {number}", mode=mode))
            milliseconds.append((time.perf_counter() - began) * 1_000)
            for name, took in answer.searched.timings.items():
                parts.setdefault(name, []).append(took)
        del milliseconds[-questions.each - 1]
    return summarise(milliseconds), {name: float(np.median(took)) for name, took in parts.items()}
