"""Replies as values: a JSON schema made from a type, enforced by the provider, checked on return.

The schema is the strict subset that every provider enforces: each object closed, each property
required. The reply is decoded into the type, which also checks what a grammar cannot; one that
does not fit is shown to the model once with the reason, then it is InvalidOutput.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from mainspring.inference.gateway.errors import ContentRefused, InvalidOutput
from mainspring.inference.messages import (
    Completion,
    FinishReason,
    InferenceRequest,
    ResponseFormat,
    assistant,
    user,
)

from .check import strip_fence

Value = TypeVar("Value")


def format_for(shape: type[Any], schema: Mapping[str, Any] | None = None) -> ResponseFormat:
    """The response format of a dataclass; `schema` replaces the one made from the type."""
    return ResponseFormat(shape.__name__, close_schema(schema or msgspec.json.schema(shape)))


def close_schema(schema: Any) -> Any:
    """The schema with every object closed and every property required, which strict modes ask for."""
    if isinstance(schema, list):
        return [close_schema(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: close_schema(value) for name, value in schema.items() if name != "default"}
    if closed.get("type") == "object" and isinstance(schema.get("properties"), Mapping):
        closed |= {
            "properties": {name: close_schema(value) for name, value in schema["properties"].items()},
            "required": list(schema["properties"]),
            "additionalProperties": False,
        }
    return closed


def read_reply(completion: Completion, shape: type[Value]) -> Value:
    """The value in a reply; InvalidOutput says why it does not fit, ContentRefused that there is none."""
    if completion.finish_reason in (FinishReason.REFUSED, FinishReason.FILTERED):
        raise ContentRefused("The model refuses to answer this; change the content or use another model.")
    try:
        return msgspec.json.decode(strip_fence(completion.text), type=shape)
    except (msgspec.DecodeError, UnicodeEncodeError) as misfit:
        cut = " It was cut off at the limit of tokens." if completion.finish_reason is FinishReason.LENGTH else ""
        raise InvalidOutput(
            f"The model's reply does not fit {shape.__name__}: {misfit}.{cut}", vendor_text=completion.text
        ) from None


def repair(request: InferenceRequest, completion: Completion, misfit: InvalidOutput) -> InferenceRequest:
    """The request again, with the reply that did not fit and the reason."""
    said = completion.text or "(nothing)"
    ask = f"{misfit.detail} Reply again with one JSON value that fits the schema and nothing else."
    return replace(request, messages=(*request.messages, assistant(said), user(ask)))
