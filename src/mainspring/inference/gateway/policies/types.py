"""The words of a tenant's configuration."""

from dataclasses import dataclass
from datetime import date, datetime

from mainspring.foundation.ids import show_id
from mainspring.foundation.principal import Principal
from mainspring.inference.gateway.policy import Scope, TenantPolicy


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A tenant's policy as it stands.

    version     counts its changes; 0 when it was never changed and the defaults hold
    updated_by  a user's or key's id, or `operator`
    """

    version: int
    policy: TenantPolicy
    updated_at: datetime | None = None
    updated_by: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderKeyFacts:
    """What may be shown of a tenant's own key at a provider.

    last_four  the end of the key, shorter for short keys
    trouble    why it cannot be used and what to do; None when it can
    """

    provider: str
    last_four: str
    created_at: datetime
    created_by: str
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class SpendQuery:
    """Which days, both included, and which scope (None: all)."""

    first: date
    last: date
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class SpendDay:
    """What one scope's value used on one day (UTC); money in micro-units of USD."""

    spent_on: date
    scope: str
    value: str
    cost_micros: int
    tokens: int
    calls: int


def show_actor(principal: Principal) -> str:
    """Who it was, as events name it: a user's id, a key's id, or `operator`."""
    if principal.user is not None:
        return show_id("usr", principal.user)
    return show_id("key", principal.credential) if principal.credential is not None else "operator"
