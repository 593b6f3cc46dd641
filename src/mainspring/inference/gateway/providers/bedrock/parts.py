"""Content blocks of Bedrock's Converse, to the normal form and back.

A block is a union: one key names it and holds all of it. Tool results stand inside user turns here
and in turns of their own in the normal form; a tool call's arguments are an object here and JSON
text there. Blocks without a word in the normal form (cache points, guarded content, videos,
redacted thought, tools that run at the provider) are kept whole.
"""

from itertools import groupby

import msgspec

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    is_sealed_elsewhere,
    put_back,
    read_object,
    rest,
    to_json,
    words,
)
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

from .media import DIALECT, decode_document, decode_image, encode_document, encode_image

_CACHE_TIMES = ("5m", "1h")
_OPENAI_SEAL = "gAAAA"  # how its encrypted thoughts begin (Fernet)


def encode_turns(messages: tuple[Message, ...], *, keep_unsealed: bool, with_marks: bool) -> list[Wire]:
    """The `messages` of a body: neighbours of one side become one turn, as the dialect wants them.

    keep_unsealed   send back thought that bears no signature; most models refuse it
    with_marks      put cache points where callers of the Anthropic dialect marked the end of what may be cached
    """
    turns: list[Wire] = []
    for is_assistant, group in groupby(messages, lambda message: message.role is Role.ASSISTANT):
        parts = [part for message in group for part in message.parts if _is_welcome(part, keep_unsealed)]
        blocks = [block for part in parts for block in encode_marked(part, with_marks=with_marks)]
        if blocks:
            turns.append({"role": "assistant" if is_assistant else "user", "content": blocks})
    return turns


def decode_turn(wire: Wire) -> list[Message]:
    """The turns behind one wire message: tool results are split from what the user says beside them."""
    parts = as_list(wire.get("content"), decode_block)
    match wire.get("role"):
        case "assistant":
            return [Message(Role.ASSISTANT, tuple(parts))]
        case "system":
            return [Message(Role.SYSTEM, tuple(parts))]
        case "user":
            return [
                Message(Role.TOOL if are_results else Role.USER, tuple(group))
                for are_results, group in groupby(parts, lambda part: isinstance(part, ToolResultPart))
            ]
        case role:
            raise InvalidRequest(f"role is {role!r}; it must be user, assistant or system.")


def decode_block(wire: Wire) -> Part:
    """The part behind one block; a block without a word here is kept whole."""
    match wire:
        case {"text": str(text)}:
            return TextPart(text, rest(DIALECT, wire, ("text",)))
        case {"image": dict(inner)} if image := decode_image(inner):
            return image
        case {"document": dict(inner)} if document := decode_document(inner):
            return document
        case {"reasoningContent": {"reasoningText": {"text": str(text), **inner}}}:
            return ReasoningPart(text, words(inner, "signature"), rest(DIALECT, inner, ("signature",)))
        case {"citationsContent": {"content": list(pieces), **inner}}:
            text = "".join(str(piece.get("text", "")) for piece in pieces)
            return TextPart(text, Extra(DIALECT, {"citationsContent": inner}))
        case {"toolUse": {"toolUseId": str(id_), "name": str(name), **inner}} if "type" not in inner:
            arguments = to_json(inner.get("input") or {}).decode()
            return ToolCallPart(id_, name, arguments, rest(DIALECT, inner, ("input",)))
        case {"toolResult": {"toolUseId": str(id_), **inner}} if "type" not in inner:
            parts = as_list(inner.get("content"), _decode_result)
            is_error = inner.get("status") == "error"
            return ToolResultPart(id_, tuple(parts), is_error, rest(DIALECT, inner, ("content", "status")))
        case _:
            if not wire:
                raise InvalidRequest("A content block is empty; give it one member, such as text.")
            return OpaquePart(Extra(DIALECT, wire))


def encode_marked(part: Part, *, with_marks: bool) -> list[Wire]:
    """The block of a part and, if wanted, the cache point that its mark asks for."""
    blocks = encode_block(part)
    return [*blocks, *cache_points(part.extra)] if with_marks and blocks else blocks


def cache_points(extra: Extra | None) -> list[Wire]:
    """The cache point that stands for a `cache_control` of the Anthropic dialect; none without one."""
    mark = extra.fields.get("cache_control") if extra and extra.dialect == "anthropic" else None
    if not isinstance(mark, dict):
        return []
    ttl = {"ttl": mark["ttl"]} if mark.get("ttl") in _CACHE_TIMES else {}
    return [{"cachePoint": {"type": "default", **ttl}}]


def encode_block(part: Part) -> list[Wire]:
    """The block of a part; none for blank text, which is refused, and for other dialects' blocks."""
    match part:
        case TextPart():
            return [_encode_text(part)] if part.text.strip() else []
        case ImagePart():
            return [encode_image(part)]
        case FilePart():
            return [encode_document(part)]
        case ReasoningPart():
            seal = {"signature": part.signature} if part.signature is not None else {}
            inner = put_back(DIALECT, {"text": part.text, **seal}, part.extra)
            return [{"reasoningContent": {"reasoningText": inner}}]
        case ToolCallPart():
            call = {"toolUseId": part.id, "name": part.name, "input": read_object(part.arguments) or {}}
            return [{"toolUse": put_back(DIALECT, call, part.extra)}]
        case ToolResultPart():
            return [{"toolResult": _encode_result(part)}]
        case OpaquePart():
            return [dict(part.extra.fields)] if part.extra.dialect == DIALECT else []


def _is_welcome(part: Part, keep_unsealed: bool) -> bool:
    """Thought sealed by another provider would be refused; Anthropic's own seals hold here too."""
    if not isinstance(part, ReasoningPart):
        return True
    if part.signature is None:
        return keep_unsealed
    return not is_sealed_elsewhere(DIALECT, part.signature) and not part.signature.startswith(_OPENAI_SEAL)


def _encode_text(part: TextPart) -> Wire:
    if part.extra is None or part.extra.dialect != DIALECT:
        return {"text": part.text}
    match part.extra.fields:
        case {"citationsContent": dict(inner)}:
            return {"citationsContent": {"content": [{"text": part.text}], **inner}}
        case {"json": _}:
            value = _read_json(part.text)
            return {"text": part.text} if value is None else {"json": value}
        case _:
            return put_back(DIALECT, {"text": part.text}, part.extra)


def _encode_result(part: ToolResultPart) -> Wire:
    content = [block for inner in part.parts for block in encode_block(inner)]
    wire: Wire = {"toolUseId": part.call_id, "content": content}
    return put_back(DIALECT, wire | ({"status": "error"} if part.is_error else {}), part.extra)


def _decode_result(wire: Wire) -> Part:
    """A block of a tool result; JSON is text in the normal form, and marked, so that it goes back as JSON."""
    match wire:
        case {"json": value} if value is not None:
            return TextPart(to_json(value).decode(), Extra(DIALECT, {"json": True}))
        case {"text": _} | {"image": _} | {"document": _}:
            return decode_block(wire)
        case _:
            return OpaquePart(Extra(DIALECT, wire))


def _read_json(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
