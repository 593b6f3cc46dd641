"""A toolbox on real engines, and callers of a tenant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.tools.policies import ToolPolicies
from mainspring.orchestration.tools.ports import Flags, ToolSource
from mainspring.orchestration.tools.service import Toolbox, ToolParts
from mainspring.orchestration.tools.testing import Desk
from mainspring.orchestration.tools.types import Tool, ToolCaller, ToolPolicy

LEASE = timedelta(milliseconds=600)


async def no_pause(seconds: float) -> None:
    """Attempts follow at once."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a toolbox stands on, and people who may use it."""

    tenant: TenantId
    parts: ToolParts
    desk: Desk

    def box(self, tools: Iterable[Tool], *, sources: Sequence[ToolSource] = (), flags: Flags | None = None) -> Toolbox:
        parts = replace(self.parts, flags=flags) if flags else self.parts
        return Toolbox(tools, parts, sources=sources)

    def principal(self, *permissions: str, role: str | None = None, tenant: TenantId | None = None) -> Principal:
        return Principal(
            tenant or self.tenant,
            PrincipalKind.USER,
            "Ada",
            frozenset(permissions) | {"agent.run"},
            subjects=frozenset({f"role:{role}"} if role else ()),
            hands=frozenset({"user:usr_ada"}),
        )

    def caller(self, *permissions: str, scope: str = "thread:1", role: str | None = None) -> ToolCaller:
        return ToolCaller(self.principal(*permissions, role=role), scope)

    @property
    def admin(self) -> Principal:
        return self.principal("tool.manage", "ai.output.view", role="admin")

    async def allow(self, tool: str, policy: ToolPolicy) -> None:
        await ToolPolicies(self.parts.database).put(self.admin, tool, policy)

    async def rows(self, table: str) -> list[Row]:
        """Everything of the tenant in one of the room's tables."""
        async with self.parts.database.tenant(self.tenant) as transaction:
            return await transaction.all(f"select * from {table}")  # pyright: ignore[reportArgumentType] - a test's own
