"""When a person has to say yes to a call, what that person is shown, and how the answer comes back.

The question holds the tool and its arguments; the approval is bound to their digest. The key is the call's own, so
that the same call asks once, and only this call takes the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from .claims import Claim
from .policies import subject
from .ports import ApprovalRequest, Approver, Asked, Granted, Pending, Refused
from .types import Effects, Json, Tool, ToolCaller, ToolFailure, ToolPolicy

APPROVERS = ("role:owner", "role:admin", "role:reviewer")
"""Who is asked where the policy names nobody."""

_MOST_SHOWN = 20_000


class Refusal(Exception):
    """A call is not made; `failure` says why."""

    def __init__(self, failure: ToolFailure) -> None:
        super().__init__(failure.code)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Order:
    """A call that may need a person."""

    tool: Tool
    policy: ToolPolicy
    caller: ToolCaller
    arguments: Mapping[str, Json]
    key: str


@dataclass(frozen=True, slots=True)
class Decided:
    """Somebody said yes to these arguments."""

    arguments: Mapping[str, Json]


def reason_to_ask(tool: Tool, policy: ToolPolicy, untrusted_source: str | None) -> str | None:
    """Why a person is asked, in a sentence; None when the call may be made."""
    if tool.always_asks:
        return f"The tool {tool.name} is approved each time."
    if policy.needs_approval:
        return f"The tool {tool.name} is set to be approved each time."
    if tool.effects is Effects.WRITES and untrusted_source is not None and not policy.allow_after_untrusted:
        return f"The tool {tool.name} changes something, and untrusted content was read before ({untrusted_source})."
    return None


async def ask_person(approver: Approver | None, order: Order, claim: Claim, reason: str | None) -> Decided | Asked:
    """The yes, or what is still waited for. Raises Refusal for a no, also one that came by time passing."""
    if approver is None:
        detail = f"{reason or 'The call needs an approval.'} Nobody can be asked here; an operator has to set that up."
        raise Refusal(ToolFailure("approval_unavailable", detail))
    if claim.approval is not None and claim.approval_digest is not None:
        asked = Asked(claim.approval, claim.approval_digest)
    else:
        asked = await approver.ask(claim.tenant, _request(order, reason or ""))
    if isinstance(asked, Refused):
        raise Refusal(ToolFailure(asked.code, asked.reason))
    match await approver.consume(claim.tenant, asked, key=order.key):
        case Pending():
            return asked
        case Granted(arguments):
            return Decided(arguments)
        case Refused(code, why):
            raise Refusal(ToolFailure(code, why))


def _request(order: Order, reason: str) -> ApprovalRequest:
    caller, tool = order.caller, order.tool
    hands = caller.principal.hands | ({f"agent:{caller.agent}"} if caller.agent else frozenset[str]())
    return ApprovalRequest(
        action=f"tool:{tool.name}",
        arguments=order.arguments,
        title=f"{tool.title} ({tool.name})"[:200],
        shown=_show(order, reason),
        reason=reason,
        roles=tuple(map(subject, order.policy.approvers)) or APPROVERS,
        expires=order.policy.approval_expires,
        initiator=hands,
        key=order.key,
        run=caller.run,
        signal=caller.signal,
    )


def _show(order: Order, reason: str) -> str:
    """What will be done, letter for letter; arguments stand indented, where markdown is not read."""
    written = msgspec.json.format(msgspec.json.encode(order.arguments), indent=2).decode()
    if len(written) > _MOST_SHOWN:
        written = f"{written[:_MOST_SHOWN]}\n[cut here; the arguments of the approval hold the rest]"
    indented = "\n".join(f"    {line}" for line in written.splitlines())
    by = f"{order.caller.principal.name}{f' by the agent {order.caller.agent}' if order.caller.agent else ''}"
    return f"{reason}\n\n**{order.tool.name}** would be called for {by} with:\n\n{indented}\n"
