"""From a body in the OpenAI dialect to the arguments of `litellm`.

Only fields known to be harmless pass: the library takes addresses, keys, proxies, fallbacks and made-up
replies as arguments beside the call's own, and fetches what messages link to from within our process.
A caller must be able to do none of that, or its call could leave the region that the policy confines it to.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.wire import Wire

_PASSED = frozenset(
    (
        *("messages", "temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens", "seed", "user"),
        *("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "reasoning_effort"),
        *("tools", "tool_choice", "parallel_tool_calls", "response_format", "stream", "stream_options"),
    )
)
_LEFT_OUT = frozenset(("model", "metadata", "store", "safety_identifier", "prompt_cache_key"))
"""They change nothing in a reply."""
_OF_MESSAGE = frozenset(
    (
        *("role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "cache_control"),
        *("reasoning_content", "thinking_blocks", "provider_specific_fields"),
    )
)
_OF_EMBEDDINGS = frozenset(("input", "dimensions", "user"))


def chat_arguments(wire: Wire) -> dict[str, Any]:
    """The call's own arguments; InvalidRequest for what cannot be passed on."""
    fields = {name: value for name, value in wire.items() if value is not None and name not in _LEFT_OUT}
    if unknown := sorted(fields.keys() - _PASSED):
        raise InvalidRequest(
            f"This model's endpoint goes through litellm, which is not given {', '.join(unknown)[:200]}; "
            "leave it out, or use another model."
        )
    _check_tools(fields.get("tools"))
    messages: object = fields.get("messages")
    fields["messages"] = [_message(each) for each in messages] if isinstance(messages, list) else []
    return fields


def embedding_arguments(wire: Wire) -> dict[str, Any]:
    """The arguments of an embedding call."""
    fields = {name: value for name, value in wire.items() if name in _OF_EMBEDDINGS and value is not None}
    return {**fields, "encoding_format": "float"}


def model_name(provider: str, wire_model: str, known: frozenset[str]) -> str:
    """As litellm wants it, `<provider>/<model>`: the provider of the model's own name, or else the endpoint's."""
    first, slash, _ = wire_model.partition("/")
    return wire_model if slash and first in known else f"{provider}/{wire_model}"


def _check_tools(tools: object) -> None:
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise InvalidRequest("Through litellm only tools of type `function` are passed on; leave the others out.")


def _message(message: object) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise InvalidRequest("Each of `messages` must be an object with a role and content.")
    kept = {str(name): value for name, value in message.items() if name in _OF_MESSAGE}
    content: object = kept.get("content")
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict) or not _is_self_contained(part):
            raise InvalidRequest(
                "Through litellm a message holds text, audio, and images or files as data URLs: it would fetch "
                "what is linked from within the gateway. Send the content itself."
            )
    return kept


def _is_self_contained(part: Mapping[str, Any]) -> bool:
    match part.get("type"):
        case "text" | "refusal" | "input_audio" | "thinking":
            return True
        case "image_url":
            image = part.get("image_url")
            return _is_data(image.get("url") if isinstance(image, dict) else image)
        case "file":
            file = part.get("file")
            return isinstance(file, dict) and "file_id" not in file and _is_data(file.get("file_data"))
        case _:
            return False


def _is_data(url: object) -> bool:
    return isinstance(url, str) and url.startswith("data:")
