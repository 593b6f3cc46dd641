"""What identity announces through the outbox. Ids and small facts; never a secret, an email or a name.

Each event knows its topic; `payload` is what subscribers receive. Ids are in their public form.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """A fact about one tenant; `by` names who did it: a member's user id, a key's id, or `operator`."""

    topic: ClassVar[str]
    by: str

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TenantCreated(IdentityEvent):
    topic: ClassVar[str] = "tenant.created"
    slug: str


@dataclass(frozen=True, slots=True)
class TenantChanged(IdentityEvent):
    """`changed` names the fields, e.g. `ai_enabled`; `is_ai_enabled` is the value after the change."""

    topic: ClassVar[str] = "tenant.changed"
    changed: tuple[str, ...]
    is_ai_enabled: bool


@dataclass(frozen=True, slots=True)
class MemberAdded(IdentityEvent):
    topic: ClassVar[str] = "member.added"
    member: str
    user: str
    role: str


@dataclass(frozen=True, slots=True)
class MemberRoleChanged(IdentityEvent):
    topic: ClassVar[str] = "member.role_changed"
    member: str
    user: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MemberRemoved(IdentityEvent):
    """`keys_revoked` counts the API keys that the person had made and that ended with the membership."""

    topic: ClassVar[str] = "member.removed"
    member: str
    user: str
    keys_revoked: int


@dataclass(frozen=True, slots=True)
class TeamCreated(IdentityEvent):
    topic: ClassVar[str] = "team.created"
    team: str


@dataclass(frozen=True, slots=True)
class TeamRenamed(IdentityEvent):
    topic: ClassVar[str] = "team.renamed"
    team: str


@dataclass(frozen=True, slots=True)
class TeamDeleted(IdentityEvent):
    topic: ClassVar[str] = "team.deleted"
    team: str


@dataclass(frozen=True, slots=True)
class TeamMemberAdded(IdentityEvent):
    topic: ClassVar[str] = "team.member_added"
    team: str
    member: str


@dataclass(frozen=True, slots=True)
class TeamMemberRemoved(IdentityEvent):
    topic: ClassVar[str] = "team.member_removed"
    team: str
    member: str


@dataclass(frozen=True, slots=True)
class KeyCreated(IdentityEvent):
    topic: ClassVar[str] = "api_key.created"
    key: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRevoked(IdentityEvent):
    """`keys_revoked` counts it and the keys that had been made with it."""

    topic: ClassVar[str] = "api_key.revoked"
    key: str
    keys_revoked: int


@dataclass(frozen=True, slots=True)
class SessionOpened(IdentityEvent):
    topic: ClassVar[str] = "session.opened"
    session: str


@dataclass(frozen=True, slots=True)
class SessionClosed(IdentityEvent):
    topic: ClassVar[str] = "session.closed"
    session: str
