"""Requests of the Anthropic dialect, to the normal form and back.

Instructions have one place, before all turns; system messages are gathered there in their order,
except those that this dialect's own callers put between turns. A model whose provider cannot
enforce a schema is shown it in the instructions instead.
"""

from typing import Any

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    list_of_words,
    mapping,
    misshapen_is,
    number,
    put_back,
    rest,
    to_json,
    turns_in,
    whole,
    without_nulls,
    words,
)
from mainspring.inference.gateway.providers.wishes import Wishes, is_strict, own_tool, wishes_for
from mainspring.inference.messages import (
    Extra,
    InferenceRequest,
    Message,
    ResponseFormat,
    Role,
    Sampling,
    TextPart,
    Tool,
    ToolChoice,
)

from .parts import DIALECT, decode_blocks, decode_turn, encode_block, encode_turns, is_in_place
from .thinking import encode_thinking

_KNOWN = {
    *("model", "messages", "system", "stream", "tools", "tool_choice", "temperature", "top_p"),
    *("stop_sequences", "max_tokens", "output_config", "output_format"),
}
_DEFAULT_MAX_TOKENS = 4096  # the dialect requires a limit; this one every model accepts
_MODES = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of POST /v1/messages."""
    instructions = [turn for turn in request.messages if turn.role is Role.SYSTEM and not is_in_place(turn)]
    turns = tuple(turn for turn in request.messages if turn.role is not Role.SYSTEM or is_in_place(turn))
    wishes, shape = wishes_for(DIALECT, request), request.response_format
    max_tokens = request.max_tokens or profile.max_output_tokens or _DEFAULT_MAX_TOKENS
    thinking = encode_thinking(request, wishes, model=model, max_tokens=max_tokens)
    draws = profile.accepts_sampling and not thinking
    wire = without_nulls(
        {
            "model": model,
            "max_tokens": max_tokens,
            "system": _encode_system(instructions, None if profile.json_schema else shape, wishes),
            "messages": encode_turns(turns),
            "stream": True if stream else None,
            "tools": [_encode_tool(tool) for tool in request.tools] or None,
            "tool_choice": _encode_choice(request.tool_choice) if request.tools else None,
            "temperature": request.sampling.temperature if draws else None,
            "top_p": request.sampling.top_p if draws else None,
            "stop_sequences": list(request.sampling.stop) or None,
            "output_config": _encode_format(shape) if shape and profile.json_schema else None,
            "metadata": {"user_id": wishes.end_user} if wishes.end_user else None,
            "service_tier": {"auto": "auto", "default": "standard_only"}.get(wishes.tier or ""),
        }
    )
    wire = put_back(DIALECT, wire, Extra(DIALECT, thinking))
    return put_back(DIALECT, wire, request.extra)


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it."""
    instructions = decode_blocks(wire.get("system"))
    turns = [turn for group in map(decode_turn, turns_in(wire, "messages")) for turn in group]
    if not turns:
        raise InvalidRequest("messages must hold at least one content block.")
    shape, other = _decode_format(wire.get("output_config"))
    shape = shape or _decode_format({"format": wire.get("output_format")})[0]  # as it was called before it was stable
    unknown = {name: value for name, value in wire.items() if name not in _KNOWN}
    return InferenceRequest(
        messages=(*([Message(Role.SYSTEM, tuple(instructions))] if instructions else []), *turns),
        model=words(wire, "model"),
        tools=tuple(as_list(wire.get("tools"), _decode_tool)),
        tool_choice=_decode_choice(wire.get("tool_choice")),
        sampling=Sampling(
            number(wire, "temperature"), number(wire, "top_p"), None, list_of_words(wire, "stop_sequences")
        ),
        max_tokens=whole(wire, "max_tokens"),
        response_format=shape,
        extra=rest(DIALECT, unknown | ({"output_config": other} if other else {}), ()),
    )


def _encode_system(
    instructions: list[Message], shape: ResponseFormat | None, wishes: Wishes
) -> str | list[Wire] | None:
    parts = [part for message in instructions for part in message.parts]
    if wishes.is_json and shape is None:
        parts.append(TextPart("Reply with one JSON object only, without any other text."))
    if shape:
        schema = to_json(dict(shape.schema)).decode()
        parts.append(
            TextPart(f"Reply with one JSON value only, without any other text. It must fit this schema:\n{schema}")
        )
    match parts:
        case []:
            return None
        case [TextPart(text=text, extra=None)]:
            return text or None
        case _:
            return [block for part in parts for block in encode_block(part)]


def _encode_tool(tool: Tool) -> Wire:
    if own := own_tool(DIALECT, tool):
        return {"name": tool.name, **own}  # a tool the provider runs itself has no schema
    schema = dict(tool.parameters) or {"type": "object"}  # a function without parameters may leave it out elsewhere
    wire: Wire = {"name": tool.name, "description": tool.description, "input_schema": schema}
    if (strict := is_strict(DIALECT, tool)) is not None:
        wire["strict"] = strict
    return put_back(DIALECT, wire, tool.extra)


def _decode_tool(wire: Wire) -> Tool:
    if not isinstance(wire.get("name"), str):
        raise InvalidRequest("each of tools must have a name.")
    known = ("name", "description", "input_schema", *(("type",) if wire.get("type") == "custom" else ()))
    return Tool(
        wire["name"], words(wire, "description") or "", mapping(wire, "input_schema"), rest(DIALECT, wire, known)
    )


def _encode_choice(choice: ToolChoice | None) -> Wire | None:
    if choice is None:
        return None
    wire: Wire = {"type": _MODES[choice.mode]}
    if choice.name:
        wire["name"] = choice.name
    if choice.parallel is not None and choice.mode != "none":
        wire["disable_parallel_tool_use"] = not choice.parallel
    return wire


def _decode_choice(wire: Any) -> ToolChoice | None:
    if wire is None:
        return None
    single: bool | None = wire.get("disable_parallel_tool_use") if isinstance(wire, dict) else None
    parallel = None if single is None else not single
    match wire:
        case {"type": "tool", "name": str(name)}:
            return ToolChoice("named", name, parallel)
        case {"type": "auto"}:
            return ToolChoice("auto", None, parallel)
        case {"type": "any"}:
            return ToolChoice("required", None, parallel)
        case {"type": "none"}:
            return ToolChoice("none")
        case _:
            raise InvalidRequest("tool_choice.type must be auto, any, none or tool with a name.")


def _encode_format(shape: ResponseFormat) -> Wire:
    return {"format": {"type": "json_schema", "schema": dict(shape.schema)}}


def _decode_format(wire: Any) -> tuple[ResponseFormat | None, Wire | None]:
    match wire:
        case {"format": {"type": "json_schema", "schema": dict(schema)}, **other}:
            return ResponseFormat("reply", schema), other or None
        case dict():
            return None, wire
        case _:
            return None, None
