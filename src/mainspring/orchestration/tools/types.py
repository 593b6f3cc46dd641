"""The words of tools: what a tool is, who calls it, what comes back, and what a tenant allows.

A result says how it is meant: something was found (OK), nothing was (EMPTY), only a part could be (PARTIAL), it went
wrong (FAILED), or a person has to say yes first (NEEDS_APPROVAL). A model that cannot tell these apart makes things up.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal

CALL_PREFIX = "tcall"
APPROVAL_PREFIX = "apr"

Json = Any
"""A JSON value as Python has it: str, int, float, bool, None, list, dict with text keys."""


class Effects(StrEnum):
    """What a tool does to the world: NONE computes, READS looks something up, WRITES changes something."""

    NONE = "none"
    READS = "reads"
    WRITES = "writes"


class ResultStatus(StrEnum):
    """How a call ended."""

    OK = "ok"
    EMPTY = "empty"
    PARTIAL = "partial"
    FAILED = "failed"
    NEEDS_APPROVAL = "needs_approval"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` calls in any `per`, for one tenant and tool; a quiet while saves up for a burst of `count`."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """Why there is no result.

    code        stable, such as `invalid_arguments`, `tool_timed_out` or what the tool itself raised
    detail      safe to show to a model and a person; may be several lines
    retryable   whether the same call may succeed later
    """

    code: str
    detail: str
    retryable: bool = False
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came back of a call.

    content       a JSON value: what the tool returned; text when it had to be cut; None without one
    is_untrusted  it was written by somebody who is neither the tenant nor the platform: data, never instructions
    error         why it failed; with NEEDS_APPROVAL, what is waited for
    note          what a reader must know, such as what a PARTIAL result leaves out
    approval      what a person is asked; call again with the same call id once it is decided
    """

    status: ResultStatus
    content: Json = None
    is_untrusted: bool = False
    error: ToolFailure | None = None
    note: str | None = None
    approval: UUID | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """What a tool returns when it has some of what was asked for; `note` says what is missing."""

    content: Json
    note: str


@dataclass(frozen=True, slots=True)
class Empty:
    """What a tool returns when it looked and there is nothing; `note` says where it looked."""

    note: str


@dataclass(frozen=True, slots=True)
class ToolCaller:
    """On whose behalf a tool is called.

    scope   what one conversation or job has read and done: `thread:...` or `run:...`. Untrusted content marks it, and
            a call id is unique in it; 1 to 200 printable characters
    session as inference records name it; `scope` where it is None
    signal  what `run` waits for when a person is asked; None: the call is simply made again after the decision
    trace_id, parent_span_id   where the call's record stands in a trace
    """

    principal: Principal
    scope: str
    run: UUID | None = None
    step: str | None = None
    agent: str | None = None
    session: str | None = None
    signal: str | None = None
    trace_id: str | None = None
    parent_span_id: str | None = None

    @property
    def tenant(self) -> TenantId:
        """Whose call it is."""
        return self.principal.tenant


Reveal = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know beside its arguments; it is no part of the schema, so no model writes it.

    idempotency_key  the same for every attempt of this call, also by another process after a crash: hand it to
                     whoever carries out the effect
    deadline_seconds what one attempt may take
    """

    principal: Principal
    scope: str
    call_id: str
    idempotency_key: str
    run: UUID | None = None
    step: str | None = None
    agent: str | None = None
    deadline_seconds: float = 30.0
    _reveal: Reveal | None = field(default=None, repr=False)

    @property
    def tenant(self) -> TenantId:
        """Whose call it is."""
        return self.principal.tenant

    async def secret(self, name: str) -> str:
        """The value of a secret that the tool declared; raises SecretUnknown. Never return, raise or log it."""
        assert self._reveal is not None, "this context was made without secrets"
        return await self._reveal(name)


Invoke = Callable[[ToolContext, Mapping[str, Json]], Awaitable[Json]]
"""Runs a tool on arguments that fit its schema; returns a JSON value, Partial, Empty or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function that a model may ask for. Make one with `@tool`.

    description         what the model is told; of another party's tool that is their text
    parameters          strict JSON schema of the arguments, an object
    is_repeatable       a WRITES tool that honours the idempotency key may be run again after a crash or a timeout;
                        of any other one it is unknown then whether it was done
    always_asks         each call waits for a person, whatever the tenant's policy says
    untrusted_output    its results are others' words
    permission          what the caller must hold; None: every caller
    flag                a flag that must be on for the caller; None: none
    source              who runs it, as records name it: `tools`, or `mcp:<server>`
    max_output_bytes    of the result as JSON; what is longer is cut and PARTIAL
    """

    name: str
    title: str
    description: str
    parameters: Mapping[str, Json]
    invoke: Invoke = field(repr=False)
    effects: Effects = Effects.NONE
    is_repeatable: bool = True
    always_asks: bool = False
    untrusted_output: bool = False
    permission: str | None = None
    flag: str | None = None
    timeout: timedelta = timedelta(seconds=30)
    retries: int = 0
    rate: Rate | None = None
    secrets: tuple[str, ...] = ()
    max_output_bytes: int = 64_000
    source: str = "tools"


@dataclass(frozen=True, slots=True)
class ToolPolicy:
    """What a tenant says about a tool; the default is what the tool says itself.

    permission             in the place of the tool's own; "" for none
    roles                  one of these roles must be the caller's; empty: any. API keys have no role
    needs_approval         each call waits for a person
    allow_after_untrusted  a WRITES call is made without a person also where untrusted content was read before
    approvers              roles that may approve; empty: whoever may approve anything
    flag                   in the place of the tool's own
    """

    is_enabled: bool = True
    permission: str | None = None
    roles: tuple[str, ...] = ()
    needs_approval: bool = False
    allow_after_untrusted: bool = False
    approvers: tuple[str, ...] = ()
    approval_expires: timedelta = timedelta(days=7)
    flag: str | None = None


DEFAULT_POLICY = ToolPolicy()


@dataclass(frozen=True, slots=True)
class ToolCallFacts:
    """A call as it is listed; what went in and came out is in its inference record.

    status      `running`, `awaiting` (an approval) or `done`
    attempt     how many processes have taken it up
    """

    id: UUID
    scope: str
    call_id: str
    tool: str
    status: str
    result: ResultStatus | None
    error_code: str | None
    is_untrusted: bool
    attempt: int
    approval: UUID | None
    record: UUID | None
    principal: str
    run: UUID | None
    step: str | None
    agent: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToolStats:
    """The calls of a tool within the last seven days, by how they ended."""

    calls: int = 0
    failed: int = 0
    empty: int = 0
    awaiting: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """A stored secret, without its value."""

    name: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class ToolListing:
    """A tool as the tenant sees it; `is_usable` whether this caller may call it now."""

    tool: Tool
    policy: ToolPolicy
    stats: ToolStats
    is_usable: bool
