"""Requests of Bedrock's Converse, to the normal form and back.

Instructions have one place, before all turns; system messages are gathered there in their order.
The model is part of the path and not of the body. A schema is enforced by the provider where the
profile says so, else by a forced tool, else it is shown in the instructions.
"""

from typing import Any

import msgspec

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    list_of_words,
    misshapen_is,
    number,
    put_back,
    read_object,
    rest,
    to_json,
    turns_in,
    whole,
    without_nulls,
    words,
)
from mainspring.inference.gateway.providers.wishes import Wishes, wishes_for
from mainspring.inference.messages import InferenceRequest, Message, ResponseFormat, Role, Sampling

from .makers import single_call_fields, takes_cache_points, thinking_fields
from .media import DIALECT
from .parts import decode_block, decode_turn, encode_marked, encode_turns
from .tools import decode_choice, decode_tools, encode_tools, is_reply_forced

_KNOWN = ("modelId", "messages", "system", "inferenceConfig", "toolConfig", "outputConfig")


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of POST /model/{model}/converse, and of converse-stream, which is the same."""
    turns = tuple(message for message in request.messages if message.role is not Role.SYSTEM)
    shape, wishes = request.response_format, wishes_for(DIALECT, request)
    thinking = thinking_fields(request, wishes, model=model, profile=profile)
    single = single_call_fields(request, model=model, profile=profile)
    is_forced = is_reply_forced(request, profile, thinking | _additional(request))
    shown = None if is_forced or profile.json_schema else shape
    marks = takes_cache_points(model)
    wire = without_nulls(
        {
            "messages": encode_turns(turns, keep_unsealed=profile.accepts_reasoning, with_marks=marks),
            "system": _encode_system(request, shown, wishes, with_marks=marks) or None,
            "inferenceConfig": _encode_sampling(request, draws=profile.accepts_sampling and not thinking) or None,
            "toolConfig": encode_tools(request, is_forced=is_forced, has_choice=not single, with_marks=marks),
            "outputConfig": {"textFormat": _encode_format(shape)} if shape and profile.json_schema else None,
            "additionalModelRequestFields": {**thinking, **single} or None,
        }
    )
    return put_back(DIALECT, wire, request.extra)


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire, *, model: str | None = None) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it.

    model   from the path; `modelId` in the body is read as well
    """
    instructions = tuple(as_list(wire.get("system"), decode_block))
    turns = [turn for group in map(decode_turn, turns_in(wire, "messages")) for turn in group]
    if not turns:
        raise InvalidRequest("messages must hold at least one content block.")
    limits: Wire = wire.get("inferenceConfig") or {}
    tools: Wire = wire.get("toolConfig") or {}
    shape, other_output = _decode_output(wire.get("outputConfig") or {})
    return InferenceRequest(
        messages=(*([Message(Role.SYSTEM, instructions)] if instructions else []), *turns),
        model=model or words(wire, "modelId"),
        tools=tuple(decode_tools(tools.get("tools"))),
        tool_choice=decode_choice(tools.get("toolChoice")),
        sampling=_decode_sampling(limits),
        max_tokens=whole(limits, "maxTokens"),
        response_format=shape,
        extra=rest(DIALECT, _unknown(wire, limits, tools) | other_output, ()),
    )


def _unknown(wire: Wire, limits: Wire, tools: Wire) -> Wire:
    kept = {name: value for name, value in wire.items() if name not in _KNOWN}
    if inner := rest(DIALECT, limits, ("maxTokens", "temperature", "topP", "stopSequences")):
        kept["inferenceConfig"] = inner.fields
    if inner := rest(DIALECT, tools, ("tools", "toolChoice")):
        kept["toolConfig"] = inner.fields
    return kept


def _additional(request: InferenceRequest) -> Wire:
    extra = request.extra
    fields: object = extra.fields.get("additionalModelRequestFields") if extra and extra.dialect == DIALECT else None
    return fields if isinstance(fields, dict) else {}


def _encode_system(
    request: InferenceRequest, shown: ResponseFormat | None, wishes: Wishes, *, with_marks: bool
) -> list[Wire]:
    parts = [part for message in request.messages if message.role is Role.SYSTEM for part in message.parts]
    blocks = [block for part in parts for block in encode_marked(part, with_marks=with_marks)]
    if wishes.is_json and request.response_format is None:
        blocks.append({"text": "Give the final reply as one JSON object and nothing else."})
    if shown:
        schema = to_json(dict(shown.schema)).decode()
        blocks.append({"text": f"Give the final reply as one JSON value and nothing else, by this schema:\n{schema}"})
    return blocks


def _encode_sampling(request: InferenceRequest, *, draws: bool) -> Wire:
    sampling = request.sampling
    return without_nulls(
        {
            "maxTokens": request.max_tokens,
            "temperature": sampling.temperature if draws else None,
            "topP": sampling.top_p if draws else None,
            "stopSequences": list(sampling.stop) or None,
        }
    )


def _decode_sampling(limits: Wire) -> Sampling:
    return Sampling(number(limits, "temperature"), number(limits, "topP"), None, list_of_words(limits, "stopSequences"))


def _encode_format(shape: ResponseFormat) -> Wire:
    schema = msgspec.json.encode(dict(shape.schema)).decode()
    return {"type": "json_schema", "structure": {"jsonSchema": {"name": shape.name, "schema": schema}}}


def _decode_output(wire: Wire) -> tuple[ResponseFormat | None, dict[str, Any]]:
    """The format asked for, and what else `outputConfig` holds. The schema is JSON text inside the JSON."""
    match wire:
        case {"textFormat": {"structure": {"jsonSchema": {"schema": str(text), **inner}}} as whole, **other}:
            schema = read_object(text)
            if schema is None:
                raise InvalidRequest("outputConfig.textFormat.structure.jsonSchema.schema must be JSON text.")
            if "description" in inner:
                other["textFormat"] = whole
            return ResponseFormat(str(inner.get("name", "reply")), schema), {"outputConfig": other} if other else {}
        case _:
            return None, {"outputConfig": wire} if wire else {}
