"""Events between their stored JSON and `RunEvent`, and as frames of a stream of server-sent events."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from mainspring.foundation.ids import show_id

from .types import RUN_PREFIX, EventId, EventType, RunEvent, RunId

RETRY_FRAME = b"retry: 1000\n\n"
KEEP_ALIVE_FRAME = b": keep-alive\n\n"


def read_event(run: RunId, name: EventId, payload: bytes) -> RunEvent:
    """The event behind a stream's JSON."""
    facts: dict[str, Any] = msgspec.json.decode(payload)
    kind, at = facts.pop("type"), facts.pop("at")
    return RunEvent(name, EventType(kind), run, datetime.fromisoformat(at), facts)


def show_event(event: RunEvent) -> dict[str, object]:
    """The event as the API shows it: id, type, run and instant, then its facts."""
    head: dict[str, object] = {
        "id": str(event.id),
        "type": event.type.value,
        "run": show_id(RUN_PREFIX, event.run),
        "at": show_instant(event.at),
    }
    return {**head, **event.facts}


def show_instant(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def frame(event: RunEvent) -> bytes:
    """The event as one frame, made once: JSON has no line breaks, so one data line is enough."""
    kept: dict[str, Any] = vars(event)
    if "frame" not in kept:
        head = f"id: {event.id}\nevent: {event.type.value}\ndata: ".encode()
        kept["frame"] = head + msgspec.json.encode(show_event(event)) + b"\n\n"
    return kept["frame"]
