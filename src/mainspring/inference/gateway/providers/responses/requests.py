"""Requests of the responses dialect, to the normal form and back.

Only the stateless core is spoken: a call brings all of its conversation along, and nothing of it
is kept for a later one. What would need a memory is refused with what to send instead.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.openai import read_choice
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.refusals import fault
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    flag,
    mapping,
    misshapen_is,
    number,
    put_back,
    rest,
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
    TextPart,
    Tool,
    ToolChoice,
)

from .items import check_input, decode_items, encode_items
from .parts import DIALECT

_KNOWN = {
    *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p"),
    *("max_output_tokens", "stream", "stream_options", "store", "background", "text"),
}
_STATEFUL = {
    "previous_response_id": "send the earlier items, as they came in `output`, in `input`",
    "conversation": "send the earlier items of the conversation in `input`",
    "background": "leave it out and read the reply, or set `stream`",
}
_SEALS = "reasoning.encrypted_content"


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it."""
    for name, instead in _STATEFUL.items():
        if wire.get(name):
            raise fault(name, f"{name} needs a memory of earlier calls, which is not kept here: {instead}.")
    instructions: object = wire.get("instructions")
    first = [Message(Role.SYSTEM, (TextPart(instructions),))] if isinstance(instructions, str) and instructions else []
    choice, allowed = _decode_choice(wire)
    tools: list[Tool] = as_list(wire.get("tools"), _decode_tool)
    shape, text = _decode_text(wire.get("text"))
    hosted = {"tool_choice": wire["tool_choice"]} if _is_hosted(wire.get("tool_choice")) else {}
    unknown = {name: value for name, value in wire.items() if name not in _KNOWN} | hosted
    return InferenceRequest(
        messages=(*first, *decode_items(check_input(wire))),
        model=words(wire, "model"),
        tools=tuple(tool for tool in tools if allowed is None or tool.name in allowed),
        tool_choice=choice,
        sampling=Sampling(number(wire, "temperature"), number(wire, "top_p")),
        max_tokens=whole(wire, "max_output_tokens"),
        response_format=shape,
        extra=rest(DIALECT, unknown | ({"text": text} if text else {}), ()),
    )


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of POST /responses; nothing is stored, and thoughts come back sealed so that they can be sent again."""
    if request.sampling.stop:
        raise fault("stop", f"{model!r} is served without stop sequences; leave stop out or use another model.")
    instructions, turns = _split(request.messages)
    choice, draws = request.tool_choice, profile.accepts_sampling
    wire = without_nulls(
        {
            "model": model,
            "instructions": instructions,
            "input": [item for turn in turns for item in encode_items(turn)],
            "store": False,
            "stream": True if stream else None,
            "tools": [_encode_tool(tool) for tool in request.tools] or None,
            "tool_choice": _encode_choice(choice) if choice and request.tools else None,
            "parallel_tool_calls": choice.parallel if choice and request.tools else None,
            "temperature": request.sampling.temperature if draws else None,
            "top_p": request.sampling.top_p if draws else None,
            "max_output_tokens": request.max_tokens,
            "text": _encode_format(request.response_format),
            "include": [_SEALS] if not draws else None,
        }
    )
    wishes = wishes_for(DIALECT, request)
    wire = put_back(DIALECT, wire, Extra(DIALECT, _encode_wishes(wishes, wire, thinks=not draws)))
    sealed: list[str] = wire.get("include", [])
    wire = put_back(DIALECT, wire, request.extra)
    if sealed:
        wire["include"] = list(dict.fromkeys([*wire["include"], *sealed]))
    return wire


def _split(messages: tuple[Message, ...]) -> tuple[str | None, tuple[Message, ...]]:
    """The words of a first system message, which are the instructions, and the turns after it."""
    match messages:
        case (Message(role=Role.SYSTEM, parts=(TextPart(text=text),)), _, *_):
            return text, messages[1:]
        case _:
            return None, messages


def _encode_wishes(wishes: Wishes, wire: Wire, *, thinks: bool) -> Wire:
    effort = effort_of(wishes) if thinks else None
    text: Wire = {"verbosity": wishes.verbosity} if wishes.verbosity else {}
    if wishes.is_json and "text" not in wire:
        text["format"] = {"type": "json_object"}
    logprobs = ["message.output_text.logprobs"] if wishes.top_logprobs is not None else []
    shared = {name: value for name, value in wishes.shared.items() if name not in ("store", "user")}
    fields: Wire = {
        "reasoning": without_nulls({"effort": effort, "summary": wishes.summary}) if effort else None,
        "text": text or None,
        "top_logprobs": wishes.top_logprobs or None,
        "include": [*wire.get("include", []), *logprobs] or None,
        "safety_identifier": wishes.end_user,
        "service_tier": wishes.tier,
    }
    return without_nulls({**fields, **shared})


def _encode_tool(tool: Tool) -> Wire:
    if own := own_tool(DIALECT, tool):
        return dict(own)
    wire: Wire = {"type": "function", "name": tool.name, "description": tool.description}
    wire |= {"parameters": dict(tool.parameters), "strict": is_strict(DIALECT, tool) or False}
    return put_back(DIALECT, wire, tool.extra)


def _decode_tool(wire: Wire) -> Tool:
    kind = wire.get("type")
    if not isinstance(kind, str):
        raise fault("tools", "each of tools must have a type, such as function.")
    if kind != "function":
        return Tool(str(wire.get("name") or kind), "", {}, Extra(DIALECT, wire))
    if not isinstance(wire.get("name"), str):
        raise fault("tools", "each function of tools must have a name.")
    is_lax = wire.get("strict") is False  # as the normal form has it, and as encoding says it
    known = ("type", "name", "description", "parameters", *(("strict",) if is_lax else ()))
    return Tool(wire["name"], words(wire, "description") or "", mapping(wire, "parameters"), rest(DIALECT, wire, known))


def _encode_choice(choice: ToolChoice) -> str | Wire:
    return {"type": "function", "name": choice.name} if choice.mode == "named" else choice.mode


def _decode_choice(wire: Wire) -> tuple[ToolChoice | None, set[str] | None]:
    choice, parallel = wire.get("tool_choice"), flag(wire, "parallel_tool_calls")
    return read_choice(None if _is_hosted(choice) else choice, parallel)


def _is_hosted(choice: object) -> bool:
    """Whether a choice names a tool that the provider runs."""
    return isinstance(choice, Mapping) and choice.get("type") not in (None, "function", "custom", "allowed_tools")


def _encode_format(shape: ResponseFormat | None) -> Wire | None:
    if shape is None:
        return None
    return {"format": {"type": "json_schema", "name": shape.name, "strict": True, "schema": dict(shape.schema)}}


def _decode_text(text: Any) -> tuple[ResponseFormat | None, Wire]:
    """The schema of a reply, and what else is said of its text."""
    match text:
        case {"format": {"type": "json_schema", "schema": dict(schema)} as found, **other}:
            is_plain = found.keys() <= {"type", "name", "schema", "strict"} and found.get("strict") is True
            return ResponseFormat(str(found.get("name", "reply")), schema), other if is_plain else text
        case {"format": {"type": "text"}, **other}:
            return None, other
        case dict():
            return None, text
        case _:
            return None, {}
