"""Whether what is said to be indexed is: the record of each document against its rows, in every index in use.

Found are documents whose chunks, vectors or terms are too few or too many, whose vectors were made for other
texts than the chunks have, which are said to be indexed and are not, and terms that are counted wrongly.
"""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.types import IndexStatus, IndexVersion

from . import rebuild_store, store, verify_store
from .texts import content_hash, embedded_text
from .types import Difference

_DOCUMENTS_AT_ONCE = 50


class Verifying:
    """Finds and mends differences."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes

    async def verify(self, tenant: TenantId) -> tuple[Difference, ...]:
        """Every difference; a document that is published at this moment is seen before or after it."""
        async with self._homes.reading(tenant) as transaction:
            indexes = [each for each in await store.list_indexes(transaction) if each.status is not IndexStatus.RETIRED]
        found: list[Difference] = []
        for index in indexes:
            async with self._homes.reading(tenant) as transaction:
                found += await _compare_rows(transaction, index)
            found += await self._compare_texts(tenant, index)
        return tuple(found)

    async def _compare_texts(self, tenant: TenantId, index: IndexVersion) -> list[Difference]:
        """Chunks whose vector was made for another text."""
        found: list[Difference] = []
        after: UUID | None = None
        while True:
            async with self._homes.reading(tenant) as transaction:
                documents = await verify_store.list_held(transaction, index.id, after, _DOCUMENTS_AT_ONCE)
                rows = await verify_store.read_contents(transaction, index.id, documents)
            if not documents:
                return found
            wrong = {
                row["document_id"]
                for row in rows
                if bytes(row["content_hash"]) != content_hash(embedded_text(store.chunk_of(row)))
            }
            said = "the vectors of some chunks were made for other texts than the chunks have"
            found += [Difference(index.id, document_id, "texts", said) for document_id in sorted(wrong)]
            after = documents[-1]

    async def repair(self, tenant: TenantId) -> int:
        """Documents that differ are pending, and published anew; counts of terms are summed anew. How many documents.

        What searches find of them stays until then. An index being built forgets them, so that they are brought in.
        """
        differences = await self.verify(tenant)
        if not differences:
            return 0
        named = sorted({each.document_id for each in differences if each.document_id is not None})
        async with self._homes.writing(tenant) as transaction:
            indexes = await rebuild_store.hold_indexes(transaction)
            await verify_store.hold_documents(transaction)
            for index in indexes:
                if index.status is IndexStatus.BUILDING:
                    taken = [each.document_id for each in differences if each.index_id == index.id and each.document_id]
                    await verify_store.forget_records(transaction, index.id, taken)
                wrong = await verify_store.list_wrong_terms(transaction, index.id)
                await verify_store.write_counts(transaction, index.id, wrong)
            return await verify_store.mark_pending(transaction, named)


async def _compare_rows(transaction: TenantTransaction, index: IndexVersion) -> Sequence[Difference]:
    found = [
        Difference(index.id, row["document_id"], row["kind"], f"{row['said']} are recorded, {row['there']} are there")
        for row in await verify_store.unlike_their_record(transaction, index.id)
    ]
    if index.status is IndexStatus.ACTIVE:
        found += [
            Difference(index.id, row["document_id"], *_standing(row["revision"], row["held"]))
            for row in await verify_store.unlike_their_status(transaction, index.id)
        ]
    wrong = await verify_store.list_wrong_terms(transaction, index.id)
    if wrong:
        found.append(Difference(index.id, None, "term_counts", f"{len(wrong)} terms are counted wrongly"))
    return found


def _standing(revision: int, held: int | None) -> tuple[str, str]:
    if held is None:
        return "not_indexed", f"revision {revision} is said to be indexed, and no revision is"
    return "stale", f"revision {revision} is said to be indexed, and revision {held} is"
