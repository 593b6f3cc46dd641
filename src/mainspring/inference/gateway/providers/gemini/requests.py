"""Requests of the Gemini dialect, to the normal form and back.

The model and whether the reply is streamed are in the address, not in the body. Instructions
have one place before all turns; a model whose provider cannot enforce a schema is shown it there.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

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
from mainspring.inference.gateway.providers.wishes import own_tool, wishes_for
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

from .parts import DIALECT, CallIds, decode_parts, encode_parts
from .thinking import encode_thinking
from .turns import decode_turns, encode_turns

_KNOWN = {"model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
_CONFIG = {"temperature", "topP", "seed", "stopSequences", "maxOutputTokens"}
_JSON = "application/json"
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE", "named": "ANY"}
_PROVIDED = "tool"
_EITHER = ("gemini-1", "gemini-2")  # these refuse a schema beside tools


def path_of(model: str, is_stream: bool) -> str:
    """The address of a call, after the base URL."""
    method = "streamGenerateContent?alt=sse" if is_stream else "generateContent"
    return f"/models/{quote(model, safe='')}:{method}"


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of a call; `model` and `stream` are said by its address."""
    shape, is_enforced = request.response_format, _enforces_schema(request, model, profile)
    wire = without_nulls(
        {
            "systemInstruction": _encode_system(request.messages, None if is_enforced else shape),
            "contents": encode_turns(
                (message for message in request.messages if message.role is not Role.SYSTEM),
                with_reasoning=profile.accepts_reasoning,
            ),
            "tools": _encode_tools(request.tools) or None,
            "toolConfig": _encode_choice(request.tool_choice) if request.tools else None,
            "generationConfig": _encode_config(request, model, profile, shape if is_enforced else None) or None,
        }
    )
    return put_back(DIALECT, wire, request.extra)


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it."""
    turns = decode_turns(turns_in(wire, "contents"))
    if not turns:
        raise InvalidRequest("contents must hold at least one part.")
    instructions = decode_parts((wire.get("systemInstruction") or {}).get("parts"), CallIds())
    config: Wire = wire.get("generationConfig") or {}
    choice, other_choice = _decode_choice(wire.get("toolConfig") or {})
    shape, other_config = _decode_format(config)
    unknown = {name: value for name, value in wire.items() if name not in _KNOWN}
    unknown |= {"toolConfig": other_choice or None, "generationConfig": other_config or None}
    return InferenceRequest(
        messages=(
            *([Message(Role.SYSTEM, tuple(instructions))] if instructions else []),
            *turns,
        ),
        model=words(wire, "model"),
        tools=tuple(tool for group in as_list(wire.get("tools"), _decode_tools) for tool in group),
        tool_choice=choice,
        sampling=Sampling(
            number(config, "temperature"),
            number(config, "topP"),
            whole(config, "seed"),
            list_of_words(config, "stopSequences"),
        ),
        max_tokens=whole(config, "maxOutputTokens"),
        response_format=shape,
        extra=rest(DIALECT, unknown, ()),
    )


def _encode_system(messages: Iterable[Message], shape: ResponseFormat | None) -> Wire | None:
    parts = [part for message in messages if message.role is Role.SYSTEM for part in message.parts]
    if shape:
        schema = to_json(dict(shape.schema)).decode()
        parts.append(
            TextPart(f"Reply with one JSON value only, without any other text. It must fit this schema:\n{schema}")
        )
    wires = encode_parts(parts, {}, with_reasoning=False)
    return {"parts": wires} if wires else None


def _enforces_schema(request: InferenceRequest, model: str, profile: Profile) -> bool:
    return profile.json_schema and not (request.tools and model.startswith(_EITHER))


def _encode_config(request: InferenceRequest, model: str, profile: Profile, shape: ResponseFormat | None) -> Wire:
    sampling, draws, wishes = request.sampling, profile.accepts_sampling, wishes_for(DIALECT, request)
    return without_nulls(
        {
            "temperature": sampling.temperature if draws else None,
            "topP": sampling.top_p if draws else None,
            "seed": sampling.seed,
            "stopSequences": list(sampling.stop) or None,
            "maxOutputTokens": request.max_tokens,
            "responseMimeType": _JSON if shape or wishes.is_json else None,
            "responseJsonSchema": dict(shape.schema) if shape else None,
            "thinkingConfig": encode_thinking(wishes, model=model),
        }
    )


def _decode_format(config: Wire) -> tuple[ResponseFormat | None, Wire]:
    """The schema, and the settings that have no word in the normal form."""
    schema, is_json = config.get("responseJsonSchema"), config.get("responseMimeType") == _JSON
    other = {name: value for name, value in config.items() if name not in _CONFIG and value is not None}
    if not isinstance(schema, dict) or not is_json:
        return None, other
    return ResponseFormat("reply", schema), {
        name: value for name, value in other.items() if name not in ("responseMimeType", "responseJsonSchema")
    }


def _encode_tools(tools: tuple[Tool, ...]) -> list[Wire]:
    functions = [_encode_function(tool) for tool in tools if _provided(tool) is None]
    provided = [wire for tool in tools if (wire := _provided(tool)) is not None]
    return ([{"functionDeclarations": functions}] if functions else []) + provided


def _encode_function(tool: Tool) -> Wire:
    wire: Wire = {"name": tool.name, "description": tool.description}
    kept = tool.extra.fields if tool.extra and tool.extra.dialect == DIALECT else {}
    if tool.parameters and "parameters" not in kept:
        wire["parametersJsonSchema"] = dict(tool.parameters)
    return put_back(DIALECT, wire, tool.extra)


def _provided(tool: Tool) -> Wire | None:
    """A tool the provider runs itself, such as `googleSearch`; InvalidRequest for one of another provider."""
    own_tool(DIALECT, tool)
    if tool.extra is None or tool.extra.dialect != DIALECT or _PROVIDED not in tool.extra.fields:
        return None
    return {tool.name: tool.extra.fields[_PROVIDED]}


def _decode_tools(wire: Wire) -> list[Tool]:
    provided = [
        Tool(name, "", {}, Extra(DIALECT, {"type": name, _PROVIDED: value}))
        for name, value in wire.items()
        if name != "functionDeclarations" and value is not None
    ]
    return as_list(wire.get("functionDeclarations"), _decode_function) + provided


def _decode_function(wire: Wire) -> Tool:
    if not isinstance(wire.get("name"), str):
        raise InvalidRequest("each of functionDeclarations must have a name.")
    known = ("name", "description", "parametersJsonSchema")
    return Tool(
        wire["name"],
        words(wire, "description") or "",
        mapping(wire, "parametersJsonSchema"),
        rest(DIALECT, wire, known),
    )


def _encode_choice(choice: ToolChoice | None) -> Wire | None:
    if choice is None:
        return None
    config: Wire = {"mode": _MODES[choice.mode]}
    if choice.name:
        config["allowedFunctionNames"] = [choice.name]
    return {"functionCallingConfig": config}


def _decode_choice(config: Wire) -> tuple[ToolChoice | None, Wire]:
    """The choice, and what of the configuration it does not say."""
    other = {name: value for name, value in config.items() if name != "functionCallingConfig"}
    calling: Any = config.get("functionCallingConfig")
    match calling:
        case None:
            return None, other
        case {"mode": "ANY", "allowedFunctionNames": [str(name)], **more} if not more:
            return ToolChoice("named", name), other
        case {"mode": "AUTO" | "ANY" | "NONE" as mode, **more}:
            known = {"AUTO": ToolChoice("auto"), "ANY": ToolChoice("required"), "NONE": ToolChoice("none")}
            return known[mode], {**other, "functionCallingConfig": calling} if more else other
        case dict():
            return ToolChoice(), {**other, "functionCallingConfig": calling}
        case _:
            raise InvalidRequest("toolConfig.functionCallingConfig must be an object.")
