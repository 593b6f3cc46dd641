"""What indexing asks of a tenant's setup; `knowledge.setup.Setups` answers."""

from typing import Protocol

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.setup import Setup


class SetupVersion(Protocol):
    """One version of a tenant's setup; 0 is the defaults."""

    @property
    def version(self) -> int: ...

    @property
    def value(self) -> Setup: ...


class SetupVersions(Protocol):
    """The versions of tenants' setups."""

    async def current(self, tenant: TenantId, /) -> SetupVersion:
        """The newest version."""
        ...

    async def get(self, tenant: TenantId, version: int, /) -> SetupVersion:
        """That version; NotFound."""
        ...
