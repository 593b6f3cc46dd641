"""`Overview`: documents by status, why some failed, how full each index is, and what waits.

It is read when somebody looks, in one transaction; nothing is counted along as documents come and go, so that
it cannot drift from what is there.
"""

from uuid import UUID

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.types import DocumentStatus, Reader

from . import store
from .types import FailureCause, FailureExample, IndexFilling, Queue, Standing

MAX_CAUSES = 50


class Overview:
    """How a tenant's knowledge stands."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes

    async def read(self, reader: Reader) -> Standing:
        """Counts of all the tenant's documents; names only of those that the reader may see."""
        async with self._homes.reading(reader.tenant) as transaction:
            statuses = await store.count_documents(transaction)
            failures = await store.list_failures(transaction, subjects=reader.subjects, limit=MAX_CAUSES)
            indexes = await store.sum_indexes(transaction)
        found = {DocumentStatus(row["status"]): row for row in statuses}
        pending = found.get(DocumentStatus.PENDING)
        return Standing(
            documents={status: found[status]["documents"] if status in found else 0 for status in DocumentStatus},
            failures=tuple(_cause(row) for row in failures),
            filling={row["index_id"]: _filling(row) for row in indexes},
            queue=Queue(pending["documents"], pending["oldest_at"]) if pending else Queue(0, None),
        )

    async def searched_revision(self, tenant: TenantId, document_id: UUID) -> int | None:
        """The revision of a document that searches find, which may be an earlier one; None before there is one."""
        async with self._homes.reading(tenant) as transaction:
            return await store.find_searched_revision(transaction, document_id)


def _cause(row: Row) -> FailureCause:
    example = FailureExample(row["id"], row["name"], row["error_detail"] or "", row["updated_at"])
    return FailureCause(row["error_code"], row["documents"], example if row["is_visible"] else None)


def _filling(row: Row) -> IndexFilling:
    return IndexFilling(row["documents"], row["current"], int(row["chunks"]), int(row["tokens"]))
