"""A new index beside the active one: filled, compared, switched to, gone back from, and removed."""

from mainspring.foundation.clock import Clock
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.setup import Setups, StoredSetup
from mainspring.orchestration.knowledge.types import IndexVersion
from mainspring.orchestration.pipelines.types import StepRun

from .publishing import Publishing
from .types import Comparison, RebuildProgress


class Rebuilding:
    """Exchanges a tenant's index."""

    def __init__(
        self,
        homes: Homes,
        objects: ObjectStore,
        documents: Documents,
        setups: Setups,
        publishing: Publishing,
        *,
        clock: Clock,
    ) -> None:
        self._homes = homes

    async def start(self, tenant: TenantId, setup: StoredSetup, dimensions: int) -> IndexVersion:
        raise NotImplementedError

    async def some(self, tenant: TenantId, limit: int, *, run: StepRun | None) -> RebuildProgress:
        raise NotImplementedError

    async def retry_failures(self, tenant: TenantId) -> None:
        raise NotImplementedError

    async def compare(self, tenant: TenantId, *, samples: int) -> Comparison:
        raise NotImplementedError

    async def switch(self, tenant: TenantId, *, force: bool) -> IndexVersion:
        raise NotImplementedError

    async def undo(self, tenant: TenantId) -> IndexVersion:
        raise NotImplementedError

    async def abandon(self, tenant: TenantId) -> None:
        raise NotImplementedError

    async def purge_retired(self, tenant: TenantId, limit: int) -> int:
        raise NotImplementedError
