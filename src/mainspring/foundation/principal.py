"""Who is calling. Identity fills it in at the edge; everything below only reads it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from mainspring.foundation.errors import Forbidden
from mainspring.foundation.ids import TenantId, UserId


class PrincipalKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller, bound to one tenant, with the permissions it holds now.

    credential   id of the session or API key it came with; None for the system itself
    permissions  such as `ai.analysis.trigger`; an API key holds its scopes at most
    subjects     whom documents may be opened to and the caller is: `user:usr_...`, `team:team_...`, `role:admin`
    hands        who acts here, so that nobody decides alone: `user:usr_...`, `key:key_...`, `agent:<name>`. What an
                 API key or an agent does is also done by the hand of the person it belongs to
    """

    tenant: TenantId
    kind: PrincipalKind
    name: str
    permissions: frozenset[str]
    user: UserId | None = None
    credential: UUID | None = None
    subjects: frozenset[str] = frozenset()
    hands: frozenset[str] = frozenset()

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the principal holds `permission`."""
        if permission not in self.permissions:
            raise Forbidden(
                f"{self.name} lacks the permission {permission!r}; "
                "ask an owner or admin of the tenant for a role that has it."
            )
