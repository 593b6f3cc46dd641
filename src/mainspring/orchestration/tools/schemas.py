"""The wire shapes of tools, their policies, calls and secrets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page

from .types import APPROVAL_PREFIX, CALL_PREFIX, SecretFacts, Tool, ToolCallFacts, ToolListing, ToolPolicy

_RUN, _RECORD = "run", "inf"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PolicyShape(_Request):
    """What the tenant says about a tool; what is left out is as the tool says itself."""

    is_enabled: bool = True
    permission: Annotated[
        str | None, Field(max_length=60, description='in the place of the tool\'s own; "" for none')
    ] = None
    roles: Annotated[
        list[str], Field(max_length=20, description="one of them must be the caller's; API keys have no role")
    ] = []
    needs_approval: bool = False
    allow_after_untrusted: Annotated[
        bool, Field(description="a tool that changes something is called without a person also after untrusted content")
    ] = False
    approvers: Annotated[
        list[str], Field(max_length=20, description="roles, `team:team_...` or `user:usr_...` who are asked")
    ] = []
    approval_expires_seconds: float = 604_800
    flag: Annotated[str | None, Field(max_length=100)] = None


class StatsShape(BaseModel):
    """The calls of seven days."""

    calls: int
    failed: int
    empty: int
    awaiting: int
    last_at: datetime | None


class ToolShape(BaseModel):
    """A tool, what the tenant says about it, and how it did."""

    name: str
    title: str
    description: str
    parameters: dict[str, Any]
    effects: str
    untrusted_output: bool
    permission: str | None
    flag: str | None
    timeout_seconds: float
    retries: int
    rate: str | None
    secrets: list[str]
    source: str
    is_usable: Annotated[bool, Field(description="whether the caller may use it now")]
    policy: PolicyShape
    stats: StatsShape


class ToolList(BaseModel):
    """Every tool that the caller sees."""

    items: list[ToolShape]


class ToolCallShape(BaseModel):
    """One call; what went in and came out is in its record."""

    id: str
    scope: str
    call_id: str
    tool: str
    status: str
    result: str | None
    error_code: str | None
    is_untrusted: bool
    attempt: int
    approval: str | None
    record: str | None
    principal: str
    run: str | None
    step: str | None
    agent: str | None
    created_at: datetime
    finished_at: datetime | None


class ToolCallPage(BaseModel):
    """A page of calls, newest first."""

    items: list[ToolCallShape]
    next_cursor: str | None


class SecretRequest(_Request):
    """A value to keep sealed."""

    value: Annotated[SecretStr, Field(max_length=10_000)]


class SecretShape(BaseModel):
    """A stored secret, without its value."""

    name: str
    created_at: datetime
    created_by: str


class SecretList(BaseModel):
    """Every stored secret by name."""

    items: list[SecretShape]


def tool_shape(listing: ToolListing) -> ToolShape:
    """A tool as it is shown."""
    tool, stats = listing.tool, listing.stats
    return ToolShape(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        parameters=_plain(tool.parameters),
        effects=tool.effects.value,
        untrusted_output=tool.untrusted_output,
        permission=tool.permission,
        flag=tool.flag,
        timeout_seconds=tool.timeout.total_seconds(),
        retries=tool.retries,
        rate=_rate(tool),
        secrets=list(tool.secrets),
        source=tool.source,
        is_usable=listing.is_usable,
        policy=policy_shape(listing.policy),
        stats=StatsShape(
            calls=stats.calls, failed=stats.failed, empty=stats.empty, awaiting=stats.awaiting, last_at=stats.last_at
        ),
    )


def policy_shape(policy: ToolPolicy) -> PolicyShape:
    """A policy as it is shown."""
    return PolicyShape(
        is_enabled=policy.is_enabled,
        permission=policy.permission,
        roles=list(policy.roles),
        needs_approval=policy.needs_approval,
        allow_after_untrusted=policy.allow_after_untrusted,
        approvers=list(policy.approvers),
        approval_expires_seconds=policy.approval_expires.total_seconds(),
        flag=policy.flag,
    )


def read_policy(shape: PolicyShape) -> ToolPolicy:
    """A policy as it was sent; durations out of any range are left to `ToolPolicies`."""
    seconds = min(max(shape.approval_expires_seconds, 0.0), 1e9)
    return ToolPolicy(
        is_enabled=shape.is_enabled,
        permission=shape.permission,
        roles=tuple(shape.roles),
        needs_approval=shape.needs_approval,
        allow_after_untrusted=shape.allow_after_untrusted,
        approvers=tuple(shape.approvers),
        approval_expires=timedelta(seconds=seconds),
        flag=shape.flag,
    )


def call_page(page: Page[ToolCallFacts]) -> ToolCallPage:
    """A page of calls as it is shown."""
    return ToolCallPage(items=[_call(each) for each in page.items], next_cursor=page.next_cursor)


def secret_shape(facts: SecretFacts) -> SecretShape:
    """A secret as it is shown."""
    return SecretShape(name=facts.name, created_at=facts.created_at, created_by=facts.created_by)


def _call(facts: ToolCallFacts) -> ToolCallShape:
    return ToolCallShape(
        id=show_id(CALL_PREFIX, facts.id),
        scope=facts.scope,
        call_id=facts.call_id,
        tool=facts.tool,
        status=facts.status,
        result=facts.result.value if facts.result else None,
        error_code=facts.error_code,
        is_untrusted=facts.is_untrusted,
        attempt=facts.attempt,
        approval=show_id(APPROVAL_PREFIX, facts.approval) if facts.approval else None,
        record=show_id(_RECORD, facts.record) if facts.record else None,
        principal=facts.principal,
        run=show_id(_RUN, facts.run) if facts.run else None,
        step=facts.step,
        agent=facts.agent,
        created_at=facts.created_at,
        finished_at=facts.finished_at,
    )


def _rate(tool: Tool) -> str | None:
    return f"{tool.rate.count} in {tool.rate.per.total_seconds():g} s" if tool.rate else None


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    return dict(schema)
