"""What the gateway asks of the rooms above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal

from .types import InferenceRecord


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What must be known of a tenant before a call; `is_ai_enabled` is False when it has switched AI off."""

    tenant: TenantId
    is_ai_enabled: bool


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """Who an API key speaks for.

    secret_hash   SHA-256 of the whole key
    may_call      the key's scopes and its maker's role allow model calls
    expires_at    Unix seconds; None never
    """

    secret_hash: bytes
    key: UUID
    tenant: TenantId
    name: str
    may_call: bool
    expires_at: float | None = None


class Directory(Protocol):
    """The tenants and keys of the platform, as its owner knows them."""

    async def load_tenants(self) -> Sequence[TenantFacts]:
        """All tenants."""
        ...

    async def find_tenant_facts(self, tenant: TenantId) -> TenantFacts | None:
        """One tenant; None when there is none."""
        ...

    async def load_callers(self, tenant: TenantId | None = None) -> Sequence[CallerFacts]:
        """Every key that is neither revoked nor expired, of one tenant or of all."""
        ...

    async def find_caller(self, secret_hash: bytes) -> CallerFacts | None:
        """The live key with this hash."""
        ...


class AiSwitch(Protocol):
    """Whether a tenant allows generative AI; asked before every call, so it should answer from memory."""

    async def is_enabled(self, tenant: TenantId) -> bool:
        """False when the tenant has switched AI off."""
        ...


class Contents(Protocol):
    """Whose recorded contents a person may read who may see the records."""

    async def may_read(self, principal: Principal, record: InferenceRecord) -> bool:
        """False where the call was about what is closed to them."""
        ...
