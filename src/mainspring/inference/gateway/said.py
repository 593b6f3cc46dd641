"""What was said in a call, read from what was recorded of it.

A reply is recorded in one of three forms: the body in the caller's dialect as it was sent, a stream of
that dialect as its bytes came by, or the normal form. All are told as one message.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from mainspring.inference.messages import Message

from .collect import Collector
from .errors import ModelError
from .providers import anthropic, openai, responses
from .providers.dialects import Outbound
from .providers.wire import read_object, to_json

_DIALECTS = {each.name: each for each in (openai.OUTBOUND, anthropic.OUTBOUND, responses.OUTBOUND)}
_NORMAL = frozenset(("message", "vendor_text"))


@dataclass(frozen=True, slots=True)
class SaidOutput:
    """What came back.

    message       the turn in the normal form, as JSON; None where nothing of it came or it cannot be read
    vendor_text   a provider's own words of a failure
    body          the whole body as it was sent, where that is what was recorded
    """

    message: dict[str, Any] | None = None
    vendor_text: str | None = None
    body: dict[str, Any] | None = None


def write_said(message: Message | None, vendor_text: str | None = None) -> bytes:
    """A reply in the normal form, as it is recorded."""
    return to_json({"message": message, "vendor_text": vendor_text})


def read_input(content: bytes) -> Any:
    """What was asked, as JSON; text that is none is given as a string."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return content.decode("utf-8", "replace")


def read_output(content: bytes, dialect: str | None) -> SaidOutput:
    """What came back; never raises, for what was recorded may be whatever a provider has sent."""
    outbound = _DIALECTS.get(dialect or "")
    wire = read_object(content)
    if wire is None:
        return SaidOutput(_read_stream(outbound, content)) if outbound else SaidOutput()
    if wire.keys() == _NORMAL:
        return SaidOutput(wire["message"], wire["vendor_text"])
    return SaidOutput(_read_body(outbound, wire) if outbound else None, body=wire)


def _read_body(outbound: Outbound, wire: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return msgspec.to_builtins(outbound.decode_completion(wire).message)
    except ModelError:
        return None


def _read_stream(outbound: Outbound, content: bytes) -> dict[str, Any] | None:
    """The turn as far as it came."""
    framer, reader, collector = outbound.framer(), outbound.reader(), Collector()
    try:
        for event in framer.feed(content):
            for delta in reader.feed(event):
                collector.add(delta)
        for delta in reader.end():
            collector.add(delta)
    except ModelError:
        pass  # it broke off: what had come is what was said
    return msgspec.to_builtins(collector.message()) if collector.has_content else None
