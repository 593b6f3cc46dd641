"""Parts of the Gemini dialect, to the normal form and back.

A seal (`thoughtSignature`) stands on the part after the thought it closes, here; the normal form
has it on the thought. Media are told apart by their type alone. Calls may come without an id:
they get one from their reply, which is recognised and left out on the way back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    put_back,
    read_object,
    rest,
    seal,
    to_json,
    unseal,
    without_nulls,
)
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

from .media import decode_file_data, decode_inline_data, encode_media

DIALECT = "gemini"
UNSEALED = "skip_thought_signature_validator"
"""Google's own word for a call whose signature another model or client has not kept."""
_INVENTED = "gemini-call-"
_NOT_IN_IDS = re.compile(r"[^0-9A-Za-z_-]")


class CallIds:
    """Ids for the calls of one reply or turn; those without one are numbered after `reply`, or after their content."""

    def __init__(self, reply: str = "") -> None:
        self._reply = _NOT_IN_IDS.sub("", reply)[:24]  # OpenAI's clients take ids of at most 40 characters
        self._count = 0

    def of(self, call: Wire) -> str:
        """The id of the next call."""
        self._reply = self._reply or f"{crc32(to_json(call)):08x}"
        self._count += 1
        return str(call.get("id") or "") or f"{_INVENTED}{self._reply}-{self._count - 1}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that results refer to, and its place among all calls."""

    place: int
    name: str


def call_id_on_wire(call_id: str) -> str | None:
    """The id to send; None for one that was made up here, which the provider has never seen."""
    return None if not call_id or call_id.startswith(_INVENTED) else call_id


def encode_parts(parts: Iterable[Part], asked: Mapping[str, Asked], *, with_reasoning: bool) -> list[Wire]:
    """The wire parts of a turn; a seal goes to the part after its thought, or onto an empty text."""
    wires: list[Wire] = []
    held: str | None = None
    for part in parts:
        found = _encode_thought(part, with_reasoning) if isinstance(part, ReasoningPart) else encode_part(part, asked)
        if held and found:
            wires += _attach(held, found[0])
            held = None
        wires += found
        if isinstance(part, ReasoningPart) and not (found and "thoughtSignature" in found[0]):
            wires += [_bare(held)] if held else []
            held = unseal(DIALECT, part.signature)
    return wires + ([_bare(held)] if held else [])


def encode_part(part: Part, asked: Mapping[str, Asked]) -> list[Wire]:
    """The wire of a part that is no thought; none for empty text and other dialects' blocks."""
    match part:
        case TextPart():
            wire: Wire = {"text": part.text}
            if not part.text:
                return []
        case ImagePart() | FilePart():
            wire = encode_media(part.source)
        case ToolCallPart():
            call = {"id": call_id_on_wire(part.id), "name": part.name, "args": read_object(part.arguments) or {}}
            wire = {"functionCall": without_nulls(call)}
        case ToolResultPart():
            return [_encode_result(part, asked)]
        case OpaquePart():
            return [dict(part.extra.fields)] if part.extra.dialect == DIALECT else []
        case ReasoningPart():
            return []
    return [put_back(DIALECT, wire, part.extra)]


def decode_parts(wires: object, ids: CallIds) -> list[Part]:
    """The parts behind a `parts` list, results excepted; each seal goes to the thought before its part."""
    parts: list[Part] = []
    for wire in as_list(wires, dict):
        signature, bare = split_seal(wire)
        if signature and parts and isinstance(parts[-1], ReasoningPart) and parts[-1].signature is None:
            parts[-1] = replace(parts[-1], signature=signature)
        elif signature:
            parts.append(ReasoningPart("", signature))
        if bare and bare != {"text": ""}:
            parts.append(decode_part(bare, ids))
    return parts


def split_seal(wire: Wire) -> tuple[str | None, Wire]:
    """The seal of the thought before a part, and the part without it; thoughts and strangers keep their own."""
    signature: object = wire.get("thoughtSignature")
    if not isinstance(signature, str) or wire.get("thought") or not _KNOWN.intersection(wire):
        return None, wire
    bare = {name: value for name, value in wire.items() if name != "thoughtSignature"}
    return (seal(DIALECT, signature) if signature and signature != UNSEALED else None), bare


