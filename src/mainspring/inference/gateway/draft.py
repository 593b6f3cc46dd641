"""A record while its call runs, and the one form in which it is kept until Postgres has it.

That form is the line that COPY takes: written to the spool as it is, shipped as it is, so that a
record is encoded once. The columns known when a call begins come first; their part of the line is
made once, for the opening entry and the closing one.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from mainspring.inference.messages import Usage

from .types import CallContext, Operation, RecordStatus

OPENING_COLUMNS = (
    *("id", "at", "operation", "model_asked", "stream", "residency"),
    *("tenant_id", "principal", "key_id", "end_user", "run_id", "step", "session", "feature", "trace_id", "span_id"),
    *("parent_span_id", "prompt_name", "prompt_version", "idempotency_key", "release"),
)
CLOSING_COLUMNS = (
    *("provider", "region", "model_served", "route_reason", "cache_status", "input_tokens", "cached_tokens"),
    *("cache_write_tokens", "output_tokens", "reasoning_tokens", "usage_source", "cost_micros", "currency"),
    *("price_version", "own_key", "latency_ms", "ttft_ms", "attempts", "structured", "finish_reason", "status"),
    "error_code",
)
COLUMNS = OPENING_COLUMNS + CLOSING_COLUMNS

_UNUSED = Usage()
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
        "key",
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
        self.key = id.bytes
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
        self.usage = _UNUSED
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

    def opening(self) -> bytes:
        """The part of the line that is known when a call begins."""
        opening = self._opening
        if opening is None:
            opening = self._opening = b"%b\t%b\t%b\t%b\t%b\t%b\t%b" % (
                self.key.hex().encode(),
                b"%b.%06d+00" % (_second(int(self.at)), int(self.at % 1 * 1_000_000)),
                text_of(self.operation),
                text_of(self.model_asked),
                b"t" if self.stream else b"f",
                text_of(self.residency),
                _context_line(self.context),
            )
        return opening

    def died_line(self, input_tokens: int, cost_micros: int | None) -> bytes:
        """The line as it must read if the process dies now: what went in is assumed to be spent."""
        return (
            b"%b\t%b\t\\N\t\\N\t%b\tnone\t%d\t0\t0\t0\t0\testimated\t%b\tUSD\t\\N\t%b\t\\N\t\\N\t0\t\\N\t\\N\tbroken\tprocess_died"
            % (
                self.opening(),
                text_of(self.provider),
                text_of(self.route_reason),
                input_tokens,
                _number(cost_micros),
                b"t" if self.own_key else b"f",
            )
        )

    def line(self) -> bytes:
        """The record as a line of COPY's text format, columns in the order of COLUMNS, without the newline."""
        try:  # nearly always the few words that were written before
            return self._write(_known.__getitem__)
        except KeyError:
            return self._write(text_of)

    def _write(self, text: Callable[[str | None], bytes]) -> bytes:
        usage, cost, latency, ttft = self.usage, self.cost_micros, self.latency_ms, self.ttft_ms
        return b"%b\t%b\t%b\t%b\t%b\t%b\t%d\t%d\t%d\t%d\t%d\t%b\t%b\t%b\t%b\t%b\t%b\t%b\t%d\t%b\t%b\t%b\t%b" % (
            self._opening or self.opening(),
            text(self.provider),
            text(self.region),
            text(self.model_served),
            text(self.route_reason),
            text(self.cache_status),
            usage.input_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            text(self.usage_source),
            _NULL if cost is None else b"%d" % cost,
            text(self.currency),
            text(self.price_version),
            b"t" if self.own_key else b"f",
            _NULL if latency is None else b"%d" % latency,
            _NULL if ttft is None else b"%d" % ttft,
            self.attempts,
            text(self.structured),
            text(self.finish_reason),
            text(self.status),
            text(self.error_code),
        )


def _number(value: int | None) -> bytes:
    return _NULL if value is None else b"%d" % value


@lru_cache(maxsize=8)
def _second(at: int) -> bytes:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


_known: dict[str | None, bytes] = {None: _NULL}
_contexts: dict[int, tuple[CallContext, bytes]] = {}
_MOST_KNOWN = 2_000


def text_of(value: str | None) -> bytes:
    """A value as COPY reads it; a NUL, which Postgres keeps in no text, is left out. The same few come again."""
    known = _known.get(value)
    if known is not None:
        return known
    assert value is not None
    if len(_known) > _MOST_KNOWN:
        _known.clear()
        _known[None] = _NULL
    encoded = _known[value] = _written(value)
    return encoded


def _written(value: str) -> bytes:
    encoded = value.encode("utf-8", "replace")
    if len(encoded.translate(None, _ODD)) != len(encoded):
        encoded = encoded.replace(b"\0", b"").replace(b"\\", b"\\\\").replace(b"\t", b"\\t")
        encoded = encoded.replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return encoded


def _context_line(context: CallContext) -> bytes:
    """The columns of a context, which callers that say nothing more have in common for all their calls."""
    known = _contexts.get(id(context))
    if known is not None and known[0] is context:
        return known[1]
    few = (context.step, context.session, context.feature)
    once = (context.trace_id, context.span_id, context.parent_span_id)  # of one call: not worth remembering
    values = (
        context.tenant.hex,
        context.principal,
        context.key.hex if context.key else None,
        context.end_user,
    )
    line = b"\t".join(
        [
            *map(text_of, values),
            _once(str(context.run) if context.run else None),
            *map(text_of, few),
            *map(_once, once),
            *map(text_of, (context.prompt_name, context.prompt_version)),
            _once(context.idempotency_key),
            text_of(context.release),
        ]
    )
    if context.run or context.idempotency_key or once != _NO_SPANS:
        return line
    if len(_contexts) >= _MOST_KNOWN:
        _contexts.clear()
    _contexts[id(context)] = (context, line)
    return line


_NO_SPANS = (None, None, None)


def _once(value: str | None) -> bytes:
    return _NULL if value is None else _written(value)
