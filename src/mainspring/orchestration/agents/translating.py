"""Messages of langchain-core in our normal form, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import msgspec
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from mainspring.inference.messages import (
    ImagePart,
    Inline,
    Link,
    Message,
    Part,
    Role,
    Source,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    Usage,
)

from .errors import AgentInputInvalid


def to_messages(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """The turns, in order; raises AgentInputInvalid for content that no word here stands for."""
    return tuple(_to_message(message) for message in messages)


def _to_message(message: BaseMessage) -> Message:
    match message:
        case SystemMessage():
            return Message(Role.SYSTEM, _parts(message))
        case HumanMessage():
            return Message(Role.USER, _parts(message), name=message.name)
        case AIMessage():
            calls = [
                ToolCallPart(call["id"] or "", call["name"], msgspec.json.encode(call["args"]).decode())
                for call in message.tool_calls
            ]
            return Message(Role.ASSISTANT, (*_parts(message), *calls))
        case ToolMessage():
            texts = tuple(part for part in _parts(message) if isinstance(part, TextPart | ImagePart))
            result = ToolResultPart(message.tool_call_id, texts, is_error=message.status == "error")
            return Message(Role.TOOL, (result,))
        case _:
            raise AgentInputInvalid(
                f"A message of type {message.type!r} cannot be sent to a model; use system, human, ai or tool."
            )


def _parts(message: BaseMessage) -> tuple[Part, ...]:
    content = message.content
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    parts = [_part(block) for block in content]
    return tuple(part for part in parts if part is not None)


def _part(block: str | dict[Any, Any]) -> Part | None:
    if isinstance(block, str):
        return TextPart(block)
    match block.get("type"):
        case "text":
            return TextPart(str(block.get("text", "")))
        case "image_url":
            named = block.get("image_url")
            url = named.get("url", "") if isinstance(named, dict) else named
            return ImagePart(_image(str(cast("object", url))))
        case "image":
            return ImagePart(_block_source(cast("Mapping[str, Any]", block)))
        case "tool_use" | "tool_call" | "tool_call_chunk" | "reasoning" | "thinking" | "input_json_delta":
            return None  # tool calls come from their own field; thoughts are not sent back
        case other:
            raise AgentInputInvalid(f"Content of type {other!r} cannot be sent to a model; use text or images.")


def _image(url: str) -> Source:
    if url.startswith("data:"):
        head, _, data = url.removeprefix("data:").partition(",")
        return Inline(data, head.partition(";")[0] or "image/png")
    return Link(url)


def _block_source(block: Mapping[str, Any]) -> Source:
    if block.get("base64"):
        return Inline(str(block["base64"]), str(block.get("mime_type", "image/png")))
    return Link(str(block.get("url", "")))


_MODES: dict[str, Literal["auto", "required", "none"]] = {
    "auto": "auto",
    "any": "required",
    "required": "required",
    "none": "none",
}


def read_tool_choice(choice: str) -> ToolChoice:
    """`auto`, `any`, `required`, `none`, or the name of a tool that must be called."""
    return ToolChoice(_MODES[choice]) if choice in _MODES else ToolChoice("named", name=choice)


def usage_metadata(usage: Usage) -> UsageMetadata:
    """Counts as langchain-core has them."""
    return UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        input_token_details={"cache_read": usage.cached_tokens, "cache_creation": usage.cache_write_tokens},
        output_token_details={"reasoning": usage.reasoning_tokens},
    )
