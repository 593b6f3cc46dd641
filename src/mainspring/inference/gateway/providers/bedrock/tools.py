"""Tools of Bedrock's Converse, and the reply in a schema where only a tool can enforce one.

The dialect has two habits of its own. Calls of earlier turns are accepted only when some tool is
declared, so without any they are declared by name. And not using a tool cannot be asked for: tools
that may not be used are left out, unless earlier calls need them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.wire import (
    Wire,
    put_back,
    rest,
    without_nulls,
    words,
)
from mainspring.inference.gateway.providers.wishes import is_strict, own_tool
from mainspring.inference.messages import (
    Extra,
    InferenceRequest,
    ResponseFormat,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)

from .media import DIALECT
from .parts import cache_points

REPLY_TOOL = "mainspring_reply"
"""The tool that is forced where a schema cannot be: its arguments are the reply."""

_THINKING = ("thinking", "reasoning_config", "reasoningConfig")
_NO_ARGUMENTS = {"type": "object", "properties": {}}


def is_reply_forced(request: InferenceRequest, profile: Profile, thinking: Wire) -> bool:
    """Whether the reply is asked for as a tool call; a model that thinks refuses to be forced.

    thinking   the additional fields of the call that make the model think
    """
    mode = request.tool_choice.mode if request.tool_choice else "auto"
    by_tool = request.response_format is not None and profile.tools and not profile.json_schema
    return by_tool and mode in ("auto", "none") and thinking.keys().isdisjoint(_THINKING)


def encode_tools(request: InferenceRequest, *, is_forced: bool, has_choice: bool, with_marks: bool) -> Wire | None:
    """The `toolConfig` of a body.

    is_forced    ask for the reply by a tool
    has_choice   False when the choice is said elsewhere
    with_marks   put cache points after tools that callers of the Anthropic dialect marked
    """
    choice = request.tool_choice
    called = _called_tools(request)
    may_call = choice is None or choice.mode != "none"
    offered = request.tools if may_call or called else ()
    specs = [spec for tool in offered for spec in (*_encode_tool(tool), *(cache_points(tool.extra) * with_marks))]
    shape = request.response_format if is_forced else None
    if shape is not None:
        # `any` is known to more models than a tool by name is
        forced = {"any": {}} if may_call or not specs else {"tool": {"name": REPLY_TOOL}}
        return {"tools": [*specs, _reply_tool(shape)], "toolChoice": forced}
    if not specs:
        declared = [_declare(name) for name in called]
        return {"tools": declared} if declared else None
    return without_nulls({"tools": specs, "toolChoice": _encode_choice(choice) if has_choice else None})


def decode_tools(tools: object) -> list[Tool]:
    """The tools behind `toolConfig.tools`; a cache point stays with the tool before it."""
    found: list[Tool] = []
    for wire in tools if isinstance(tools, list) else []:
        match wire:
            case {"cachePoint": point} if found:
                fields = {**(found[-1].extra.fields if found[-1].extra else {}), "cachePoint": point}
                found[-1] = replace(found[-1], extra=Extra(DIALECT, fields))
            case {"toolSpec": {"name": str(name), **inner}}:
                found.append(_decode_spec(name, inner))
            case dict() if "toolSpec" not in wire and "cachePoint" not in wire:
                name = next((str(inner.get("name", "")) for inner in wire.values() if isinstance(inner, dict)), "")
                found.append(Tool(name, "", {}, rest(DIALECT, wire, ())))
            case _:
                raise InvalidRequest("each of tools must be a toolSpec with a name.")
    return found


def decode_choice(wire: object) -> ToolChoice | None:
    """The choice behind `toolConfig.toolChoice`."""
    match wire:
        case None:
            return None
        case {"tool": {"name": str(name)}}:
            return ToolChoice("named", name)
        case {"auto": _}:
            return ToolChoice("auto")
        case {"any": _}:
            return ToolChoice("required")
        case _:
            raise InvalidRequest("toolChoice must be auto, any or tool with a name.")


def _called_tools(request: InferenceRequest) -> list[str]:
    """The tools that earlier turns called, once each; results without their calls count as a tool of no name."""
    parts = [part for message in request.messages for part in message.parts]
    names = dict.fromkeys(part.name for part in parts if isinstance(part, ToolCallPart))
    has_results = any(isinstance(part, ToolResultPart) for part in parts)
    return list(names) or (["unknown_tool"] if has_results else [])


def _declare(name: str) -> Wire:
    return {"toolSpec": {"name": name, "inputSchema": {"json": _NO_ARGUMENTS}}}


def _reply_tool(shape: ResponseFormat) -> Wire:
    description = "Give the final reply. Call this once, when nothing else is left to do."
    spec = {"name": REPLY_TOOL, "description": description, "inputSchema": {"json": dict(shape.schema)}}
    return {"toolSpec": spec}


def _encode_tool(tool: Tool) -> list[Wire]:
    own_tool(DIALECT, tool)  # refuses what only other dialects' providers run
    mine: Mapping[str, Any] = tool.extra.fields if tool.extra and tool.extra.dialect == DIALECT else {}
    points = [{"cachePoint": mine["cachePoint"]}] if "cachePoint" in mine else []
    if own := {name: value for name, value in mine.items() if name not in ("toolSpec", "cachePoint")}:
        return [own, *points]  # a tool the provider runs itself
    spec: Wire = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": {"json": dict(tool.parameters) or _NO_ARGUMENTS},
    }
    if not tool.description:
        del spec["description"]  # an empty one is refused
    if (strict := is_strict(DIALECT, tool)) is not None:
        spec["strict"] = strict
    known = Extra(DIALECT, mine["toolSpec"]) if "toolSpec" in mine else None
    return [{"toolSpec": put_back(DIALECT, spec, known)}, *points]


def _decode_spec(name: str, wire: Wire) -> Tool:
    inner = rest(DIALECT, wire, ("description", "inputSchema"))
    parameters = (wire.get("inputSchema") or {}).get("json") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"inputSchema.json of tool {name!r} must be an object.")
    return Tool(
        name,
        words(wire, "description") or "",
        parameters,
        Extra(DIALECT, {"toolSpec": inner.fields}) if inner else None,
    )


def _encode_choice(choice: ToolChoice | None) -> Wire | None:
    match choice:
        case None | ToolChoice(mode="none"):
            return None
        case ToolChoice(mode="named"):
            return {"tool": {"name": choice.name}}
        case ToolChoice(mode="required"):
            return {"any": {}}
        case _:
            return {"auto": {}}
