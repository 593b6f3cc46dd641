"""Replies as bytes: MessagePack of the normal form, with a tag for each kind of part.

A format number leads, so that an entry that an older or newer release wrote is a miss, not an error.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    Usage,
)

from .types import CachedReply

FORMAT = 1


class _Text(msgspec.Struct, array_like=True, tag="t"):
    text: str
    extra: Extra | None = None


class _Reasoning(msgspec.Struct, array_like=True, tag="r"):
    text: str
    signature: str | None = None
    extra: Extra | None = None


class _Call(msgspec.Struct, array_like=True, tag="c"):
    id: str
    name: str
    arguments: str
    extra: Extra | None = None


class _Opaque(msgspec.Struct, array_like=True, tag="o"):
    extra: Extra


class _Kept(msgspec.Struct, array_like=True):
    format: int
    created_at: datetime
    model: str
    id: str
    finish_reason: FinishReason
    usage: Usage
    parts: list[_Text | _Reasoning | _Call | _Opaque]
    extra: Extra | None = None
    message_extra: Extra | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)


def encode_reply(completion: Completion, created_at: datetime) -> bytes | None:
    """The reply as bytes; None when it holds what has no form here, such as a picture."""
    parts = [_encode_part(part) for part in completion.message.parts]
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts):
        return None
    kept = _Kept(
        FORMAT,
        created_at,
        completion.model,
        completion.id,
        completion.finish_reason,
        completion.usage,
        whole,
        _plain(completion.extra),
        _plain(completion.message.extra),
    )
    try:
        return _encoder.encode(kept)
    except (TypeError, OverflowError, UnicodeEncodeError):  # a vendor's field, or half a surrogate pair
        return None


def decode_reply(data: bytes, kind: Literal["exact", "semantic"]) -> CachedReply | None:
    """The reply; None when the bytes are not of this form."""
    try:
        kept = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    if kept.format != FORMAT:
        return None
    message = Message(Role.ASSISTANT, tuple(_decode_part(part) for part in kept.parts), extra=kept.message_extra)
    completion = Completion(message, kept.finish_reason, kept.usage, kept.model, kept.id, kept.extra)
    return CachedReply(completion, kept.created_at, kind)


def _encode_part(part: Part) -> _Text | _Reasoning | _Call | _Opaque | None:
    match part:
        case TextPart():
            return _Text(part.text, _plain(part.extra))
        case ReasoningPart():
            return _Reasoning(part.text, part.signature, _plain(part.extra))
        case ToolCallPart():
            return _Call(part.id, part.name, part.arguments, _plain(part.extra))
        case OpaquePart():
            return _Opaque(Extra(part.extra.dialect, _as_dict(part.extra.fields)))
        case _:
            return None


def _decode_part(part: _Text | _Reasoning | _Call | _Opaque) -> Part:
    match part:
        case _Text():
            return TextPart(part.text, part.extra)
        case _Reasoning():
            return ReasoningPart(part.text, part.signature, part.extra)
        case _Call():
            return ToolCallPart(part.id, part.name, part.arguments, part.extra)
        case _Opaque():
            return OpaquePart(part.extra)


def _plain(extra: Extra | None) -> Extra | None:
    return extra and Extra(extra.dialect, _as_dict(extra.fields))


def _as_dict(fields: Mapping[str, Any]) -> dict[str, Any]:
    return dict(fields)
