"""`Indexes`: a tenant's documents made searchable, whole or not at all."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Embedder
from mainspring.orchestration.knowledge.types import Chunk, IndexVersion, Reader
from mainspring.orchestration.pipelines.types import StepRun

from .setups import SetupVersions
from .types import Comparison, Cut, Difference, RebuildProgress

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many chunks have their vectors, of how many."""


class Indexes:
    """Index versions of a tenant, and the way of a document into them."""

    def __init__(
        self,
        homes: Homes,
        objects: ObjectStore,
        documents: Documents,
        setups: SetupVersions,
        embedder: Embedder,
        *,
        clock: Clock = now,
    ) -> None:
        self._homes = homes

    async def active(self, tenant: TenantId) -> IndexVersion:
        """The index that searches read; made from the current setup when there is none."""
        raise NotImplementedError

    async def targets(self, tenant: TenantId) -> tuple[IndexVersion, ...]:
        """The indexes that a document goes into: the active one, then the one being built if there is one."""
        raise NotImplementedError

    async def list_versions(self, tenant: TenantId) -> tuple[IndexVersion, ...]:
        """Every index that is still there, newest first."""
        raise NotImplementedError

    async def cut(self, tenant: TenantId, document_id: UUID, index: IndexVersion) -> Cut:
        """The chunks of the newest revision; kept, so a second call reads them."""
        raise NotImplementedError

    async def embed(
        self,
        tenant: TenantId,
        document_id: UUID,
        index: IndexVersion,
        *,
        progress: Progress | None = None,
        run: StepRun | None = None,
    ) -> int:
        """Make the vectors that are missing; how many texts were sent to the model."""
        raise NotImplementedError

    async def publish(self, tenant: TenantId, document_id: UUID, index: IndexVersion, *, revision: int) -> None:
        """Make the revision what the index holds of the document, in one transaction."""
        raise NotImplementedError

    async def list_chunks(self, reader: Reader, document_id: UUID) -> tuple[Chunk, ...]:
        """The document's chunks in the active index, else of its newest cut."""
        raise NotImplementedError

    async def start_rebuild(self, tenant: TenantId, settings_version: int) -> IndexVersion:
        """Begin a new index beside the active one, by this version of the setup."""
        raise NotImplementedError

    async def rebuild_some(self, tenant: TenantId, limit: int = 10, *, run: StepRun | None = None) -> RebuildProgress:
        """Bring up to `limit` documents into the index being built."""
        raise NotImplementedError

    async def compare(self, tenant: TenantId, *, samples: int = 100) -> Comparison:
        """Ask both indexes the same and measure how far they agree; kept with the index being built."""
        raise NotImplementedError

    async def switch(self, tenant: TenantId, *, force: bool = False) -> IndexVersion:
        """Make the index being built the active one, in one transaction."""
        raise NotImplementedError

    async def undo(self, tenant: TenantId) -> IndexVersion:
        """Go back to the index that was active before."""
        raise NotImplementedError

    async def abandon(self, tenant: TenantId) -> None:
        """Give up the index being built; none is fine."""
        raise NotImplementedError

    async def purge_retired(self, tenant: TenantId, limit: int = 100) -> int:
        """Remove up to `limit` documents from indexes that can no longer be gone back to; how many are left."""
        raise NotImplementedError

    async def verify(self, tenant: TenantId) -> tuple[Difference, ...]:
        """Where the record of what is indexed and the rows differ; empty when all is well."""
        raise NotImplementedError

    async def repair(self, tenant: TenantId) -> int:
        """Have every document that `verify` names indexed anew; how many there were."""
        raise NotImplementedError
