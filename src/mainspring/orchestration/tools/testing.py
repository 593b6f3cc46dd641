"""Fakes of the room's ports, for tests of any room: people who decide at once, and a set of flags."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

import msgspec

from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal

from .ports import ApprovalRequest, Asked, Granted, Pending, Refused, Verdict
from .types import Json


@dataclass(slots=True)
class Desk:
    """An `Approver` in memory: tests say what people decide. `requests` holds what was asked, by approval."""

    requests: dict[UUID, ApprovalRequest] = field(default_factory=dict[UUID, ApprovalRequest])
    _asked: dict[tuple[TenantId, str], Asked] = field(default_factory=dict[tuple[TenantId, str], Asked])
    _verdicts: dict[UUID, Verdict] = field(default_factory=dict[UUID, Verdict])
    _users: dict[UUID, str] = field(default_factory=dict[UUID, str])

    async def ask(self, tenant: TenantId, request: ApprovalRequest) -> Asked | Refused:
        """As the port says."""
        known = self._asked.get((tenant, request.key))
        if known is not None:
            return known
        content = msgspec.json.encode([request.action, request.arguments], order="sorted")
        asked = self._asked[tenant, request.key] = Asked(new_id(), sha256(content).hexdigest())
        self.requests[asked.approval] = request
        return asked

    async def consume(self, tenant: TenantId, asked: Asked, *, key: str) -> Verdict:
        """As the port says."""
        verdict = self._verdicts.get(asked.approval, Pending())
        if isinstance(verdict, Granted) and self._users.setdefault(asked.approval, key) != key:
            return Refused("approval_consumed", "The decision was used already.")
        return verdict

    def approve(self, approval: UUID, *, arguments: Mapping[str, Json] | None = None) -> None:
        """Say yes, to the arguments as they were proposed or as edited here."""
        self._verdicts[approval] = Granted(arguments or self.requests[approval].arguments, "user:usr_fake")

    def reject(self, approval: UUID, reason: str = "No.") -> None:
        """Say no."""
        self._verdicts[approval] = Refused("approval_rejected", reason)


@dataclass(frozen=True, slots=True)
class FlagBoard:
    """`Flags` in memory: those of `on` are on, for everybody."""

    on: frozenset[str]

    async def is_on(self, tenant: TenantId, name: str, principal: Principal) -> bool:
        """Whether the flag is one of them."""
        return name in self.on
