"""Messages of the OpenAI dialect, to the normal form and back.

The wire puts text in `content`, tool calls beside it, and each tool result in a message of its
own; the normal form has them all as parts.
"""

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    put_back,
    rest,
    words,
)
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    Inline,
    Link,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    Source,
    Stored,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

DIALECT = "openai"
_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}


def encode_message(message: Message, *, with_reasoning: bool) -> list[Wire]:
    """The wire messages of one turn: one, or one for each tool result and one for what tools may not say here."""
    if message.role is Role.TOOL:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        return [_encode_result(part) for part in results] + _encode_shown(results)
    wire: Wire = {"role": str(message.role), "content": _encode_content(message.parts)}
    if message.name:
        wire["name"] = message.name
    if calls := [call for part in message.parts for call in _encode_call(part)]:
        wire["tool_calls"] = calls
    thought = "".join(part.text for part in message.parts if isinstance(part, ReasoningPart))
    if thought and with_reasoning:
        wire["reasoning_content"] = thought
    return [put_back(DIALECT, wire, message.extra)]


def decode_message(wire: Wire) -> Message:
    """The turn behind one wire message; InvalidRequest when its role is unknown."""
    role = wire.get("role")
    if role == "tool":
        known = ("role", "content", "tool_call_id")
        content = tuple(part for part in decode_content(wire.get("content")) if _may_be_result(part))
        result = ToolResultPart(str(wire.get("tool_call_id", "")), content, extra=rest(DIALECT, wire, known))  # pyright: ignore[reportArgumentType] - narrowed by _may_be_result
        return Message(Role.TOOL, (result,))
    if role not in _ROLES:
        raise InvalidRequest(f"role is {role!r}; it must be one of {', '.join([*_ROLES, 'tool'])}.")
    known = {"role", "content", "name", "tool_calls", "reasoning_content", "thinking_blocks"} - (
        {"role"} if role == "developer" else set()
    )
    parts: list[Part] = as_list(wire.get("thinking_blocks"), _decode_thought)
    if (thought := wire.get("reasoning_content")) and not parts:
        parts.append(ReasoningPart(str(thought)))
    parts += decode_content(wire.get("content"))
    parts += as_list(wire.get("tool_calls"), decode_call)
    return Message(_ROLES[role], tuple(parts), words(wire, "name"), rest(DIALECT, wire, known))


def decode_content(content: object) -> list[Part]:
    """The parts of a `content`, which is a text, a list of parts or null."""
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return as_list(content, _decode_part)


def decode_call(wire: Wire) -> Part:
    """A tool call; kinds other than functions are kept whole."""
    if wire.get("type", "function") != "function":
        return _opaque(wire)
    function: Wire = wire.get("function") or {}
    return ToolCallPart(
        str(wire.get("id", "")),
        str(function.get("name", "")),
        str(function.get("arguments", "")),
        rest(DIALECT, wire, ("id", "type", "function", "index")),
    )


def _may_be_result(part: Part) -> bool:
    return isinstance(part, TextPart | ImagePart | FilePart | OpaquePart)


def encode_thought(part: Part) -> list[Wire]:
    """Thought with its seal, for callers of models that want it back: a field that OpenAI itself does not have."""
    match part:
        case ReasoningPart(signature=str(signature)):
            return [{"type": "thinking", "thinking": part.text, "signature": signature}]
        case OpaquePart(extra=Extra(dialect="anthropic", fields={"type": "redacted_thinking", **fields})):
            return [{"type": "redacted_thinking", **fields}]
        case _:
            return []


def _decode_thought(wire: Wire) -> Part:
    if wire.get("type") == "thinking":
        return ReasoningPart(str(wire.get("thinking", "")), words(wire, "signature"))
    return OpaquePart(Extra("anthropic", wire))


def _encode_result(result: ToolResultPart) -> Wire:
    parts = tuple(part for part in result.parts if not _is_shown(part))
    content = _encode_content(parts) or ("See the next message." if result.parts else "")
    return put_back(DIALECT, {"role": "tool", "tool_call_id": result.call_id, "content": content}, result.extra)


