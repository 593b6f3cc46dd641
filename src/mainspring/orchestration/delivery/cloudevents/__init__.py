"""CloudEvents 1.0 over HTTP: how events of ours go out in it, and how those of others are read."""

from .codec import BATCH, MAX_BATCH, STRUCTURED, read_events, write_binary, write_structured
from .types import CloudEvent

__all__ = ["BATCH", "MAX_BATCH", "STRUCTURED", "CloudEvent", "read_events", "write_binary", "write_structured"]
