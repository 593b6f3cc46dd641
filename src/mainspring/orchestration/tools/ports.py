"""What tools need from elsewhere: flags, people's approval, records, and tools that are known at run time only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal

from .types import Json, Tool


class Flags(Protocol):
    """Whether a feature is on for a caller."""

    async def is_on(self, tenant: TenantId, name: str, principal: Principal) -> bool:
        """True only when it is known to be on."""
        ...


@dataclass(frozen=True, slots=True)
class AllFlags:
    """Every flag the same; off until a service of flags is wired: a tool behind a flag waits for its flag."""

    on: bool = False

    async def is_on(self, tenant: TenantId, name: str, principal: Principal) -> bool:
        """As it was made."""
        return self.on


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What a person is asked: exactly this action with exactly these arguments.

    key        the same key asks once
    signal     what `run` is woken by when it is decided; None: whoever asks looks again
    reason     why a person is asked, in a sentence
    shown      markdown for the person
    initiator  hands that act; they may not approve
    """

    action: str
    arguments: Mapping[str, Json]
    title: str
    shown: str
    reason: str
    roles: tuple[str, ...]
    expires: timedelta
    initiator: frozenset[str]
    key: str
    run: UUID | None = None
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The approval that stands for a request; `digest` binds it to action and arguments."""

    approval: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has decided yet."""


@dataclass(frozen=True, slots=True)
class Granted:
    """Somebody said yes, to these arguments: as they were proposed, or edited."""

    arguments: Mapping[str, Json]
    by: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not be done; `code` such as `approval_rejected`, `approval_expired` or `approval_voided`."""

    code: str
    reason: str


Verdict = Pending | Granted | Refused


class Approver(Protocol):
    """People, as far as tools ask them."""

    async def ask(self, tenant: TenantId, request: ApprovalRequest) -> Asked | Refused:
        """Ask, or find what was asked under the same key; Refused for what cannot be shown to a person."""
        ...

    async def consume(self, tenant: TenantId, asked: Asked, *, key: str) -> Verdict:
        """Take the decision, once: whoever takes a yes does what was approved. The same `key` may take it again."""
        ...


class ToolSource(Protocol):
    """Tools of a tenant that are known at run time, such as those of MCP servers."""

    async def find(self, tenant: TenantId, name: str) -> Tool | None:
        """The tool of that name, if the tenant may use it now."""
        ...

    async def list_tools(self, tenant: TenantId) -> Sequence[Tool]:
        """All that the tenant may use now."""
        ...
