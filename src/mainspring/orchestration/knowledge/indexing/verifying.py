"""Whether what is said to be indexed is."""

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes

from .types import Difference


class Verifying:
    """Compares the record with the rows."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes

    async def verify(self, tenant: TenantId) -> tuple[Difference, ...]:
        raise NotImplementedError

    async def repair(self, tenant: TenantId) -> int:
        raise NotImplementedError
