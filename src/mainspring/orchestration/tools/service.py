"""`Toolbox`: a model asks for a tool by name, and gets one answer.

The order of things: is there such a tool for this caller, do the arguments fit, is it within the rate, is the call new,
does a person have to say yes, and only then is it carried out. Each call, made or refused, leaves one record.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from hashlib import sha256
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, forbid_open_transaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference import messages
from mainspring.inference.gateway import (
    CallContext,
    Misfit,
    RecordStatus,
    ToolCalls,
    ToolRecording,
    check_arguments,
)

from . import store
from .access import Permitted, ToolAccess
from .asking import Decided, Order, Refusal, ask_person, reason_to_ask
from .claims import Answered, Busy, Claim, ClaimLost, Claims, Reused, interrupted
from .ports import AllFlags, Approver, Flags, ToolSource
from .rates import Rates
from .running import Pause, Run, carry_out
from .secrets import Revealed, ToolSecrets
from .types import Effects, Json, ResultStatus, Tool, ToolCaller, ToolContext, ToolFailure, ToolResult

_MOST_SCOPE, _MOST_CALL_ID = 200, 200


@dataclass(frozen=True, slots=True)
class ToolParts:
    """What a toolbox stands on.

    approver  None where nobody can be asked: what needs a person fails then
    """

    database: Database
    claims: Claims
    rates: Rates
    secrets: ToolSecrets
    records: ToolCalls
    approver: Approver | None = None
    flags: Flags = field(default_factory=AllFlags)
    pause: Pause = asyncio.sleep


class Toolbox:
    """The tools of the platform, of its products and of a tenant's MCP servers, behind one call."""

    def __init__(self, tools: Iterable[Tool], parts: ToolParts, *, sources: Sequence[ToolSource] = ()) -> None:
        self._parts = parts
        self.access = ToolAccess(parts.database, tools, sources, parts.flags)

    async def call(
        self, caller: ToolCaller, name: str, arguments: str | Mapping[str, Json], *, call_id: str
    ) -> ToolResult:
        """What the tool answers; the same call again gives the first answer, and does nothing twice.

        arguments  JSON as a model wrote it, possibly wrong, or the value
        call_id    unique in the caller's scope; 1 to 200 printable characters
        raises     InvalidInput for a scope or id that cannot be one; Unavailable, one of `DatabaseGone`: the platform's
                   own troubles, after which the same call may be made again. Never for what a tool does
        """
        forbid_open_transaction("a tool")
        _check_name("scope", caller.scope, _MOST_SCOPE)
        _check_name("call_id", call_id, _MOST_CALL_ID)
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
        permitted = await self.access.find(caller.principal, name)
        try:
            if permitted is None:
                raise Refusal(ToolFailure("tool_unknown", await self._unknown(caller.principal, name)))
            read = _read_arguments(permitted.tool, text)
            await self._check_rate(caller, permitted.tool, call_id)
            taken = await self._parts.claims.take(caller, permitted.tool, read, call_id=call_id)
        except Refusal as refusal:
            return await self._refuse(caller, name, text, call_id, refusal.failure)
        match taken:
            case Answered(result):
                return result
            case Busy():
                return _elsewhere()
            case Reused():
                failure = ToolFailure("call_id_reused", "This call id was used for another call. Use a new one.")
                return await self._refuse(caller, name, text, call_id, failure)
            case Claim():
                with suppress(ClaimLost):
                    return await self._carry(_Call(caller, permitted, read, call_id), taken)
                return _elsewhere()

    async def visible(self, principal: Principal) -> tuple[Tool, ...]:
        """The tools that the principal may use now, by name."""
        return tuple(each.tool for each, may in await self.access.list_all(principal) if may)

    async def offer(self, principal: Principal, names: Iterable[str] | None = None) -> tuple[messages.Tool, ...]:
        """Tools as a model is told of them: those of `names` that the principal may use now, or all it may use."""
        wanted = None if names is None else set(names)
        return tuple(
            messages.Tool(tool.name, tool.description, tool.parameters)
            for tool in await self.visible(principal)
            if wanted is None or tool.name in wanted
        )

    async def mark_untrusted(self, tenant: TenantId, scope: str, source: str) -> None:
        """Note that a scope has read what strangers wrote, by another way than a tool; `source` says from where."""
        _check_name("scope", scope, _MOST_SCOPE)
        async with self._parts.database.tenant(tenant) as transaction:
            await store.mark_untrusted(transaction, scope, source)

    async def untrusted_source(self, tenant: TenantId, scope: str) -> str | None:
        """What untrusted content a scope has read first; None when it has read none."""
        async with self._parts.database.tenant(tenant) as transaction:
            mark = await store.find_mark(transaction, scope)
        return mark["source"] if mark else None

    async def forget(self, tenant: TenantId, scope: str) -> int:
        """Delete the calls of a scope, their results and its mark; returns how many. Records have their own retention.

        For threads that are deleted. Until then a scope that has read untrusted content stays marked.
        """
        async with self._parts.database.tenant(tenant) as transaction:
            return await store.forget_scope(transaction, scope)

    async def _unknown(self, principal: Principal, name: str) -> str:
        known = [tool.name for tool in await self.visible(principal)]
        near = get_close_matches(name, known, 3) or known[:10]
        hint = f" Did you mean {', '.join(near)}?" if near else " There are no tools for you."
        return f"There is no tool {name[:80]!r}.{hint}"

    async def _check_rate(self, caller: ToolCaller, tool: Tool, call_id: str) -> None:
        if tool.rate is None or await self._parts.claims.find(caller, call_id):
            return
        wait = await self._parts.rates.take(caller.tenant, tool.name, tool.rate)
        if wait is None:
            return
        seconds = wait.total_seconds()
        detail = (
            f"The tool {tool.name} may be called {tool.rate.count} times in {_shown(tool.rate.per)}; "
            f"it may be called again in {seconds:.3g} s."
        )
        raise Refusal(ToolFailure("tool_rate_limited", detail, retryable=True, retry_after_seconds=seconds))

    async def _carry(self, call: "_Call", claim: Claim) -> ToolResult:
        tool = call.permitted.tool
        async with self._parts.claims.holding(claim):
            if claim.is_repeat and tool.effects is Effects.WRITES and not tool.is_repeatable:
                return await self._finish(call, claim, interrupted(), None)
            try:
                decided = await self._decide(call, claim)
            except Refusal as refusal:
                result = ToolResult(ResultStatus.FAILED, error=refusal.failure)
                recording = await self._open(call)
                return await self._finish(call, claim, result, recording)
            if isinstance(decided, ToolResult):
                return decided
            return await self._run(replace(call, arguments=decided), claim)

    async def _decide(self, call: "_Call", claim: Claim) -> Mapping[str, Json] | ToolResult:
        """The arguments to call with; or NEEDS_APPROVAL. Raises Refusal."""
        tool, policy = call.permitted.tool, call.permitted.policy
        reason = None
        if tool.effects is Effects.WRITES or tool.always_asks or policy.needs_approval:
            source = await self.untrusted_source(claim.tenant, call.caller.scope)
            reason = reason_to_ask(tool, policy, source)
        if reason is None and claim.approval is None:
            return call.arguments
        decided = await ask_person(self._parts.approver, call.order(), claim, reason)
        if not isinstance(decided, Decided):
            await self._parts.claims.park(claim, approval=decided.approval, digest=decided.digest)
            return await self._needs_approval(call, decided.approval, reason)
        return _read_arguments(tool, msgspec.json.encode(decided.arguments).decode())

    async def _needs_approval(self, call: "_Call", approval: UUID, reason: str | None) -> ToolResult:
        detail = f"{reason or 'A person has to approve this call.'} It was not made. Call again once it is decided."
        waiting = ToolFailure("approval_needed", detail, retryable=True)
        result = ToolResult(ResultStatus.NEEDS_APPROVAL, error=waiting, approval=approval)
        _close(await self._open(call), result)
        return result

    async def _run(self, call: "_Call", claim: Claim) -> ToolResult:
        tool, parts = call.permitted.tool, self._parts
        revealed = Revealed(parts.secrets, claim.tenant, tool.secrets)
        recording = await self._open(call)
        try:
            context = call.context(revealed)
            result = await carry_out(Run(tool, context, revealed, recording, parts.pause), call.arguments)
        except BaseException:  # cancelled: the call is free when its lease ends, and the record says so
            recording.close(RecordStatus.CANCELLED, "cancelled", None)
            raise
        return await self._finish(call, claim, result, recording)

    async def _finish(
        self, call: "_Call", claim: Claim, result: ToolResult, recording: ToolRecording | None
    ) -> ToolResult:
        if recording is not None:
            _close(recording, result)
        source, record = call.permitted.tool.source, recording.id if recording else None
        named = f"{source}/{call.permitted.tool.name}"
        is_ours = await self._parts.claims.finish(claim, call.caller, result, source=named, record=record)
        return result if is_ours else _elsewhere()

    async def _open(self, call: "_Call") -> ToolRecording:
        arguments = msgspec.json.encode(call.arguments)
        tool = call.permitted.tool
        context = _record_context(call.caller, call.call_id)
        return await self._parts.records.open(context, tool=tool.name, source=tool.source, arguments=arguments)

    async def _refuse(self, caller: ToolCaller, name: str, text: str, call_id: str, failure: ToolFailure) -> ToolResult:
        result = ToolResult(ResultStatus.FAILED, error=failure)
        context = _record_context(caller, call_id)
        recording = await self._parts.records.open(
            context, tool=name[:200], source="tools", arguments=text.encode("utf-8", "replace")
        )
        _close(recording, result)
        return result


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that may be made."""

    caller: ToolCaller
    permitted: Permitted
    arguments: Mapping[str, Json]
    call_id: str

    @property
    def key(self) -> str:
        """The same for every attempt, in whichever process."""
        parts = [str(self.caller.tenant), self.caller.scope, self.call_id]
        return f"tool_{sha256(msgspec.json.encode(parts)).hexdigest()[:40]}"

    def order(self) -> Order:
        return Order(self.permitted.tool, self.permitted.policy, self.caller, self.arguments, self.key)

    def context(self, revealed: Revealed) -> ToolContext:
        caller, tool = self.caller, self.permitted.tool
        return ToolContext(
            caller.principal,
            caller.scope,
            self.call_id,
            self.key,
            run=caller.run,
            step=caller.step,
            agent=caller.agent,
            deadline_seconds=tool.timeout.total_seconds(),
            _reveal=revealed,
        )


def _read_arguments(tool: Tool, text: str) -> Mapping[str, Json]:
    """Arguments that fit; raises Refusal with lines that a model can mend its call by."""
    fit = check_arguments(tool.parameters, text or "{}")
    if not isinstance(fit, Misfit):
        return fit.value
    lines = "\n".join(
        f"- {'arguments' if not each.pointer else each.pointer}: {each.problem}" for each in fit.violations
    )
    raise Refusal(ToolFailure("invalid_arguments", f"The arguments of {tool.name} do not fit:\n{lines}"))


def _record_context(caller: ToolCaller, call_id: str) -> CallContext:
    principal = caller.principal
    is_key = principal.kind is PrincipalKind.API_KEY
    return CallContext(
        caller.tenant,
        principal=principal.name,
        session=caller.session or caller.scope,
        feature=caller.agent,
        run=caller.run,
        step=caller.step,
        trace_id=caller.trace_id,
        parent_span_id=caller.parent_span_id,
        idempotency_key=call_id,
        key=principal.credential if is_key else None,
    )


def _close(recording: ToolRecording, result: ToolResult) -> None:
    status = RecordStatus.ERROR if result.status is ResultStatus.FAILED else RecordStatus.OK
    recording.recording.draft.finish_reason = result.status.value
    recording.close(status, result.error.code if result.error else None, msgspec.json.encode(result))


def _elsewhere() -> ToolResult:
    failure = ToolFailure("call_in_progress", "Another process is carrying this call out.", retryable=True)
    return ToolResult(ResultStatus.FAILED, error=failure)


def _check_name(name: str, text: str, most: int) -> None:
    if not (1 <= len(text) <= most and text.isprintable()):
        raise InvalidInput(f"{name} has {len(text)} characters; give it 1 to {most} printable ones.")


def _shown(per: timedelta) -> str:
    return f"{per.total_seconds():g} s"
