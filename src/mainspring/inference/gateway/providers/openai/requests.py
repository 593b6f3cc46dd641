"""Requests of the OpenAI dialect, to the normal form and back."""

from typing import Any, Literal

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.refusals import fault
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    flag,
    list_of_words,
    mapping,
    misshapen_is,
    number,
    put_back,
    rest,
    turns_in,
    whole,
    without_nulls,
    words,
)
from mainspring.inference.gateway.providers.wishes import Wishes, effort_of, is_strict, own_tool, wishes_for
from mainspring.inference.messages import (
    Extra,
    InferenceRequest,
    Message,
    ResponseFormat,
    Role,
    Sampling,
    Tool,
    ToolChoice,
)

from .parts import DIALECT, decode_message, encode_message

_KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"),
    *("temperature", "top_p", "seed", "stop", "max_tokens", "max_completion_tokens", "response_format", "n"),
}


_MODES: dict[str, Literal["auto", "required", "none"]] = {"auto": "auto", "required": "required", "none": "none"}


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of POST /chat/completions; a stream always asks for its usage."""
    choice, sampling = request.tool_choice or ToolChoice(), request.sampling
    draws = profile.accepts_sampling
    wire = without_nulls(
        {
            "model": model,
            "messages": [
                wire
                for turn in request.messages
                for wire in encode_message(turn, with_reasoning=profile.accepts_reasoning)
            ],
            "stream": True if stream else None,
            "stream_options": {"include_usage": True} if stream else None,
            "tools": [_encode_tool(tool) for tool in request.tools] or None,
            "tool_choice": _encode_choice(request.tool_choice) if request.tools else None,
            "parallel_tool_calls": choice.parallel if request.tools else None,
            "temperature": sampling.temperature if draws else None,
            "top_p": sampling.top_p if draws else None,
            "seed": sampling.seed,
            "stop": list(sampling.stop) or None,
            profile.max_tokens_field: request.max_tokens,
            "response_format": _encode_format(request.response_format),
        }
    )
    wire |= _encode_wishes(wishes_for(DIALECT, request), request, profile)
    return put_back(DIALECT, wire, request.extra)


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it."""
    messages = turns_in(wire, "messages")
    if (wire.get("n") or 1) != 1:
        raise fault("n", f"n is {wire['n']!r}; a call gives one choice. Leave n out, and send the call n times.")
    choice, allowed = read_choice(wire.get("tool_choice"), flag(wire, "parallel_tool_calls"))
    tools: list[Tool] = as_list(wire.get("tools"), _decode_tool)
    return InferenceRequest(
        messages=_join_results(as_list(messages, decode_message)),
        model=words(wire, "model"),
        tools=tuple(tool for tool in tools if allowed is None or tool.name in allowed),
        tool_choice=choice,
        sampling=Sampling(
            number(wire, "temperature"),
            number(wire, "top_p"),
            whole(wire, "seed"),
            list_of_words(wire, "stop"),
        ),
        max_tokens=whole(wire, "max_completion_tokens") or whole(wire, "max_tokens"),
        response_format=_decode_format(wire.get("response_format")),
        extra=_unknown(wire),
    )


def _join_results(messages: list[Message]) -> tuple[Message, ...]:
    """The results of one round of tools in one turn, which on the wire have a message each."""
    turns: list[Message] = []
    for message in messages:
        if message.role is Role.TOOL and turns and turns[-1].role is Role.TOOL:
            turns[-1] = Message(Role.TOOL, (*turns[-1].parts, *message.parts))
        else:
            turns.append(message)
    return tuple(turns)


def _unknown(wire: Wire) -> Any:
    kept = {name: value for name, value in wire.items() if name not in _KNOWN}
    shape: object = wire.get("response_format")
    if isinstance(shape, dict) and not _is_plain(shape):
        kept["response_format"] = shape
    return rest(DIALECT, kept, ())


def _is_plain(shape: Wire) -> bool:
    """Whether a response format is said wholly by the normal form."""
    inner: object = shape.get("json_schema")
    return isinstance(inner, dict) and inner.keys() <= {"name", "schema", "strict"} and inner.get("strict") is True


def _encode_wishes(wishes: Wishes, request: InferenceRequest, profile: Profile) -> Wire:
    """What a caller of another dialect asked for, in fields that the vendor behind this dialect takes."""
    is_openai = profile.max_tokens_field == "max_completion_tokens"  # others refuse fields that they do not know
    thinks = profile.accepts_reasoning or not profile.accepts_sampling
    wants_json = wishes.is_json and request.response_format is None
    fields: Wire = {
        "reasoning_effort": effort_of(wishes) if thinks else None,
        "safety_identifier" if is_openai else "user": wishes.end_user,
        "logprobs": True if wishes.top_logprobs is not None else None,
        "top_logprobs": wishes.top_logprobs or None,
        "response_format": {"type": "json_object"} if wants_json else None,
    }
    if is_openai:
        fields |= {"service_tier": wishes.tier, "verbosity": wishes.verbosity, **wishes.shared}
    return without_nulls(fields)


def _encode_tool(tool: Tool) -> Wire:
    if own := own_tool(DIALECT, tool):
        return dict(own)
    function: Wire = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    if (strict := is_strict(DIALECT, tool)) is not None:
        function["strict"] = strict
    return put_back(DIALECT, {"type": "function", "function": function}, tool.extra)


def _decode_tool(wire: Wire) -> Tool:
    function: Any = wire.get("function")
    if wire.get("type", "function") != "function":
        custom: object = wire.get(str(wire["type"]))
        name: object = custom.get("name") if isinstance(custom, dict) else None
        return Tool(str(name or wire["type"]), "", {}, Extra(DIALECT, wire))
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequest("each of tools must be a function with a name.")
    inner = rest(DIALECT, function, ("name", "description", "parameters"))
    return Tool(
        function["name"],
        words(function, "description") or "",
        mapping(function, "parameters"),
        rest(DIALECT, {"function": inner.fields} if inner else {}, ()),
    )


def _encode_choice(choice: ToolChoice | None) -> str | Wire | None:
    match choice:
        case None:
            return None
        case ToolChoice(mode="named", name=name):
            return {"type": "function", "function": {"name": name}}
        case ToolChoice(mode=mode):
            return mode


def read_choice(choice: object, parallel: bool | None) -> tuple[ToolChoice | None, set[str] | None]:
    """The choice of tools, and the names of those that may be used where it names some; in both OpenAI dialects."""
    match choice:
        case None:
            return ToolChoice(parallel=parallel) if parallel is not None else None, None
        case {"function": {"name": str(name)}} | {"type": "function" | "custom", "name": str(name)}:
            return ToolChoice("named", name, parallel), None
        case str() if choice in _MODES:
            return ToolChoice(_MODES[choice], None, parallel), None
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(tools)}}:
            return ToolChoice(mode, None, parallel), set(as_list(tools, lambda tool: tool["function"]["name"]))
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(tools)}:
            return ToolChoice(mode, None, parallel), set(as_list(tools, lambda tool: tool.get("name") or tool["type"]))
        case _:
            raise InvalidRequest("tool_choice must be auto, required, none, a named function or allowed_tools.")


def _encode_format(shape: ResponseFormat | None) -> Wire | None:
    if shape is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": shape.name, "strict": True, "schema": dict(shape.schema)}}


def _decode_format(wire: object) -> ResponseFormat | None:
    match wire:
        case {"type": "json_schema", "json_schema": {"schema": dict(schema), **inner}}:
            return ResponseFormat(str(inner.get("name", "reply")), schema)
        case _:
            return None
