"""Whether a caller may use a tool. A tool that it may not use does not exist for it: the answers are the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal

from .errors import ToolInvalid
from .policies import read_policies, read_policy, subject
from .ports import Flags, ToolSource
from .types import DEFAULT_POLICY, Tool, ToolPolicy


@dataclass(frozen=True, slots=True)
class Permitted:
    """A tool that the caller may use now, and what the tenant says about it."""

    tool: Tool
    policy: ToolPolicy


class ToolAccess:
    """The tools there are, and who may use them.

    tools    of the platform and its products, the same for every tenant
    sources  of a tenant's own
    """

    def __init__(self, database: Database, tools: Iterable[Tool], sources: Sequence[ToolSource], flags: Flags) -> None:
        self._database = database
        self._sources = sources
        self._flags = flags
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ToolInvalid(f"Two tools are called {tool.name!r}; rename one.")
            self._tools[tool.name] = tool

    async def find(self, principal: Principal, name: str) -> Permitted | None:
        """The tool, if there is one of that name that the principal may use now."""
        tool = await self._tool(principal.tenant, name)
        if tool is None:
            return None
        async with self._database.tenant(principal.tenant) as transaction:
            policy = await read_policy(transaction, tool.name)
        return Permitted(tool, policy) if await self._may(principal, tool, policy) else None

    async def list_all(self, principal: Principal) -> list[tuple[Permitted, bool]]:
        """Every tool of the tenant by name, and whether the principal may use it now."""
        policies = await self.policies(principal.tenant)
        found: list[tuple[Permitted, bool]] = []
        for tool in await self._list(principal.tenant):
            policy = policies.get(tool.name, DEFAULT_POLICY)
            found.append((Permitted(tool, policy), await self._may(principal, tool, policy)))
        return found

    async def policies(self, tenant: TenantId) -> Mapping[str, ToolPolicy]:
        """What the tenant has set, by tool."""
        async with self._database.tenant(tenant) as transaction:
            return await read_policies(transaction)

    async def _tool(self, tenant: TenantId, name: str) -> Tool | None:
        if name in self._tools:
            return self._tools[name]
        for source in self._sources:
            if found := await source.find(tenant, name):
                return found
        return None

    async def _list(self, tenant: TenantId) -> list[Tool]:
        found = dict(self._tools)
        for source in self._sources:
            for tool in await source.list_tools(tenant):
                found.setdefault(tool.name, tool)
        return [found[name] for name in sorted(found)]

    async def _may(self, principal: Principal, tool: Tool, policy: ToolPolicy) -> bool:
        permission = tool.permission if policy.permission is None else policy.permission
        if not policy.is_enabled or (permission and permission not in principal.permissions):
            return False
        if policy.roles and principal.subjects.isdisjoint(map(subject, policy.roles)):
            return False
        flag = policy.flag or tool.flag
        return flag is None or await self._flags.is_on(principal.tenant, flag, principal)
