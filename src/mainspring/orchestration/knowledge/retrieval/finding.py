"""Everything a search reads, in one transaction: ranked lists, fused, and the best chunks with what stands around them.

Each list is one statement, timed. Nothing is decided here about what is shown.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from typing import TypeVar
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction

from . import store
from .asking import Asked
from .explaining import Scores, explain
from .fusion import Fused, RankedList, fuse
from .passages import Found
from .plan import Plan
from .rarity import Weighed, weigh
from .relevance import Evidence, is_relevant
from .store import Extent, Key, Scope
from .types import Explanation

Result = TypeVar("Result")

_NARROW = 0.2
"""Share of an index below which its graph is not used: a scan through filters would read most of it in vain."""

_LARGE = 5_000
"""Chunks from which a scan takes so long that it pays to say how."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index version that is searched."""

    id: UUID
    number: int
    model: str
    dimensions: int
    promoted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question made ready: its text read, its vector made, its concepts known.

    vector     as pgvector reads it; None when vectors are not compared
    concepts   labels with how surely the question means them
    """

    asked: Asked
    plan: Plan
    index: Index
    vector: str | None = None
    concepts: Mapping[str, float] = field(default_factory=dict[str, float])
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found. `fused` is empty when nothing has to do with the question.

    chunks        of the best of `fused`, with those around them
    """

    extent: Extent
    weighed: Weighed = field(default_factory=lambda: Weighed({}, {}))
    evidence: Evidence | None = None
    fused: tuple[Fused[Key], ...] = ()
    chunks: Mapping[Key, Found] = field(default_factory=dict[Key, Found])
    explanations: Mapping[Key, Explanation] = field(default_factory=dict[Key, Explanation])


