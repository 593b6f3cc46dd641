"""Requests of Bedrock's Converse, to the normal form and back.

Instructions have one place, before all turns; system messages are gathered there in their order.
The model is part of the path and not of the body. A schema is enforced by the provider where the
profile says so, else by a forced tool, else it is shown in the instructions.
"""

from typing import Any

import msgspec

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.anthropic.thinking import encode_thinking
from mainspring.inference.gateway.providers.profiles import Profile
from mainspring.inference.gateway.providers.wire import (
    Wire,
    as_list,
    misshapen_is,
    number,
    put_back,
    read_object,
    rest,
    to_json,
    whole,
    without_nulls,
    words,
)
from mainspring.inference.gateway.providers.wishes import Wishes, effort_of, wishes_for
from mainspring.inference.messages import InferenceRequest, Message, ResponseFormat, Role, Sampling

from .endpoints import base_model
from .media import DIALECT
from .parts import decode_block, decode_turn, encode_block, encode_turns
from .tools import decode_choice, decode_tools, encode_tools, is_reply_forced

_KNOWN = ("modelId", "messages", "system", "inferenceConfig", "toolConfig", "outputConfig")
_DEFAULT_MAX_TOKENS = 4096


def encode_request(request: InferenceRequest, *, model: str, profile: Profile, stream: bool = True) -> Wire:
    """The body of POST /model/{model}/converse, and of converse-stream, which is the same."""
    turns = tuple(message for message in request.messages if message.role is not Role.SYSTEM)
    shape, wishes = request.response_format, wishes_for(DIALECT, request)
    thinking = _encode_thinking(request, wishes, model, profile)
    is_forced = is_reply_forced(request, profile, thinking | _additional(request))
    shown = None if is_forced or profile.json_schema else shape
    wire = without_nulls(
        {
            "messages": encode_turns(turns, keep_unsealed=profile.accepts_reasoning),
            "system": _encode_system(request, shown, wants_json=wishes.is_json and shape is None) or None,
            "inferenceConfig": _encode_sampling(request, draws=profile.accepts_sampling and not thinking) or None,
            "toolConfig": encode_tools(request, is_forced=is_forced),
            "outputConfig": {"textFormat": _encode_format(shape)} if shape and profile.json_schema else None,
            "additionalModelRequestFields": thinking or None,
        }
    )
    return put_back(DIALECT, wire, request.extra)


@misshapen_is(InvalidRequest, "The request does not have the shape that its dialect prescribes.")
def decode_request(wire: Wire, *, model: str | None = None) -> InferenceRequest:
    """The request behind a body; InvalidRequest names what is wrong with it.

    model   from the path; `modelId` in the body is read as well
    """
    messages = wire.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list of at least one message.")
    instructions = tuple(as_list(wire.get("system"), decode_block))
    turns = [turn for group in as_list(messages, decode_turn) for turn in group]
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


def _encode_thinking(request: InferenceRequest, wishes: Wishes, model: str, profile: Profile) -> Wire:
    """How hard to think, as the maker of the model spells it, when the caller said so in another dialect."""
    maker, _, name = base_model(model).partition(".")
    if maker == "anthropic":
        limit = request.max_tokens or profile.max_output_tokens or _DEFAULT_MAX_TOKENS
        return encode_thinking(request, wishes, model=name, max_tokens=limit)
    effort = effort_of(wishes) if maker == "openai" else None
    return {"reasoning_effort": effort} if effort else {}


def _additional(request: InferenceRequest) -> Wire:
    extra = request.extra
    fields: object = extra.fields.get("additionalModelRequestFields") if extra and extra.dialect == DIALECT else None
    return fields if isinstance(fields, dict) else {}


def _encode_system(request: InferenceRequest, shown: ResponseFormat | None, *, wants_json: bool) -> list[Wire]:
    parts = [part for message in request.messages if message.role is Role.SYSTEM for part in message.parts]
    blocks = [block for part in parts for block in encode_block(part)]
    if wants_json:
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
    return Sampling(
        number(limits, "temperature"), number(limits, "topP"), None, tuple(limits.get("stopSequences") or ())
    )


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
