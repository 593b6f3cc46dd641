"""What tenants say about tools: stored as it was checked, read with each call."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.principal import Principal

from . import store
from .declaring import TOOL_NAME
from .types import DEFAULT_POLICY, ToolPolicy

MANAGE = "tool.manage"
_LONGEST_WAIT = timedelta(days=366)
_SHORTEST_WAIT = timedelta(minutes=1)
_ROLE = re.compile(r"[a-z][a-z_]{0,30}|(role|team|user|key):[a-z0-9_]{1,80}")
_PERMISSION = re.compile(r"[a-z][a-z_.]{0,60}|")
_MOST_ROLES = 20


class ToolPolicies:
    """Use cases on the tool policies of a tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, principal: Principal, tool: str, policy: ToolPolicy) -> ToolPolicy:
        """Store a policy, also for a tool that is not there yet; it holds from the next call on.

        Needs `tool.manage`. InvalidInput names the field and its limit.
        """
        principal.require(MANAGE)
        if not TOOL_NAME.fullmatch(tool):
            raise InvalidInput(f"{tool[:80]!r} cannot be a tool's name; see GET /v1/tools for those there are.")
        _check(policy)
        document = {**asdict(policy), "approval_expires": policy.approval_expires.total_seconds()}
        async with self._database.tenant(principal.tenant) as transaction:
            await store.upsert_policy(transaction, tool, document=document, by=principal.name)
        return policy


async def read_policy(transaction: TenantTransaction, tool: str) -> ToolPolicy:
    """The tenant's policy for a tool, or the default."""
    row = await store.find_policy(transaction, tool)
    return policy_of(row["document"]) if row else DEFAULT_POLICY


async def read_policies(transaction: TenantTransaction) -> dict[str, ToolPolicy]:
    """All that the tenant has set, by tool."""
    return {row["tool"]: policy_of(row["document"]) for row in await store.list_policies(transaction)}


def policy_of(document: Mapping[str, Any]) -> ToolPolicy:
    """A stored policy; fields that this version does not know are left out, so that an older process can read on."""
    known = {name: document[name] for name in ToolPolicy.__dataclass_fields__ if name in document}
    known["roles"], known["approvers"] = tuple(known.get("roles", ())), tuple(known.get("approvers", ()))
    expires = known.pop("approval_expires", None)
    policy = ToolPolicy(**known)
    return policy if expires is None else replace(policy, approval_expires=timedelta(seconds=expires))


def _check(policy: ToolPolicy) -> None:
    for field, roles in (("roles", policy.roles), ("approvers", policy.approvers)):
        if len(roles) > _MOST_ROLES:
            raise InvalidInput(f"{field} has {len(roles)} entries; at most {_MOST_ROLES} are taken.")
        for role in roles:
            if not _ROLE.fullmatch(role):
                raise InvalidInput(
                    f"{field} holds {role[:80]!r}; write a role such as `reviewer`, or `team:team_...`, `user:usr_...`."
                )
    if policy.permission is not None and not _PERMISSION.fullmatch(policy.permission):
        raise InvalidInput(f"permission is {policy.permission[:80]!r}; write one such as `ai.analysis.trigger`.")
    if not _SHORTEST_WAIT <= policy.approval_expires <= _LONGEST_WAIT:
        raise InvalidInput("approval_expires_seconds must be between 60 and 31,622,400 (366 days).")


def subject(role: str) -> str:
    """A role as a subject of principals: `reviewer` is `role:reviewer`."""
    return role if ":" in role else f"role:{role}"
