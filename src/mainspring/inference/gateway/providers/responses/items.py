"""Items of the responses dialect, to the turns of the normal form and back.

The wire is a flat list: messages, thoughts, calls of tools and their results stand side by side.
Neighbours of one side become one turn. Items without a word here are kept whole.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from mainspring.inference.gateway.providers.refusals import fault
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    put_back,
    rest,
    turns_in,
)
from mainspring.inference.messages import (
    Extra,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

from .parts import DIALECT, decode_content, encode_content, is_content

OPENAI_SEAL = "gAAAA"
"""How OpenAI's encrypted thoughts begin (Fernet tokens); any other seal is another provider's, and refused by it."""

HIDDEN = "redacted:"
"""What stands before a thought that Anthropic hides even from its caller, where a seal would be."""

_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
_RESULT_FIELDS = ("type", "id", "call_id", "output", "status")


def decode_items(items: list[Any]) -> list[Message]:
    """The turns behind a list of items."""
    messages: list[Message] = []
    for role, group in groupby((each for item in as_list(items, decode_item) for each in item), lambda each: each[0]):
        turns = list(group)
        if role in (Role.ASSISTANT, Role.TOOL):
            messages.append(Message(role, tuple(part for _, part in turns)))
        else:
            messages += [Message(role, tuple(part.parts)) for _, part in turns if isinstance(part, _Said)]
    return messages


class _Said:
    """The content of one message of a side whose neighbours stay apart."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts


def decode_item(item: Wire) -> list[tuple[Role, Any]]:
    """Whose turn an item belongs to, with its parts there."""
    kind = item.get("type", "message" if "role" in item else None)
    match kind:
        case "message":
            return _decode_message(item)
        case "function_call":
            return [(Role.ASSISTANT, _decode_call(item))]
        case "function_call_output":
            return [(Role.TOOL, _decode_result(item))]
        case "reasoning":
            return [(Role.ASSISTANT, _decode_thought(item))]
        case "item_reference":
            raise fault("input", "input refers to a stored item; nothing is stored here, so send the item itself.")
        case str():
            return [(Role.ASSISTANT, OpaquePart(Extra(DIALECT, item)))]
        case _:
            raise fault("input", "An item of input has no type; give it one, such as message.")


def encode_items(message: Message) -> list[Wire]:
    """The items of one turn, as a provider is sent them."""
    items: list[Wire] = []
    for is_said, group in groupby(message.parts, is_content):
        if is_said:
            items += _encode_message(message.role, list(group))
        else:
            items += [item for part in group for item in _encode_part(part)]
    return items


def encode_call(part: ToolCallPart) -> Wire:
    """A call of a tool, without id and status."""
    return {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments}


def _decode_message(item: Wire) -> list[tuple[Role, Any]]:
    role = item.get("role")
    if role not in _ROLES:
        raise fault("input", f"role is {role!r}; it must be one of {', '.join(_ROLES)}.")
    parts = decode_content(item.get("content"))
    if _ROLES[role] is not Role.ASSISTANT:
        return [(_ROLES[role], _Said(parts))]
    phase = item.get("phase")
    return [(Role.ASSISTANT, _with_phase(part, phase) if phase else part) for part in parts]


def _with_phase(part: Part, phase: object) -> Part:
    return TextPart(part.text, Extra(DIALECT, {"phase": phase})) if isinstance(part, TextPart) else part


def _decode_call(item: Wire) -> ToolCallPart:
    known = ("type", "id", "call_id", "name", "arguments", "status")
    return ToolCallPart(str(item["call_id"]), str(item["name"]), str(item["arguments"]), rest(DIALECT, item, known))


def _decode_result(item: Wire) -> ToolResultPart:
    parts = tuple(part for part in decode_content(item.get("output")) if is_content(part))
    return ToolResultPart(str(item.get("call_id", "")), parts, extra=rest(DIALECT, item, _RESULT_FIELDS))  # pyright: ignore[reportArgumentType] - narrowed by is_content


def _decode_thought(item: Wire) -> Part:
    hidden = str(item.get("encrypted_content"))
    if hidden.startswith(HIDDEN):
        block = {"type": "redacted_thinking", "data": hidden.removeprefix(HIDDEN)}
        return OpaquePart(Extra("anthropic", block))
    texts: list[str] = as_list(item.get("content") or item.get("summary"), lambda each: str(each["text"]))
    known = ("type", "summary", "encrypted_content", "status")
    seal: object = item.get("encrypted_content")
    return ReasoningPart("\n\n".join(texts), seal if isinstance(seal, str) else None, rest(DIALECT, item, known))


def _encode_message(role: Role, parts: list[Part]) -> Iterator[Wire]:
    for phase, group in groupby(parts, _phase_of):
        if content := encode_content(tuple(group), is_output=role is Role.ASSISTANT):
            wire: Wire = {"type": "message", "role": "developer" if role is Role.SYSTEM else str(role)}
            yield {**wire, "content": content} | ({"phase": phase} if phase else {})


def _phase_of(part: Part) -> object:
    extra = part.extra if isinstance(part, TextPart) else None
    return extra.fields.get("phase") if extra and extra.dialect == DIALECT else None


def _encode_part(part: Part) -> list[Wire]:
    match part:
        case ToolCallPart():
            return [put_back(DIALECT, encode_call(part), part.extra)]
        case ToolResultPart():
            content = encode_content(part.parts, is_output=False)
            is_text = len(content) == 1 and content[0].keys() == {"type", "text"}
            output = content[0]["text"] if is_text else content or ""
            wire: Wire = {"type": "function_call_output", "call_id": part.call_id, "output": output}
            return [put_back(DIALECT, wire, part.extra)]
        case ReasoningPart(signature=str(seal)) if seal.startswith(OPENAI_SEAL):
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            wire = {"type": "reasoning", "summary": summary, "encrypted_content": seal}
            return [put_back(DIALECT, wire, part.extra)]
        case OpaquePart(extra=Extra(dialect="responses", fields=fields)):
            return [dict(fields)]
        case _:
            return []


def check_input(wire: Wire) -> list[Any]:
    """The items of a body; a text is one message of the user."""
    match wire.get("input"):
        case str(text) if text:
            return [{"role": "user", "content": text}]
        case _:
            return list(turns_in(wire, "input"))
