"""`Search`: passages that answer a question, each with its citation, or the reason why there are none.

A search reads in one transaction, and calls models only before and after it. What it finds is data: no text in a
document changes how a search runs, whom it serves or what else is found.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Concepts, Embedder
from mainspring.orchestration.knowledge.setup import Setup
from mainspring.orchestration.knowledge.types import Reader

from . import store
from .asking import MOST_CHARACTERS, Asked, read_question
from .finding import Findings, Index, Stopwatch, Wanted, find
from .fusion import Fused
from .models import Models
from .passages import Hit, leave_out_repeats, pack
from .plan import Plan, plan_search
from .store import Key, Scope
from .types import Answer, Mode, Question, Reason, Searched

log = get_logger(__name__)

_RERANKED = 20


class SetupVersion(Protocol):
    """One version of a tenant's setup."""

    @property
    def value(self) -> Setup: ...


class Setups(Protocol):
    """What a search asks of the setups of tenants; `knowledge.setup.Setups` answers."""

    async def current(self, tenant: TenantId, /) -> SetupVersion:
        """The newest version."""
        ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A question made ready, with what came up on the way; without an index there is nothing to search."""

    wanted: Wanted | None
    rewritten: str | None
    notes: tuple[str, ...]


class Search:
    """Hybrid search over a tenant's documents.

    concepts   what the words of a trade mean; None where no product labels places
    models     for reranking and rewriting; None where no model may be asked
    """

    def __init__(
        self,
        homes: Homes,
        setups: Setups,
        embedder: Embedder,
        *,
        concepts: Concepts | None = None,
        models: Models | None = None,
    ) -> None:
        self._homes = homes
        self._setups = setups
        self._embedder = embedder
        self._concepts = concepts
        self._models = models

    async def search(self, reader: Reader, question: Question) -> Answer:
        """The best passages that this reader may read.

        raises   InvalidInput for an empty question or a limit out of bounds; NotFound for an index that is not
                 there; in mode `vector`, what the embedding model raises. In mode `hybrid` words have to do when
                 the model is away, and a note says so.
        """
        forbid_open_transaction("a search")
        watch = Stopwatch()
        plan = plan_search(question, (await self._setups.current(reader.tenant)).value.retrieval)
        asked = read_question(question.text)
        ready = await self._prepare(reader.tenant, question, plan, asked, watch)
        if ready.wanted is None:
            return _without_index(question, watch, ready)
        scope = Scope(ready.wanted.index.id, reader, question.filters)
        async with self._homes.reading(reader.tenant) as transaction:
            findings = await find(transaction, scope, ready.wanted, watch)
        hits = await asyncio.to_thread(_hits, findings)
        reranked = None
        if plan.rerank and hits:
            hits, reranked = await watch.time("rerank", self._rerank(reader.tenant, asked.text, hits))
        return _answer(ready, findings, hits, reranked, watch)

    async def _prepare(
        self, tenant: TenantId, question: Question, plan: Plan, asked: Asked, watch: Stopwatch
    ) -> _Ready:
        """All that models and products add to the question, before a transaction is open."""
        notes = (f"Only the first {MOST_CHARACTERS:,} characters of the question were searched.",) * asked.is_cut
        async with self._homes.reading(tenant) as transaction:
            row = await store.find_index(transaction, question.index)
        if row is None and question.index is not None:
            raise NotFound("There is no such index; it may have been retired and removed.")
        if row is None:
            return _Ready(None, None, notes)
        index = Index(row["id"], row["number"], row["embedding_model"], row["dimensions"], row["promoted_at"])
        rewritten = None
        if plan.rewrite:
            rewritten = await watch.time("rewrite", self._rewrite(tenant, asked.text))
            notes += () if rewritten else ("No model reworded the question; it was searched as it is.",)
        searched = replace(asked, text=rewritten) if rewritten else asked
        wanted = Wanted(searched, plan, index, explain=question.explain)
        wanted, more = await self._embed(tenant, wanted, watch)
        if plan.by_labels and self._concepts is not None:
            found = await watch.time("concepts", self._concepts.named_in(tenant, asked.text))
            wanted = replace(wanted, concepts={each.label: each.strength for each in found if each.strength > 0})
        return _Ready(wanted, rewritten, notes + more)

    async def _embed(self, tenant: TenantId, wanted: Wanted, watch: Stopwatch) -> tuple[Wanted, tuple[str, ...]]:
        if not wanted.plan.by_vector:
            return wanted, ()
        embed = self._embedder.embed(tenant, [wanted.asked.text], model=wanted.index.model)
        try:
            (vector,) = await watch.time("embed", embed)
        except MainspringError as failure:
            if wanted.plan.mode is Mode.VECTOR:
                raise
            log.warning("question_not_embedded", code=failure.code)
            return wanted, (f"The embedding model did not answer ({failure.code}); only words were searched.",)
        shown = "[" + ",".join(f"{number:.6g}" for number in vector) + "]"
        return replace(wanted, vector=shown), ()

    async def _rewrite(self, tenant: TenantId, question: str) -> str | None:
        return await self._models.rewrite(tenant, question) if self._models else None

    async def _rerank(
        self, tenant: TenantId, question: str, hits: Sequence[Hit]
    ) -> tuple[list[Hit], Mapping[Key, int] | None]:
        """The best hits as a model sorts them, those that it left out behind; then the others as they were."""
        texts = [hit.found.text for hit in hits[:_RERANKED]]
        order = await self._models.rerank(tenant, question, texts) if self._models else None
        if order is None:
            return list(hits), None
        rest = [place for place in range(len(hits)) if place not in set(order)]
        sorted_ = [hits[place] for place in (*order, *rest)]
        return sorted_, {hit.found.key: rank for rank, hit in enumerate(sorted_, 1)}


def _hits(findings: Findings) -> list[Hit]:
    scored: list[Fused[Key]] = list(findings.fused)
    return leave_out_repeats([(findings.chunks[each.item], each.score) for each in scored])


def _without_index(question: Question, watch: Stopwatch, ready: _Ready) -> Answer:
    watch.total()
    searched = Searched(None, None, question.mode, 0, 0, timings=watch.milliseconds)
    return Answer((), searched, Reason.NO_DOCUMENTS, ready.notes)


def _answer(
    ready: _Ready, findings: Findings, hits: Sequence[Hit], reranked: Mapping[Key, int] | None, watch: Stopwatch
) -> Answer:
    wanted, extent = ready.wanted, findings.extent
    assert wanted is not None  # who has no index has been answered
    explanations = {
        key: replace(each, rerank=reranked.get(key) if reranked else None)
        for key, each in findings.explanations.items()
    }
    passages = pack(hits, findings.chunks, wanted.plan.packing, explanations)
    notes = ready.notes
    if wanted.plan.rerank and hits and reranked is None:
        notes += ("No model sorted the passages; they stand in the order of the fused lists.",)
    watch.total()
    searched = Searched(
        index=wanted.index.number,
        model=wanted.index.model,
        mode=wanted.plan.mode,
        documents=extent.documents,
        chunks=extent.chunks,
        terms=tuple(findings.weighed.words[term] for term in findings.weighed.weights),
        exact=(*wanted.asked.identifiers, *(phrase.text for phrase in wanted.asked.phrases)),
        concepts=tuple(wanted.concepts),
        rewritten=ready.rewritten,
        timings=watch.milliseconds,
    )
    return Answer(passages, searched, None if passages else _reason(findings), notes)


def _reason(findings: Findings) -> Reason:
    if findings.extent.readable == 0:
        return Reason.NO_DOCUMENTS
    return Reason.FILTERED_OUT if findings.extent.documents == 0 else Reason.NOTHING_RELEVANT
