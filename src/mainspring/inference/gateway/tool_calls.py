"""What the gateway lends to whoever runs tools: the record of each call, and the check of its arguments.

A tool call is no model call: no limits, prices or routes. But it is recorded as one is, by the same spool, sealed
under the same key, kept or dropped by the same policy, so that a trace shows both and nobody can forget to log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import new_id
from mainspring.foundation.telemetry import get_logger

from .draft import Draft
from .engine.engine import Tenants
from .recorder import Recorder, Recording
from .structured import Fit, Misfit, check
from .types import CallContext, Operation, RecordStatus

log = get_logger(__name__)

TOOL_DIALECT = "tool"
"""What the payloads of tool calls are written in: `input` the arguments, `output` the result, both as JSON."""


class _Engine(Protocol):
    @property
    def tenants(self) -> Tenants: ...

    @property
    def recorder(self) -> Recorder: ...

    @property
    def clock(self) -> Callable[[], float]: ...


class Keeps(Protocol):
    """What is asked of the gateway."""

    @property
    def engine(self) -> _Engine:
        """Its engine."""
        ...


@dataclass(slots=True)
class ToolRecording:
    """One tool call in progress; it closes once. A process that dies leaves it `broken`."""

    recording: Recording
    keeps_payload: bool

    @property
    def id(self) -> UUID:
        """Of the inference record."""
        return self.recording.draft.id

    def close(self, status: RecordStatus, error_code: str | None, output: bytes | None) -> None:
        """Record how the call ended; what was returned is kept where the tenant's policy keeps payloads."""
        self.recording.draft.attempts = max(1, self.recording.draft.attempts)
        try:
            self.recording.close(status, error_code, output if self.keeps_payload else None, TOOL_DIALECT)
        except OSError as failure:  # its opening stays and will read as broken
            log.error("tool_record_not_closed", error=failure.strerror)

    def count_attempt(self) -> None:
        """The tool is tried once more."""
        self.recording.draft.attempts += 1


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Opens the records of tool calls."""

    gateway: Keeps

    async def open(self, context: CallContext, *, tool: str, source: str, arguments: bytes) -> ToolRecording:
        """A recording with its opening written; end it by `close`, whatever happens.

        tool      as the model called it; stands where a model's name does
        source    who runs it, such as `tools` or `mcp`; stands where a provider's name does
        raises    AiDisabled for a tenant that does not exist, Unavailable while nothing can be recorded
        """
        engine = self.gateway.engine
        tenant = engine.tenants.find(context.tenant) or await engine.tenants.get(context.tenant)
        keeps = tenant.policy.payloads == "keep"
        draft = Draft(new_id(), engine.clock(), context, Operation.TOOL, model_asked=tool)
        draft.provider, draft.cost_micros, draft.currency = source, 0, "USD"
        try:
            recording = engine.recorder.record(draft, payload=arguments if keeps else None, dialect=TOOL_DIALECT)
        except Unavailable as full:
            raise Unavailable(
                "Tool calls cannot be recorded now, so none is made: check the data folder's disk and rights."
            ) from full
        return ToolRecording(recording, keeps)


def check_arguments(schema: Mapping[str, Any], text: str) -> Fit | Misfit:
    """The arguments that a model wrote, as JSON, or what is wrong with them in lines that it can act on.

    raises   InvalidRequest when the schema itself cannot be used
    """
    return check(schema, text)
