"""`Watch`: the daily look at what could get worse without failing. Every worker may run it each hour.

For each tenant that searches something: whether its embedding model still makes the same vectors (asked once for all
tenants of the model), how its index's vectors lie, how new the words are that came in, and how well its golden
questions are answered.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Embedder
from mainspring.orchestration.knowledge.retrieval import Search

from . import store
from .canary import Canaries
from .golden import GoldenQuestions
from .judging import summarize
from .neighbours import measure_neighbours
from .records import Records
from .types import CheckKind, Figures, Measured, SearchedIndex, Subject

log = get_logger(__name__)

QUESTIONS = "questions"
"""The subject of the check of golden questions, of which a tenant has one set."""

_SAMPLE = 512
_LEAST_TERMS = 200  # that came in on a day: of fewer, a handful of new names would be a large share
_DAY = timedelta(days=1)


class Watch:
    """Daily checks of all tenants, and what they found.

    golden   the tenants' golden questions
    records  checks and alerts
    """

    def __init__(
        self,
        database: Database,
        homes: Homes,
        documents: Documents,
        search: Search,
        embedder: Embedder,
        *,
        clock: Clock = now,
    ) -> None:
        self.golden = GoldenQuestions(homes, documents, search)
        self.records = Records(homes, clock)
        self._database = database
        self._homes = homes
        self._canaries = Canaries(database, embedder, clock)

    async def keep_watch(self, stop: asyncio.Event | None = None) -> int:
        """One round: every check that was not made today; how many were made. What fails is tried in the next round.

        stop    once it is set, the tenants that are left wait for the next round too
        raises  one of `DatabaseGone` when the platform's own database is away
        """
        made = 0
        searched = await self._homes.everywhere(store.list_searched, tenant_of=lambda each: each.tenant)
        users = _by_model(searched)
        for index in searched:
            if stop is not None and stop.is_set():
                break
            made += await self.watch_tenant(index, users[index.model])
        return made

    async def watch_tenant(self, index: SearchedIndex, users: Sequence[TenantId] = ()) -> int:
        """Every check of one tenant that was not made today; how many were made.

        users   all tenants whose index is of the same model, any of which the canary may be embedded for
        """
        made = 0
        for subject in await self.records.list_due(index.tenant, _subjects(index)):
            try:
                made += await self._check(index, subject, users or (index.tenant,))
            except Exception as failure:  # noqa: BLE001 - the edge of a task: one bad check must not stop the others
                log.warning("check_failed", tenant=str(index.tenant), kind=subject.kind, error=type(failure).__name__)
                await self._database.ping()  # only a database of the tenant's own may be away
        return made

    async def _check(self, index: SearchedIndex, subject: Subject, users: Sequence[TenantId]) -> bool:
        figures: Figures | None = {}
        if subject.kind is CheckKind.CANARY:  # before the claim: while another worker asks, there is nothing to claim
            figures = await self._canaries.measure(index.model, users)
        if figures is None or (at := await self.records.claim(index.tenant, subject)) is None:
            return False
        match subject.kind:
            case CheckKind.CANARY:
                measured = Measured(figures)
            case CheckKind.VECTORS:
                measured = Measured(await self._look_at_vectors(index))
            case CheckKind.VOCABULARY:
                measured = Measured(await self._look_at_words(index, at))
            case CheckKind.GOLDEN:
                measured = await self._ask_golden(index)
        await self.records.finish(index.tenant, subject, at, measured)
        return True

    async def _look_at_vectors(self, index: SearchedIndex) -> Figures:
        async with self._homes.reading(index.tenant) as transaction:
            lengths = await store.measure_lengths(transaction, index.id)
            sample = await store.sample_vectors(transaction, index.id, _SAMPLE)
        if not lengths["vectors"]:
            return {}
        documents, vectors = [document for document, _ in sample], [vector for _, vector in sample]
        near = await asyncio.to_thread(measure_neighbours, documents, vectors)
        return {name: float(value) for name, value in {**lengths, **near}.items()}

    async def _look_at_words(self, index: SearchedIndex, at: datetime) -> Figures:
        async with self._homes.reading(index.tenant) as transaction:
            terms, fresh = await store.count_new_terms(transaction, index.id, at - _DAY)
        if terms < _LEAST_TERMS:
            return {"terms": float(terms)}
        return {"terms": float(terms), "new_term_share": fresh / terms}

    async def _ask_golden(self, index: SearchedIndex) -> Measured:
        ranks = await self.golden.ask_all(index.tenant, index.id)
        return Measured(summarize(ranks), ranks)


def _subjects(index: SearchedIndex) -> tuple[Subject, ...]:
    shown = show_id("idx", index.id)
    return (
        Subject(CheckKind.CANARY, index.model),
        Subject(CheckKind.VECTORS, shown),
        Subject(CheckKind.VOCABULARY, shown),
        Subject(CheckKind.GOLDEN, QUESTIONS),
    )


def _by_model(searched: Sequence[SearchedIndex]) -> Mapping[str, Sequence[TenantId]]:
    users: dict[str, list[TenantId]] = {}
    for index in searched:
        users.setdefault(index.model, []).append(index.tenant)
    return users
