"""A record while its call runs, and the one form in which it is kept until Postgres has it.

That form is the line that COPY takes: written to the spool as it is, shipped as it is, so that a
record is encoded once. The columns known when a call begins come first; their part of the line is
made once, for the opening entry and the closing one.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mainspring.inference.messages import Usage

from .types import CallContext, Operation, RecordStatus

OPENING_COLUMNS = (
    *("tenant_id", "id", "at", "operation", "model_asked", "principal", "stream", "key_id", "end_user", "run_id"),
    *("step", "session", "feature", "trace_id", "span_id", "parent_span_id", "prompt_name", "prompt_version"),
    *("idempotency_key", "residency", "release"),
)
CLOSING_COLUMNS = (
    *("provider", "region", "model_served", "route_reason", "cache_status", "input_tokens", "cached_tokens"),
    *("cache_write_tokens", "output_tokens", "reasoning_tokens", "usage_source", "cost_micros", "currency"),
    *("price_version", "own_key", "latency_ms", "ttft_ms", "attempts", "structured", "finish_reason", "status"),
    "error_code",
)
COLUMNS = OPENING_COLUMNS + CLOSING_COLUMNS

_NULL = b"\\N"
_ODD = b"\\\t\n\r\0"


class Draft:
    """What is known of a call so far. Field names are the table's columns; see `InferenceRecord` for their meaning."""

    __slots__ = (
        "_opening",
        "at",
        "attempts",
        "cache_status",
        "context",
        "cost_micros",
        "currency",
        "error_code",
        "finish_reason",
        "id",
        "latency_ms",
        "model_asked",
        "model_served",
        "operation",
        "own_key",
        "price_version",
        "provider",
        "region",
        "residency",
        "route_reason",
        "status",
        "stream",
        "structured",
        "ttft_ms",
        "usage",
        "usage_source",
    )

    def __init__(  # noqa: PLR0913 - one argument for each fact known at the beginning
        self,
        id: UUID,  # noqa: A002 - the column's name
        at: float,
        context: CallContext,
        operation: Operation,
        *,
        model_asked: str,
        stream: bool = False,
        residency: str | None = None,
    ) -> None:
        self.id = id
        self.at = at
        self.context = context
        self.operation = operation
        self.model_asked = model_asked
        self.stream = stream
        self.residency = residency
        self.provider = ""
        self.region: str | None = None
        self.model_served: str | None = None
        self.route_reason = "named"
        self.cache_status = "none"
        self.usage = Usage()
        self.usage_source = "provider"
        self.cost_micros: int | None = None
        self.currency: str | None = None
        self.price_version: str | None = None
        self.own_key = False
        self.latency_ms: int | None = None
        self.ttft_ms: int | None = None
        self.attempts = 0
        self.structured: str | None = None
        self.finish_reason: str | None = None
        self.status = RecordStatus.BROKEN
        self.error_code: str | None = "process_died"
        self._opening: bytes | None = None

    def line(self) -> bytes:
        """The record as a line of COPY's text format, columns in the order of COLUMNS, without the newline."""
        if self._opening is None:
            self._opening = self._open_line()
        usage = self.usage
        return b"%b\t%b\t%b\t%b\t%b\t%b\t%d\t%d\t%d\t%d\t%d\t%b\t%b\t%b\t%b\t%b\t%b\t%b\t%d\t%b\t%b\t%b\t%b" % (
            self._opening,
            _text(self.provider),
            _text(self.region),
            _text(self.model_served),
            _text(self.route_reason),
            self.cache_status.encode(),
            usage.input_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            self.usage_source.encode(),
            _number(self.cost_micros),
            _text(self.currency),
            _text(self.price_version),
            b"t" if self.own_key else b"f",
            _number(self.latency_ms),
            _number(self.ttft_ms),
            self.attempts,
            _text(self.structured),
            _text(self.finish_reason),
            self.status.encode(),
            _text(self.error_code),
        )

    def _open_line(self) -> bytes:
        context = self.context
        plain: tuple[Any, ...] = (
            *(context.run, context.step, context.session, context.feature, context.trace_id, context.span_id),
            *(context.parent_span_id, context.prompt_name, context.prompt_version, context.idempotency_key),
            *(self.residency, context.release),
        )
        rest = [_NULL if value is None else _text(str(value)) for value in plain]
        return b"\t".join(
            (
                context.tenant.hex.encode(),
                self.id.hex.encode(),
                datetime.fromtimestamp(self.at, UTC).isoformat().encode(),
                self.operation.encode(),
                _text(self.model_asked),
                _text(context.principal),
                b"t" if self.stream else b"f",
                _NULL if context.key is None else context.key.hex.encode(),
                _text(context.end_user),
                *rest,
            )
        )


def _number(value: int | None) -> bytes:
    return _NULL if value is None else b"%d" % value


def _text(value: str | None) -> bytes:
    """A value as COPY reads it; a NUL, which Postgres keeps in no text, is left out."""
    if value is None:
        return _NULL
    encoded = value.encode("utf-8", "replace")
    if len(encoded.translate(None, _ODD)) == len(encoded):
        return encoded
    escaped = encoded.replace(b"\0", b"").replace(b"\\", b"\\\\").replace(b"\t", b"\\t")
    return escaped.replace(b"\n", b"\\n").replace(b"\r", b"\\r")
