"""What the gateway asks of the rooms above it."""

from typing import Protocol

from mainspring.foundation.ids import TenantId


class AiSwitch(Protocol):
    """Whether a tenant allows generative AI; asked before every call, so it should answer from memory."""

    async def is_enabled(self, tenant: TenantId) -> bool:
        """False when the tenant has switched AI off."""
        ...
