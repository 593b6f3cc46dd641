"""Event stream framing, as AWS puts it around streamed replies.

A frame is a prelude (total length, length of its headers, checksum of the two), headers with typed
values, a payload, and a checksum of everything before. Both checksums and both lengths are checked
before anything is believed, so that at most one frame is ever held.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from zlib import crc32

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import to_json

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 128 * 1024
_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_OVERHEAD = _PRELUDE.size + _CHECKSUM.size
_FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _TEXT = 6, 7
_COMMON_HEADER_BYTES = 256


class EventStreamFramer:
    """Feed it bytes as they come; each call returns the events that became complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events completed by `data`; StreamBroken for a wrong checksum, length or header.

        An event's type is the wire's `:event-type` or `:exception-type`; `error` for a frame that
        is an error without a shape, its data then being `{"__type", "message"}`.
        """
        self._buffer += data
        events: list[ServerEvent] = []
        start = 0
        while len(self._buffer) - start >= _PRELUDE.size:
            total, header_bytes = _read_prelude(self._buffer, start)
            if len(self._buffer) - start < total:
                break
            events.append(_read_frame(bytes(self._buffer[start : start + total]), header_bytes))
            start += total
        del self._buffer[:start]
        return events


def encode_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame with text headers."""
    block = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", len(block) + len(payload) + _OVERHEAD, len(block))
    frame = prelude + _CHECKSUM.pack(crc32(prelude)) + block + payload
    return frame + _CHECKSUM.pack(crc32(frame))


def encode_event(type_: str, payload: bytes) -> bytes:
    """One event of a stream."""
    headers = {":event-type": type_, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, payload)


def encode_exception(type_: str, message: str) -> bytes:
    """One exception inside a stream, such as `throttlingException`."""
    headers = {":exception-type": type_, ":content-type": "application/json", ":message-type": "exception"}
    return encode_frame(headers, to_json({"message": message}))


def _encode_header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + bytes([_TEXT]) + _LENGTH.pack(len(text)) + text


def _read_prelude(buffer: bytearray, start: int) -> tuple[int, int]:
    total, header_bytes, checksum = _PRELUDE.unpack_from(buffer, start)
    if crc32(buffer[start : start + 8]) != checksum:
        raise _broken("a prelude with a wrong checksum")
    if not _OVERHEAD <= total <= MAX_FRAME_BYTES:
        raise _broken(f"a frame of {total} bytes")
    if header_bytes > min(total - _OVERHEAD, MAX_HEADER_BYTES):
        raise _broken(f"headers of {header_bytes} bytes in a frame of {total}")
    return total, header_bytes


def _read_frame(frame: bytes, header_bytes: int) -> ServerEvent:
    end = len(frame) - _CHECKSUM.size
    if crc32(memoryview(frame)[:end]) != _CHECKSUM.unpack_from(frame, end)[0]:
        raise _broken("a frame with a wrong checksum")
    payload_at = _PRELUDE.size + header_bytes
    block = frame[_PRELUDE.size : payload_at]
    headers = _known_headers(block) if len(block) <= _COMMON_HEADER_BYTES else _read_headers(block)
    match headers.get(":message-type", "event"):
        case "exception":
            return ServerEvent(headers.get(":exception-type", "error"), frame[payload_at:end])
        case "error":
            told = {"__type": headers.get(":error-code", ""), "message": headers.get(":error-message", "")}
            return ServerEvent("error", to_json(told))
        case _:
            return ServerEvent(headers.get(":event-type", "message"), frame[payload_at:end])


@lru_cache(maxsize=128)
def _known_headers(block: bytes) -> Mapping[str, str]:
    return _read_headers(block)  # a stream has six sorts of events, each always with the same headers


def _read_headers(block: bytes) -> dict[str, str]:
    """The text headers; those of other kinds are measured and passed over."""
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            name_at, kind_at = at + 1, at + 1 + block[at]
            kind, value_at = block[kind_at], kind_at + 1
            if kind in (_BYTES, _TEXT):
                size, value_at = _LENGTH.unpack_from(block, value_at)[0], value_at + _LENGTH.size
            else:
                size = _FIXED_BYTES[kind]
            at = value_at + size
            if kind == _TEXT:
                headers[block[name_at:kind_at].decode()] = block[value_at:at].decode()
    except (IndexError, KeyError, UnicodeDecodeError, struct.error):
        raise _broken("a header that cannot be read") from None
    if at != len(block):
        raise _broken("a header that is cut off")
    return headers


def _broken(what: str) -> StreamBroken:
    return StreamBroken(f"The model's stream holds {what}; try again.")
