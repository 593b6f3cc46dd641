"""A streamed reply on its way in: read in full where it is translated, or passed on as it is.

A reply in the caller's own dialect is not read but for its two ends: the opening, so that a
failure before the first token stays between us and the provider, and the tail, which holds the
counts and the reason. What lies between is kept, and counted only for a stream that was cut off or
that sent no counts.

It is passed on by whole events, so that an error of ours never stands in the middle of one, and the
last one only when the record is durable. A look at how events end tells which are no JSON: only
such, and those that speak of an error, are read.
"""

import re
from collections.abc import Iterator, Sequence

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import ModelError, Overloaded, StreamBroken
from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.providers.wire import read_object
from mainspring.inference.messages import Delta, Finished, Started, UsageUpdate

_TAIL_BYTES = 1536
_BORDERS = (b"\n\n", b"\r\n\r\n")
_split_events = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)").split
_LINE_FEED = 10
_DONE = b"data: [DONE]\n\n"
_ENDS = {
    "openai": (b"data: [DONE]", _DONE),
    "anthropic": (b"event: message_stop", b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
}
"""How the last event of a dialect begins, and how it is written."""
_MAX_OPENING_BYTES = 1024 * 1024


class Incoming:
    """A reply read event by event; `open` until the first token, then `read`, then `end`."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._framer = outbound.framer()
        self._reader = outbound.reader()
        self._opening: list[Delta] = []
        self._seen = 0
        self._is_ended = False
        self.begun = False
        self.failure: ModelError | None = None

    def open(self, data: bytes) -> bool:
        """Take in a piece; whether the reply itself has begun, or failed."""
        self._seen += len(data)
        try:
            self._opening += self.read(data)
        except ModelError as failure:
            self.failure = failure
            return True
        if self._seen > _MAX_OPENING_BYTES and not self.begun:
            self.failure = Overloaded("The model's provider sends a stream without a reply; try again.")
        self.begun = any(not isinstance(delta, Started | UsageUpdate) for delta in self._opening)
        return self.begun or self.failure is not None

    def opening(self) -> list[Delta]:
        """What `open` has read so far."""
        opening, self._opening = self._opening, []
        return opening

    def read(self, data: bytes) -> Iterator[Delta]:
        """The deltas that a further piece completes; raises ModelError behind those that came before it."""
        for event in self._framer.feed(data):
            yield from self._reader.feed(event)

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` among them, once; raises StreamBroken when the reply had no proper end."""
        if self._is_ended:
            return []
        self._is_ended = True
        return self._reader.end()

    def finish_early(self) -> None:
        """The stream has ended without a piece of a reply, as empty ones do; raises when that is no proper end."""
        self._opening += self.end()


class Passing(Incoming):
    """A reply that is passed on as it is."""

    def __init__(self, outbound: Outbound, *, hides_usage: bool) -> None:
        super().__init__(outbound)
        self._parts: list[bytes] = []
        self._hides_usage = hides_usage
        self._held: list[bytes] = []
        self._last = b""
        self._end_mark, self._end_event = _ENDS[outbound.name]

    def open(self, data: bytes) -> bool:
        """As `Incoming.open`; the bytes are kept for `first`."""
        self._parts.append(data)
        return super().open(data)

    def first(self) -> bytes:
        """What the caller receives of the opening."""
        return self._shown(b"".join(self._parts))

    def feed(self, data: bytes) -> bytes:
        """What the caller receives of a further piece; after a failure, nothing more."""
        self._parts.append(data)
        return b"" if self.failure else self._shown(data)

    def rest(self) -> bytes:
        """What the caller receives at the end: what was held back, and the dialect's last event if it was left out."""
        rest = self._last + b"".join(self._held)
        self._held.clear()
        if rest.startswith(self._end_mark):
            return rest
        return rest + b"\n\n" + self._end_event if rest else self._end_event

    def close(self, collector: Collector) -> None:
        """Put counts and reason of a reply that came whole into the collector; raises StreamBroken if it did not."""
        try:
            self._close_by_tail(collector)
        except ModelError:
            self.count(collector)
            if collector.reason is None:
                raise

    def count(self, collector: Collector) -> None:
        """Read everything that came into the collector, whole or not."""
        framer, reader = self._outbound.framer(), self._outbound.reader()
        try:
            for event in framer.feed(self.content()):
                for delta in reader.feed(event):
                    collector.add(delta)
            for delta in reader.end():
                collector.add(delta)
        except ModelError:
            return

    def content(self) -> bytes:
        """Everything that came."""
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def _close_by_tail(self, collector: Collector) -> None:
        tail = _tail(self._parts)
        framer = self._outbound.framer()
        deltas = [*self.opening()]
        for event in framer.feed(tail):
            deltas += self._reader.feed(event)
        deltas += self._reader.end()
        for delta in deltas:
            if isinstance(delta, Started | UsageUpdate | Finished):
                collector.add(delta)
        if not collector.usage.output_tokens:
            raise StreamBroken("The stream tells no counts.")

    def _shown(self, data: bytes) -> bytes:
        """The events that a piece completes, up to one that is a failure, without the counts asked on our account."""
        whole = data if not self._held and data.endswith(_BORDERS) else self._completed(data)
        if b'"error"' in whole or _looks_odd(whole):
            whole = self._up_to_failure(whole)
        end = -1 if self._last else whole.rfind(self._end_mark)
        if end == 0 or (end > 0 and whole[end - 1] == _LINE_FEED):
            self._last, whole = whole[end:], whole[:end]
        if not self._hides_usage or b'"usage"' not in whole or b'"choices":[]' not in whole.replace(b" ", b""):
            return whole
        events = _split_events(whole)
        return b"".join(event for event in events if b'"choices":[]' not in event.replace(b" ", b""))

    def _completed(self, data: bytes) -> bytes:
        """What was held back, and the piece up to its last border; the rest of it is held back."""
        before = self._held[-1][-3:] if self._held else b""  # a border may lie across two pieces
        end = _last_border(before + data) - len(before)
        if end <= 0:
            self._held.append(data)
            return b""
        whole = b"".join([*self._held, data[:end]])
        self._held = [data[end:]] if end < len(data) else []
        return whole

    def _up_to_failure(self, whole: bytes) -> bytes:
        """The events before the first that is an error or no JSON; `failure` says what it was."""
        framer, reader, place = self._outbound.framer(), self._outbound.reader(), 0
        try:
            for raw in _split_events(whole):
                for event in framer.feed(raw):
                    if b'"error"' in event.data or read_object(event.data) is None:
                        reader.feed(event)
                place += len(raw)
        except ModelError as failure:
            self.failure = failure
            return whole[:place]
        return whole


def _last_border(data: bytes) -> int:
    """Where the last whole event ends; 0 where none does."""
    return max((place + len(border) for border in _BORDERS if (place := data.rfind(border)) >= 0), default=0)


def _looks_odd(whole: bytes) -> bool:
    """Whether an event, but for the last one, does not end as an object does."""
    events, objects = whole.count(b"\n\n"), whole.count(b"}\n\n")
    return events != objects and not (events == objects + 1 and whole.endswith(_DONE))


def _tail(parts: Sequence[bytes]) -> bytes:
    """The last events: from a border between events on, about _TAIL_BYTES."""
    taken: list[bytes] = []
    size = 0
    for part in reversed(parts):
        taken.append(part)
        size += len(part)
        if size > _TAIL_BYTES:
            break
    tail = b"".join(reversed(taken))
    if len(taken) == len(parts) and size <= _TAIL_BYTES:
        return tail
    cut = tail.find(b"\n\n", max(0, len(tail) - _TAIL_BYTES))
    return tail[cut + 2 :] if cut >= 0 else tail