class Stopwatch:
    """Milliseconds by name, added up."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._started = perf_counter()

    async def time(self, name: str, work: Awaitable[Result]) -> Result:
        """Wait for the work and note how long it took."""
        started = perf_counter()
        result = await work
        self._add(name, started)
        return result

    def total(self) -> None:
        """Note the time since this was made."""
        self._add("total", self._started)

    def _add(self, name: str, started: float) -> None:
        taken = self.milliseconds.get(name, 0.0) + (perf_counter() - started) * 1_000
        self.milliseconds[name] = round(taken, 3)


async def find(transaction: TenantTransaction, scope: Scope, wanted: Wanted, watch: Stopwatch) -> Findings:
    """Rank, fuse, judge and read."""
    extent = await watch.time("measure", store.measure(transaction, scope))
    if extent.documents == 0:
        return Findings(extent)
    scope = replace(scope, is_whole=extent.hidden == 0 and scope.filters.is_empty)
    if extent.all_chunks >= _LARGE:
        await watch.time("measure", store.keep_to_rows(transaction))
    weighed = Weighed({}, {})
    if wanted.plan.by_words:
        weighed = await watch.time("analyse", weigh(transaction, scope, wanted.asked, extent))
    finder = _Finder(transaction, scope, wanted, watch)
    lists = await finder.lists(weighed, extent)
    evidence = _evidence(wanted, weighed, lists)
    if not is_relevant(evidence, wanted.plan.floor):
        return Findings(extent, weighed, evidence)
    best = tuple(fuse(lists, k=wanted.plan.rrf_k)[: wanted.plan.pool])
    chunks = await watch.time("read", finder.read(best))
    fused = tuple(each for each in best if each.item in chunks)
    findings = Findings(extent, weighed, evidence, fused, chunks)
    if not wanted.explain:
        return findings
    return replace(findings, explanations=await watch.time("explain", finder.explain(findings)))


@dataclass(frozen=True, slots=True)
class _Finder:
    transaction: TenantTransaction
    scope: Scope
    wanted: Wanted
    watch: Stopwatch

    async def lists(self, weighed: Weighed, extent: Extent) -> list[RankedList[Key]]:
        """The ranked lists that the plan asks for; one that holds nothing is left out."""
        weights, limit = self.wanted.plan.weights, self.wanted.plan.candidates
        found: list[RankedList[Key]] = []
        if self.wanted.vector is not None:
            near = await self.watch.time("vector", self._nearest(self.wanted.vector, extent))
            found.append(RankedList("vector", weights.vector or 1.0, near))
        for name, vector, weight in (
            ("text", weighed.vector(frozenset(weighed.words) - weighed.exact), weights.text),
            ("exact", weighed.vector(weighed.exact), weights.exact),
        ):
            if vector is not None and weight > 0:
                by_terms = store.best_by_terms(self.transaction, self.scope, vector, limit=limit)
                found.append(RankedList(name, weight, await self.watch.time(name, by_terms)))
        if (phrases := weighed.vector(weighed.phrase)) is not None and weights.exact > 0:
            patterns = [phrase.pattern for phrase in self.wanted.asked.phrases]
            held = store.holding_phrases(self.transaction, self.scope, phrases, patterns, limit=limit)
            found.append(RankedList("phrases", weights.exact, await self.watch.time("phrases", held)))
        if self.wanted.concepts:
            labelled = store.labelled(self.transaction, self.scope, self.wanted.concepts, limit=limit)
            ranked = [(key, score) for key, score, _ in await self.watch.time("labels", labelled)]
            surest = max(self.wanted.concepts.values())
            found.append(RankedList("labels", weights.labels * surest, ranked))
        return [each for each in found if each.ranked]

    async def _nearest(self, vector: str, extent: Extent) -> list[tuple[Key, float]]:
        index, limit = self.wanted.index, self.wanted.plan.candidates
        is_wide = extent.chunks >= _NARROW * extent.all_chunks and not self.scope.filters.labels
        if index.promoted_at is not None and is_wide and index.dimensions in store.APPROXIMATE:
            near = await store.roughly_nearest(
                self.transaction, self.scope, vector, dimensions=index.dimensions, limit=limit
            )
            # A walk gives up after hnsw.max_scan_tuples, though what the filters let through may all lie behind.
            if len(near) >= min(limit, extent.chunks):
                return near
        return await store.nearest(self.transaction, self.scope, vector, limit=limit)

    async def read(self, fused: Sequence[Fused[Key]]) -> dict[Key, Found]:
        """The chunks, and as many on each side as a passage may show."""
        reach = range(-self.wanted.plan.packing.neighbours, self.wanted.plan.packing.neighbours + 1)
        keys = {(document, place + step) for document, place in (each.item for each in fused) for step in reach}
        rows = await store.read_chunks(self.transaction, self.scope, sorted(keys))
        return {found.key: found for found in map(_found, rows)}

    async def explain(self, findings: Findings) -> dict[Key, Explanation]:
        """What each score is made of."""
        keys, weighed = [each.item for each in findings.fused], findings.weighed
        scores = await store.read_scores(
            self.transaction, self.scope, keys, terms=weighed.vectors(), vector=self.wanted.vector
        )
        labels = await store.read_labels(self.transaction, self.scope, keys, list(self.wanted.concepts))
        return explain(self.wanted.asked, weighed, findings.fused, findings.chunks, Scores.of(scores, labels))


def _evidence(wanted: Wanted, weighed: Weighed, lists: Sequence[RankedList[Key]]) -> Evidence:
    best = {each.name: each.ranked[0][1] for each in lists}
    named = [label for label, strength in wanted.concepts.items() if strength >= 1]
    exact = sum(weighed.weights.get(term, 0.0) for term in weighed.exact)
    return Evidence(
        cosine=best.get("vector"),
        words=best.get("text", 0.0) / weighed.total if weighed.total else 0.0,
        phrases="phrases" in best,
        exact=best.get("exact", 0.0) / (weighed.total + exact) if exact else 0.0,
        label=best.get("labels", 0.0) if named else 0.0,
    )


def _found(row: Row) -> Found:
    return Found(
        key=(row["document_id"], row["ordinal"]),
        start=row["start"],
        end=row["end"],
        text=row["text"],
        tokens=row["tokens"],
        document=row["name"],
        source=row["source"],
        uri=row["uri"],
        number=row["number"],
        heading_path=tuple(row["heading_path"]),
        page=row["page"],
        attributes=row["attributes"],
    )