def decode_part(wire: Wire, ids: CallIds) -> Part:
    """The part behind one wire part; what has no word here is kept whole."""
    match wire:
        case {"text": str(text), "thought": True}:
            own: object = wire.get("thoughtSignature")
            signature = seal(DIALECT, own) if isinstance(own, str) and own else None
            return ReasoningPart(text, signature, rest(DIALECT, wire, ("text", "thought")))
        case {"text": str(text)}:
            return TextPart(text, rest(DIALECT, wire, ("text",)))
        case {"inlineData": {"mimeType": str(), "data": str()}}:
            return decode_inline_data(DIALECT, wire)
        case {"fileData": {"fileUri": str()}}:
            return decode_file_data(DIALECT, wire)
        case {"functionCall": dict(call)}:
            return decode_call(wire, call, ids)
        case _:
            return OpaquePart(Extra(DIALECT, wire))


def decode_call(wire: Wire, call: Wire, ids: CallIds) -> ToolCallPart:
    """The call in `wire`, whose `functionCall` is `call`."""
    inner = rest(DIALECT, call, ("id", "name", "args"))
    outer = {name: value for name, value in wire.items() if name != "functionCall"}
    extra = rest(DIALECT, {"functionCall": inner.fields if inner else None, **outer}, ())
    return ToolCallPart(ids.of(call), str(call.get("name", "")), to_json(call.get("args") or {}).decode(), extra)


def decode_result(wire: Wire, call_id: str) -> ToolResultPart:
    """The result in a part that holds a `functionResponse`."""
    inner: Wire = wire["functionResponse"]
    answer: Any = inner.get("response") or {}
    kept = {"functionResponse": rest(DIALECT, inner, ("id", "name", "response", "parts"))}
    fields: Wire = {name: extra.fields for name, extra in kept.items() if extra}
    fields |= {name: value for name, value in wire.items() if name != "functionResponse"}
    match answer:
        case {"output": str(text), **other} if not other:
            parts, is_error = ([TextPart(text)] if text else []), False
        case {"error": str(text), **other} if not other:
            parts, is_error = ([TextPart(text)] if text else []), True
        case dict():
            parts, is_error = ([TextPart(to_json(answer).decode())] if answer else []), False
            fields["functionResponse"] = {**fields.get("functionResponse", {}), "response": answer}
        case _:
            raise InvalidRequest("functionResponse.response must be an object.")
    media = decode_parts(inner.get("parts"), CallIds())
    shown = [part for part in media if isinstance(part, TextPart | ImagePart | FilePart | OpaquePart)]
    return ToolResultPart(call_id, (*parts, *shown), is_error, rest(DIALECT, fields, ()))


_KNOWN = {"text", "inlineData", "fileData", "functionCall"}


def _encode_thought(part: ReasoningPart, with_reasoning: bool) -> list[Wire]:
    if not part.text or not with_reasoning:
        return []
    return [put_back(DIALECT, {"text": part.text, "thought": True}, part.extra)]


def _attach(held: str, wire: Wire) -> list[Wire]:
    """Put a seal on `wire`, or before it where it cannot carry one; what must stand before it."""
    if wire.get("thought") or not _KNOWN.intersection(wire) or "thoughtSignature" in wire:
        return [_bare(held)]
    wire["thoughtSignature"] = held
    return []


def _bare(held: str) -> Wire:
    return {"text": "", "thoughtSignature": held}


def _encode_result(part: ToolResultPart, asked: Mapping[str, Asked]) -> Wire:
    if part.call_id not in asked:
        raise InvalidRequest(f"A tool result answers the call {part.call_id!r}, which no earlier message asks for.")
    text = "\n".join(inner.text for inner in part.parts if isinstance(inner, TextPart))
    kept: Any = part.extra.fields.get("functionResponse", {}) if part.extra and part.extra.dialect == DIALECT else {}
    answer = {} if "response" in kept else {"response": {"error" if part.is_error else "output": text}}
    media = [wire for inner in part.parts if not isinstance(inner, TextPart) for wire in encode_part(inner, {})]
    response = {
        "id": call_id_on_wire(part.call_id),
        "name": asked[part.call_id].name,
        **answer,
        "parts": media or None,
    }
    return put_back(DIALECT, {"functionResponse": without_nulls(response)}, part.extra)
