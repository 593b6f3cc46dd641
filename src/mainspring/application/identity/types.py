"""The words of identity: tenants, the people in them, what each role may do, and API keys.

A person (`User`) exists once; a `Member` is that person in one tenant, under the name the tenant
gave them and with one role. A role is a name for a set of permissions, and `ROLE_PERMISSIONS` is
the whole table: there is no other place where a right comes from. Secrets are kept out of every
repr, so that none can reach a log by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType
from uuid import UUID

from mainspring.foundation.ids import TenantId, UserId

MemberId = NewType("MemberId", UUID)
KeyId = NewType("KeyId", UUID)
TeamId = NewType("TeamId", UUID)
SessionId = NewType("SessionId", UUID)


class Role(StrEnum):
    """What a member is in a tenant, from the widest rights to the narrowest."""

    OWNER = "owner"
    ADMIN = "admin"
    REVIEWER = "reviewer"
    ANALYST = "analyst"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One right. An API key's scopes are permissions too."""

    AI_MODEL_CALL = "ai.model.call"
    AI_ANALYSIS_TRIGGER = "ai.analysis.trigger"
    AI_OUTPUT_VIEW = "ai.output.view"
    AI_RECOMMENDATION_APPROVE = "ai.recommendation.approve"
    PROMPT_EDIT = "prompt.edit"
    PLAYBOOK_EDIT = "playbook.edit"
    CONTRACT_UPLOAD = "contract.upload"
    CONTRACT_DELETE = "contract.delete"
    GATEWAY_VIEW = "gateway.view"
    GATEWAY_MANAGE = "gateway.manage"
    KNOWLEDGE_VIEW = "knowledge.view"
    KNOWLEDGE_EDIT = "knowledge.edit"
    KNOWLEDGE_MANAGE = "knowledge.manage"
    RUN_OPERATE = "run.operate"
    AGENT_RUN = "agent.run"
    AGENT_EDIT = "agent.edit"
    TOOL_MANAGE = "tool.manage"
    DELIVERY_MANAGE = "delivery.manage"
    AUDIT_READ = "audit.read"
    MEMBER_VIEW = "member.view"
    MEMBER_MANAGE = "member.manage"
    KEY_MANAGE = "key.manage"
    TENANT_MANAGE = "tenant.manage"


ALL_PERMISSIONS: frozenset[str] = frozenset(permission.value for permission in Permission)

_VIEWER = frozenset({Permission.AI_OUTPUT_VIEW.value, Permission.KNOWLEDGE_VIEW.value})
_ANALYST = _VIEWER | {
    Permission.AI_ANALYSIS_TRIGGER.value,
    Permission.AI_MODEL_CALL.value,
    Permission.AGENT_RUN.value,
    Permission.CONTRACT_UPLOAD.value,
    Permission.GATEWAY_VIEW.value,
    Permission.KNOWLEDGE_EDIT.value,
    Permission.MEMBER_VIEW.value,
}
_REVIEWER = _ANALYST | {
    Permission.AI_RECOMMENDATION_APPROVE.value,
    Permission.AGENT_EDIT.value,
    Permission.RUN_OPERATE.value,
    Permission.PLAYBOOK_EDIT.value,
    Permission.CONTRACT_DELETE.value,
}
_ADMIN = ALL_PERMISSIONS - {Permission.TENANT_MANAGE.value}

ROLE_PERMISSIONS: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.OWNER: ALL_PERMISSIONS,
        Role.ADMIN: _ADMIN,
        Role.REVIEWER: _REVIEWER,
        Role.ANALYST: _ANALYST,
        Role.VIEWER: _VIEWER,
    }
)
"""Which role holds which permissions; each role holds all that the next one does."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A paying organization.

    slug           short name for URLs and the command line, unique on the platform
    is_ai_enabled  whether model calls may be made for it; without, the deterministic methods run
    """

    id: TenantId
    slug: str
    name: str
    is_ai_enabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person, the same one in every tenant; `name` is the one known where it was asked for."""

    id: UserId
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one tenant."""

    id: MemberId
    user: User
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Team:
    """Some of a tenant's members under one name, unique in the tenant, to whom documents may be opened."""

    id: TeamId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member just added; `password` is set only when it was generated, and is shown this once."""

    member: Member
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential for programs. The secret is not kept, only its hash.

    prefix        the readable beginning of the secret (`ms_1a2B3c4D`), to recognise it by
    scopes        permissions it holds at most; never more than its creator holds at the moment
    last_used_at  to the minute
    """

    id: KeyId
    name: str
    prefix: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just created, with the secret that is shown this once."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TenantChoice:
    """A tenant that the signed-in person can open, and as what."""

    id: TenantId
    slug: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential speaks for; `user` and `role` are None for an API key."""

    tenant: Tenant
    permissions: frozenset[str]
    user: User | None = None
    role: Role | None = None
    tenants: tuple[TenantChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just opened. `token` goes into the cookie, `csrf_token` into the page; neither is kept."""

    caller: Caller
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime
