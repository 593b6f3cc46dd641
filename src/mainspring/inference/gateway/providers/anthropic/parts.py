"""Content blocks of the Anthropic dialect, to the normal form and back.

Tool results stand inside user turns here and in turns of their own in the normal form; the
arguments of a tool call are an object here and JSON text there.
"""

from base64 import b64decode, b64encode
from itertools import groupby

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

DIALECT = "anthropic"
_OPENAI_SEAL = "gAAAA"  # how its encrypted thoughts begin (Fernet); here they would be refused


def encode_turns(messages: tuple[Message, ...]) -> list[Wire]:
    """The `messages` of a body: neighbours of one side become one turn, as the dialect wants them."""
    turns: list[Wire] = []
    for side, group in groupby(messages, _side):
        parts = [part for message in group for part in message.parts if not _is_sealed_elsewhere(part)]
        blocks = [block for part in parts for block in encode_block(part)]
        if blocks:
            turns.append({"role": side, "content": blocks})
    return turns


def _is_sealed_elsewhere(part: Part) -> bool:
    """A thought of another provider; callers keep it for that provider, and this one would refuse it."""
    return isinstance(part, ReasoningPart) and is_sealed_elsewhere(DIALECT, part.signature)


def is_in_place(message: Message) -> bool:
    """Whether a system message stood between the turns, where only callers of this dialect can put it."""
    return message.role is Role.SYSTEM and message.extra is not None and message.extra.dialect == DIALECT


def _side(message: Message) -> str:
    return str(message.role) if message.role in (Role.ASSISTANT, Role.SYSTEM) else "user"


def decode_turn(wire: Wire) -> list[Message]:
    """The turns behind one wire message: tool results are split from what the user says beside them."""
    role = wire.get("role")
    if role not in ("user", "assistant", "system"):
        raise InvalidRequest(f"role is {role!r}; it must be user, assistant or system.")
    parts = decode_blocks(wire.get("content"))
    if role == "system":
        return [Message(Role.SYSTEM, tuple(parts), extra=Extra(DIALECT, {"role": "system"}))]
    if role == "assistant":
        return [Message(Role.ASSISTANT, tuple(parts))]
    return [
        Message(Role.TOOL if are_results else Role.USER, tuple(group))
        for are_results, group in groupby(parts, lambda part: isinstance(part, ToolResultPart))
    ]


def decode_blocks(content: object) -> list[Part]:
    """The parts of a `content`, which is a text or a list of blocks."""
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return as_list(content, decode_block)


def decode_block(wire: Wire) -> Part:
    """The part behind one block; a block without a word here is kept whole."""
    match wire:
        case {"type": "text", "text": str(text)}:
            return TextPart(text, rest(DIALECT, wire, ("type", "text")))
        case {"type": "image", "source": dict(found)} if source := _decode_source(found):
            return ImagePart(source, rest(DIALECT, wire, ("type", "source")))
        case {"type": "document", "source": dict(found)} if source := _decode_source(found):
            return FilePart(source, words(wire, "title"), rest(DIALECT, wire, ("type", "source", "title")))
        case {"type": "thinking", "thinking": str(text)}:
            return ReasoningPart(text, words(wire, "signature"), rest(DIALECT, wire, ("type", "thinking", "signature")))
        case {"type": "tool_use", "id": str(id_), "name": str(name)}:
            arguments = to_json(wire.get("input") or {}).decode()
            return ToolCallPart(id_, name, arguments, rest(DIALECT, wire, ("type", "id", "name", "input")))
        case {"type": "tool_result", "tool_use_id": str(id_)}:
            known = ("type", "tool_use_id", "content", "is_error")
            parts = [part for part in decode_blocks(wire.get("content")) if _may_be_result(part)]
            return ToolResultPart(id_, tuple(parts), bool(wire.get("is_error")), rest(DIALECT, wire, known))  # pyright: ignore[reportArgumentType] - narrowed by _may_be_result
        case {"type": str()}:
            return OpaquePart(Extra(DIALECT, wire))
        case _:
            raise InvalidRequest("A content block has no type; give it one, such as text.")


def encode_block(part: Part) -> list[Wire]:
    """The block of a part; none for empty text, unsealed thought and other dialects' blocks, which are refused."""
    match part:
        case TextPart():
            wire: Wire = {"type": "text", "text": part.text}
            if not part.text:
                return []
        case ImagePart():
            wire = {"type": "image", "source": _encode_source(part.source)}
        case FilePart():
            wire = {"type": "document", "source": _encode_source(part.source)}
            wire |= {"title": part.name} if part.name else {}
        case ReasoningPart():
            wire = {"type": "thinking", "thinking": part.text, "signature": part.signature}
            if not part.signature or part.signature.startswith(_OPENAI_SEAL):
                return []
        case ToolCallPart():
            wire = {"type": "tool_use", "id": part.id, "name": part.name, "input": read_object(part.arguments) or {}}
        case ToolResultPart():
            wire = _encode_result(part)
        case OpaquePart():
            return [dict(part.extra.fields)] if part.extra.dialect == DIALECT else []
    return [put_back(DIALECT, wire, part.extra)]


def encode_reply_block(part: Part) -> list[Wire]:
    """The block of a part as a caller gets it: unsealed thought is shown too, and left out when it is sent back."""
    if isinstance(part, ReasoningPart) and part.text and not part.signature:
        return [{"type": "thinking", "thinking": part.text, "signature": ""}]
    return encode_block(part)


def _encode_result(part: ToolResultPart) -> Wire:
    content = [block for inner in part.parts for block in encode_block(inner)]
    wire: Wire = {"type": "tool_result", "tool_use_id": part.call_id, "content": content}
    return {**wire, "is_error": True} if part.is_error else wire


def _may_be_result(part: Part) -> bool:
    return isinstance(part, TextPart | ImagePart | FilePart | OpaquePart)


def _encode_source(source: Source) -> Wire:
    match source:
        case Link():
            return {"type": "url", "url": source.url}
        case Inline(media_type="text/plain") if text := _read_text(source.base64):
            return {"type": "text", "media_type": "text/plain", "data": text}
        case Inline():
            return {"type": "base64", "media_type": source.media_type, "data": source.base64}
        case Stored():
            return {"type": "file", "file_id": source.file_id}


def _decode_source(wire: Wire) -> Source | None:
    match wire:
        case {"type": "url", "url": str(url)}:
            return Link(url)
        case {"type": "base64", "media_type": str(media_type), "data": str(data)}:
            return Inline(data, media_type)
        case {"type": "file", "file_id": str(file_id)}:
            return Stored(file_id)
        case {"type": "text", "data": str(text)}:
            return Inline(b64encode(text.encode("utf-8", "replace")).decode(), "text/plain")
        case _:
            return None


def _read_text(base64: str) -> str | None:
    try:
        return b64decode(base64, validate=True).decode()
    except ValueError:
        return None
