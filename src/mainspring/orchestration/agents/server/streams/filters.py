"""Which protocol events a subscriber asked for: channels, and namespaces down to a depth."""

from collections.abc import Sequence
from dataclasses import dataclass

from mainspring.foundation.errors import InvalidInput

CHANNELS = frozenset({"values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"})
_CUSTOM = "custom:"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one stream is to carry.

    namespaces  only events at or below one of these; None for all
    depth       how far below, at most; None for any
    """

    channels: frozenset[str]
    namespaces: tuple[tuple[str, ...], ...] | None = None
    depth: int | None = None

    def wants(self, channel: str, name: str | None, namespace: Sequence[str]) -> bool:
        """Whether an event of the channel belongs here; `name` is a custom event's own."""
        if channel not in self.channels and not (name and f"{_CUSTOM}{name}" in self.channels):
            return False
        if not self.namespaces:
            return True
        return any(self._is_below(namespace, prefix) for prefix in self.namespaces)

    def _is_below(self, namespace: Sequence[str], prefix: Sequence[str]) -> bool:
        if len(prefix) > len(namespace):
            return False
        if not all(_fits(there, wanted) for there, wanted in zip(namespace, prefix, strict=False)):
            return False
        return self.depth is None or len(namespace) - len(prefix) <= self.depth


def read_channels(channels: Sequence[str]) -> frozenset[str]:
    """The channels, checked; InvalidInput names those there are none of."""
    unknown = [each for each in channels if each not in CHANNELS and not (each.startswith(_CUSTOM) and each[7:])]
    if unknown or not channels:
        known = ", ".join(sorted(CHANNELS))
        raise InvalidInput(f"channels holds {unknown[:5] or 'nothing'}; use {known} or custom:<name>.")
    return frozenset(channels)


def _fits(there: str, wanted: str) -> bool:
    """A segment is `node:task`; without a task in what is wanted, any task of the node fits."""
    return there == wanted or (":" not in wanted and there.partition(":")[0] == wanted)
