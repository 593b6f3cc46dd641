"""`Documents`: from bytes to a row, and from a row to nothing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.pagination import Page, PageRequest
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.parsing import ParseLimits
from mainspring.orchestration.knowledge.ports import Caches
from mainspring.orchestration.knowledge.types import (
    Document,
    DocumentStatus,
    Failure,
    Label,
    ParsedDocument,
    Reader,
)

from .types import NewDocument, Stored

_DEFAULT_LIMITS = ParseLimits()


class Documents:
    """What is known of a tenant's documents before they are searched."""

    def __init__(
        self,
        homes: Homes,
        database: Database,
        objects: ObjectStore,
        caches: Caches,
        *,
        limits: ParseLimits = _DEFAULT_LIMITS,
        recognise_scans: bool = False,
        clock: Clock = now,
    ) -> None:
        self._homes = homes

    async def put(self, tenant: TenantId, new: NewDocument) -> Stored:
        """Take bytes in under their name in a source."""
        raise NotImplementedError

    async def find(self, reader: Reader, document_id: UUID) -> Document | None:
        """The document, None when there is none that the reader may see."""
        raise NotImplementedError

    async def get(self, reader: Reader, document_id: UUID) -> Document:
        """The document; NotFound when there is none that the reader may see."""
        raise NotImplementedError

    async def list_page(
        self,
        tenant: TenantId,
        paging: PageRequest,
        *,
        source: str | None = None,
        status: DocumentStatus | None = None,
        name: str | None = None,
        reader: Reader | None = None,
    ) -> Page[Document]:
        """Newest first; `name` is a part of the name or title. Without a reader, of everybody's documents."""
        raise NotImplementedError

    async def counts_by_status(self, tenant: TenantId) -> Mapping[DocumentStatus, int]:
        """How many documents stand how; a status without documents is 0."""
        raise NotImplementedError

    async def read_original(self, reader: Reader, document_id: UUID) -> bytes:
        """The newest bytes as they came in; NotFound."""
        raise NotImplementedError

    async def parse(self, tenant: TenantId, document_id: UUID) -> ParsedDocument:
        """Parse the newest revision in a bounded process and keep the result."""
        raise NotImplementedError

    async def get_parsed(self, reader: Reader, document_id: UUID, *, revision: int | None = None) -> ParsedDocument:
        """What parsing found in the newest revision, or in an earlier one that is still searched."""
        raise NotImplementedError

    async def note_run(self, tenant: TenantId, document_id: UUID, run_id: UUID) -> None:
        """The newest run that is about the document."""
        raise NotImplementedError

    async def fail(self, tenant: TenantId, document_id: UUID, revision: int, failure: Failure) -> None:
        """The revision cannot be indexed; nothing happens when it is no longer the newest."""
        raise NotImplementedError

    async def set_readers(self, tenant: TenantId, document_id: UUID, readers: tuple[str, ...] | None) -> Document:
        """Open the document to these subjects only, from the next query on; NotFound."""
        raise NotImplementedError

    async def set_labels(self, tenant: TenantId, document_id: UUID, labels: Sequence[Label]) -> None:
        """Make these the document's labels; NotFound."""
        raise NotImplementedError

    async def delete(self, tenant: TenantId, document_id: UUID) -> None:
        """Remove the document everywhere; one that is not there is fine."""
        raise NotImplementedError

    async def sweep(self) -> int:
        """Finish deletions that were cut off, of all tenants; how many there were."""
        raise NotImplementedError
