"""`Indexes`: a tenant's documents made searchable, whole or not at all.

Searches read one index, the active one. A new embedding model or another way of cutting gets an index of its
own beside it; documents that come in meanwhile go into both, so that the switch is one row's change.
"""

from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.errors import NotFound, Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ports import Embedder, GoldenRuns
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.types import Chunk, IndexStatus, IndexVersion, Reader
from mainspring.orchestration.pipelines.types import StepRun

from . import store
from .comparing import Comparing
from .publishing import Progress, Publishing
from .rebuilding import Rebuilding
from .types import Comparison, Cut, Difference, RebuildProgress
from .verifying import Verifying

_TRIES = 3


class Indexes:
    """Index versions of a tenant, and the way of a document into them."""

    def __init__(
        self,
        homes: Homes,
        objects: ObjectStore,
        documents: Documents,
        setups: Setups,
        embedder: Embedder,
        *,
        clock: Clock = now,
    ) -> None:
        self._homes = homes
        self._documents = documents
        self._setups = setups
        self._embedder = embedder
        self._publishing = Publishing(homes, objects, documents, setups, embedder)
        self._rebuilding = Rebuilding(homes, documents, setups, self._publishing, clock=clock)
        self._comparing = Comparing(homes, embedder)
        self._verifying = Verifying(homes)

    async def active(self, tenant: TenantId) -> IndexVersion:
        """The index that searches read; made from the current setup when there is none, once however many ask."""
        for _ in range(_TRIES):
            async with self._homes.reading(tenant) as transaction:
                found = await store.find_with_status(transaction, IndexStatus.ACTIVE)
            if found is not None:
                return found
            await self._make_active(tenant)
        raise Unavailable("The tenant's index is being replaced; try again.", retry_after_seconds=1)

    async def _make_active(self, tenant: TenantId) -> None:
        setup = await self._setups.current(tenant)
        model = setup.value.embedding_model
        dimensions = self._embedder.dimensions(model)
        async with self._homes.writing(tenant) as transaction:
            await store.add_index(
                transaction,
                new_id(),
                IndexStatus.ACTIVE,
                model=model,
                dimensions=dimensions,
                settings=setup.version,
            )

    async def targets(self, tenant: TenantId) -> tuple[IndexVersion, ...]:
        """The indexes that a document goes into: the active one, then the one being built if there is one."""
        active = await self.active(tenant)
        async with self._homes.reading(tenant) as transaction:
            building = await store.find_with_status(transaction, IndexStatus.BUILDING)
        return (active, building) if building else (active,)

    async def list_versions(self, tenant: TenantId) -> tuple[IndexVersion, ...]:
        """Every index that is still there, newest first."""
        async with self._homes.reading(tenant) as transaction:
            return await store.list_indexes(transaction)

    async def cut(self, tenant: TenantId, document_id: UUID, index: IndexVersion) -> Cut:
        """The chunks of the newest revision by the index's setup; kept, so that a second call reads them.

        raises  NotFound, NotParsedYet
        """
        return await self._publishing.cut(tenant, document_id, index)

    async def read_cut(self, reader: Reader, document_id: UUID, fingerprint: str) -> Cut:
        """An earlier cut of the newest revision, as `cut` made it, whatever the indexes hold by now.

        raises  NotFound, also when the document's bytes have changed since
        """
        document = await self._documents.get(reader, document_id)
        found = await self._publishing.read_cut(reader.tenant, document, fingerprint)
        if found is None:
            raise NotFound(f"{document.name} has changed since it was cut that way; analyse it again.")
        return found

    async def embed(
        self,
        tenant: TenantId,
        document_id: UUID,
        index: IndexVersion,
        *,
        progress: Progress | None = None,
        run: StepRun | None = None,
    ) -> int:
        """Make the vectors that are missing; how many texts were sent to the model. Goes on where it stopped.

        raises  NotFound, NotParsedYet, Superseded, UnusableVector, and what the embedder raises
        """
        return await self._publishing.embed(tenant, document_id, index, progress=progress, run=run)

    async def publish(self, tenant: TenantId, document_id: UUID, index: IndexVersion, *, revision: int) -> None:
        """Make the revision what the index holds of the document, in one transaction.

        raises  NotFound, NotParsedYet, Superseded, IndexReplaced, VectorsMissing, and what the embedder raises
        """
        await self._publishing.publish(tenant, document_id, index, revision=revision)

    async def list_chunks(self, reader: Reader, document_id: UUID) -> tuple[Chunk, ...]:
        """The document's chunks in the active index, else of its newest cut, in order; none before it is cut.

        raises  NotFound when there is no such document that the reader may see
        """
        document = await self._documents.get(reader, document_id)
        async with self._homes.reading(reader.tenant) as transaction:
            chunks = await store.list_chunks(transaction, document_id)
        if chunks:
            return chunks
        index = await self.active(reader.tenant)
        made = await self._publishing.find_cut(reader.tenant, document, index)
        return made.chunks if made else ()

    async def start_rebuild(self, tenant: TenantId, settings_version: int) -> IndexVersion:
        """Begin a new index beside the active one, by this version of the setup; the same again gives the same.

        raises  NotFound for a version that was never saved; RebuildRunning when another one is being built
        """
        await self.active(tenant)
        setup = await self._setups.get(tenant, settings_version)
        return await self._rebuilding.start(tenant, setup, self._embedder.dimensions(setup.value.embedding_model))

    async def rebuild_some(self, tenant: TenantId, limit: int = 10, *, run: StepRun | None = None) -> RebuildProgress:
        """Bring up to `limit` documents into the index being built; goes on where the last call stopped.

        A document that fails is noted and passed over, and does not hold up the others. Errors that pass by
        themselves (a rate limit, a model that is away) are raised.
        raises  NoRebuild
        """
        return await self._rebuilding.some(tenant, limit, run=run)

    async def retry_failures(self, tenant: TenantId) -> None:
        """Forget the failures of the index being built, so that `rebuild_some` tries those documents again."""
        await self._rebuilding.retry_failures(tenant)

    async def compare(self, tenant: TenantId, *, samples: int = 100, golden: GoldenRuns | None = None) -> Comparison:
        """Ask both indexes the same and measure how far they agree; kept with the index being built.

        golden  whoever asks the tenant's golden questions, so that both answer these too
        raises  NoRebuild; with `golden`, Unavailable while a model is away
        """
        building = await self._rebuilding.building(tenant)
        active = await self.active(tenant)
        return await self._comparing.compare(tenant, active, building, samples=samples, golden=golden)

    async def switch(self, tenant: TenantId, *, force: bool = False) -> IndexVersion:
        """Make the index being built the active one, in one transaction; the other is kept for a day, to go back.

        force   also when it lacks documents; they are pending then, until they are indexed anew
        raises  NoRebuild; RebuildIncomplete, which says how many documents are missing or failed
        """
        return await self._rebuilding.switch(tenant, force=force)

    async def undo(self, tenant: TenantId) -> IndexVersion:
        """Go back to the index that was active before; what changed since is pending until it is indexed anew.

        raises  NothingToUndo
        """
        return await self._rebuilding.undo(tenant)

    async def abandon(self, tenant: TenantId) -> None:
        """Give up the index being built; none is fine."""
        await self._rebuilding.abandon(tenant)

    async def purge_retired(self, tenant: TenantId, limit: int = 100) -> int:
        """Remove up to `limit` documents from indexes that can no longer be gone back to; how many are left."""
        return await self._rebuilding.purge_retired(tenant, limit)

    async def verify(self, tenant: TenantId) -> tuple[Difference, ...]:
        """Where the record of what is indexed and the rows differ, in active and building; empty when all is well."""
        return await self._verifying.verify(tenant)

    async def repair(self, tenant: TenantId) -> int:
        """Have every document that `verify` names indexed anew, counts of terms made right; how many there were."""
        return await self._verifying.repair(tenant)
