"""How far two indexes agree: the same texts asked of both, and what each finds put side by side.

Two indexes may cut differently, so what is compared are places: two hits are the same when they are of one
document and their spans overlap.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Embedder, GoldenRecall, GoldenRuns
from mainspring.orchestration.knowledge.types import IndexVersion

from . import rebuild_store
from .rebuild_store import Place
from .types import Comparison
from .vectors import vector_text

FIRST = 10
"""How many hits of each index are compared."""

_ASKED_CHARACTERS = 300  # of a chunk, about as long as a question with its context
_TEXTS_A_CALL = 16


class Comparing:
    """Asks two indexes of a tenant the same."""

    def __init__(self, homes: Homes, embedder: Embedder) -> None:
        self._homes = homes
        self._embedder = embedder

    async def compare(
        self,
        tenant: TenantId,
        active: IndexVersion,
        building: IndexVersion,
        *,
        samples: int,
        golden: GoldenRuns | None = None,
    ) -> Comparison:
        """The openings of sampled chunks as queries, in either index by its own model; kept with the new index.

        The chunk that asks, and what overlaps it, is left out of what is found: it would be first in both.
        """
        async with self._homes.reading(tenant) as transaction:
            places = await rebuild_store.sample_places(transaction, active.id, samples)
        texts = [place.text[:_ASKED_CHARACTERS] for place in places]
        vectors = {index.embedding_model: await self._vectors(tenant, texts, index) for index in (active, building)}
        asked: list[tuple[Sequence[Place], Sequence[Place]]] = []
        for number, place in enumerate(places):
            old = await self._nearest(tenant, active, vectors[active.embedding_model][number], place)
            new = await self._nearest(tenant, building, vectors[building.embedding_model][number], place)
            asked.append((old, new))
        found = replace(compare(asked), golden=await _ask_golden(golden, tenant, active, building))
        async with self._homes.writing(tenant) as transaction:
            await rebuild_store.note_comparison(transaction, building.id, asdict(found))
        return found

    async def _vectors(self, tenant: TenantId, texts: Sequence[str], index: IndexVersion) -> list[str]:
        found: list[str] = []
        for start in range(0, len(texts), _TEXTS_A_CALL):
            batch = texts[start : start + _TEXTS_A_CALL]
            vectors = await self._embedder.embed(tenant, batch, model=index.embedding_model)
            found += [vector_text(vector, index.dimensions) for vector in vectors]
        return found

    async def _nearest(self, tenant: TenantId, index: IndexVersion, vector: str, besides: Place) -> list[Place]:
        async with self._homes.reading(tenant) as transaction:
            return await rebuild_store.nearest_places(transaction, index.id, vector, besides=besides, limit=FIRST)


async def _ask_golden(
    golden: GoldenRuns | None, tenant: TenantId, active: IndexVersion, building: IndexVersion
) -> tuple[GoldenRecall, GoldenRecall] | None:
    old = await golden.measure(tenant, active.id) if golden else None
    new = await golden.measure(tenant, building.id) if golden and old else None
    return (old, new) if old and new else None


def matched_ranks(old: Sequence[Place], new: Sequence[Place]) -> list[tuple[int, int]]:
    """The ranks (0 is first) of hits that both lists have; each hit is matched once, with the first that overlaps."""
    left = dict(enumerate(new))
    pairs: list[tuple[int, int]] = []
    for rank, place in enumerate(old):
        found = next((other for other, candidate in left.items() if _overlaps(place, candidate)), None)
        if found is not None:
            del left[found]
            pairs.append((rank, found))
    return pairs


def compare(asked: Sequence[tuple[Sequence[Place], Sequence[Place]]]) -> Comparison:
    """The figures over all that was asked: what the old and what the new index found each time."""
    shares: list[float] = []
    correlations: list[float] = []
    for old, new in asked:
        if not old:
            continue
        pairs = matched_ranks(old, new)
        shares.append(len(pairs) / len(old))
        if len(pairs) >= 3:
            correlations.append(_spearman(pairs))
    return Comparison(
        queries=len(shares),
        overlap=sum(shares) / len(shares) if shares else 1.0,
        rank_correlation=sum(correlations) / len(correlations) if correlations else None,
    )


def _overlaps(one: Place, other: Place) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end


def _spearman(pairs: Sequence[tuple[int, int]]) -> float:
    """Of ranks without ties, counted anew among the pairs."""
    olds, news = sorted(old for old, _ in pairs), sorted(new for _, new in pairs)
    squares = sum((olds.index(old) - news.index(new)) ** 2 for old, new in pairs)
    count = len(pairs)
    return 1 - 6 * squares / (count * (count * count - 1))