def _encode_shown(results: list[ToolResultPart]) -> list[Wire]:
    """Pictures and files that tools gave: the dialect has only words in tool messages, so the user shows them."""
    content: list[Wire] = []
    for result in results:
        if shown := [wire for part in result.parts if _is_shown(part) for wire in _encode_part(part)]:
            content += [{"type": "text", "text": f"The result of tool call {result.call_id} holds:"}, *shown]
    return [{"role": "user", "content": content}] if content else []


def _is_shown(part: Part) -> bool:
    return isinstance(part, ImagePart | FilePart)


def _encode_call(part: Part) -> list[Wire]:
    match part:
        case ToolCallPart():
            wire = {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
            return [put_back(DIALECT, wire, part.extra)]
        case OpaquePart() if _is_other_call(part):
            return [dict(part.extra.fields)]
        case _:
            return []


def _is_other_call(part: Part) -> bool:
    """A call of a tool that is no function, as `decode_call` kept it."""
    return isinstance(part, OpaquePart) and part.extra.dialect == DIALECT and part.extra.fields.get("type") == "custom"


def _encode_content(parts: tuple[Part, ...]) -> str | list[Wire] | None:
    if all(isinstance(part, TextPart) and part.extra is None for part in parts if _is_content(part)):
        texts = [part.text for part in parts if isinstance(part, TextPart)]
        return texts[0] if len(texts) == 1 else [{"type": "text", "text": text} for text in texts] or None
    return [wire for part in parts if _is_content(part) for wire in _encode_part(part)]


def _is_content(part: Part) -> bool:
    return not isinstance(part, ReasoningPart | ToolCallPart | ToolResultPart) and not _is_other_call(part)


def _encode_part(part: Part) -> list[Wire]:
    match part:
        case TextPart():
            wire: Wire = {"type": "text", "text": part.text}
        case ImagePart():
            wire = {"type": "image_url", "image_url": {"url": _image_url(part.source)}}
        case FilePart():
            wire = {"type": "file", "file": _encode_file(part)}
        case OpaquePart():
            is_ours = part.extra.dialect == DIALECT and "type" in part.extra.fields
            return [dict(part.extra.fields)] if is_ours else []
        case _:
            return []
    return [put_back(DIALECT, wire, part.extra)]


def _image_url(source: Source) -> str:
    match source:
        case Link():
            return source.url
        case Inline():
            return f"data:{source.media_type};base64,{source.base64}"
        case Stored():
            raise InvalidRequest("An image stored with a provider cannot be sent in this dialect; send it inline.")


def _encode_file(part: FilePart) -> Wire:
    match part.source:
        case Stored():
            return {"file_id": part.source.file_id}
        case Inline():
            kind = part.source.media_type
            name = part.name or ("document.pdf" if kind == "application/pdf" else "document.txt")  # one is demanded
            return {"filename": name, "file_data": f"data:{kind};base64,{part.source.base64}"}
        case Link():
            raise InvalidRequest("A file cannot be sent as a link in this dialect; send it inline.")


def _decode_part(wire: Wire) -> Part:
    match wire:
        case {"type": "text", "text": str(text)}:
            return TextPart(text, rest(DIALECT, wire, ("type", "text")))
        case {"type": "image_url", "image_url": {"url": str(url), **inner}}:
            inner = {"image_url": inner} if inner else {}
            outer = {name: value for name, value in wire.items() if name not in ("type", "image_url")}
            return ImagePart(_source(url), rest(DIALECT, {**inner, **outer}, ()))
        case {"type": "file", "file": {"file_id": str(file_id)}}:
            return FilePart(Stored(file_id))
        case {"type": "file", "file": {"file_data": str(data), **inner}}:
            return FilePart(_source(data), words(inner, "filename"))
        case _:
            return _opaque(wire)


def _source(url: str) -> Source:
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return Inline(data, head.removeprefix("data:"))
    return Link(url)


def _opaque(wire: Wire) -> OpaquePart:
    if "type" not in wire:
        raise InvalidRequest("A content part has no type; give it one, such as text.")
    return OpaquePart(Extra(DIALECT, wire))
