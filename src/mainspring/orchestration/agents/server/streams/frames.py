"""Server-sent events as the clients of agent servers read them."""

import msgspec

from mainspring.orchestration.agents.types import Json

from .protocol import ProtocolEvent

HEARTBEAT_FRAME = b": heartbeat\n\n"
STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def frame_part(name: str, data: Json, identifier: str | None) -> bytes:
    """One named part; JSON has no line breaks, so one data line is enough."""
    head = f"id: {identifier}\n".encode() if identifier else b""
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), msgspec.json.encode(data))


def frame_event(event: ProtocolEvent) -> bytes:
    """One event of the thread's protocol."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.method.encode(), event.show())
