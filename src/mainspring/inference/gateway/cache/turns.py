"""Which calls may be matched by meaning, and the hard part of their key: everything but the last user turn."""

from dataclasses import replace

from mainspring.inference.messages import InferenceRequest, Message, Role, TextPart, ToolCallPart, ToolResultPart, user

from .keys import exact_key
from .types import ReplyScope

MAX_CHARACTERS = 800  # what the bundled embedder reads whole: it cuts at 256 tokens


def find_question(request: InferenceRequest) -> str | None:
    """The last user turn, when it is words alone and no tool was used before; None leaves the call alone."""
    last = request.messages[-1] if request.messages else None
    if last is None or last.role is not Role.USER or last.extra or last.name:
        return None
    if any(_is_about_tools(message) for message in request.messages):
        return None
    if any(not isinstance(part, TextPart) or part.extra for part in last.parts):
        return None
    text = last.text.strip()
    return text if 0 < len(text) <= MAX_CHARACTERS else None


def context_key(scope: ReplyScope, request: InferenceRequest, embedder: str) -> bytes:
    """The hash of all that must be equal: scope, system prompt, tools, format, sampling, earlier turns, embedder."""
    without = replace(request, messages=(*request.messages[:-1], user("")))
    return exact_key(replace(scope, dialect=f"{scope.dialect}\0{embedder}"), without)


def _is_about_tools(message: Message) -> bool:
    return message.role is Role.TOOL or any(isinstance(part, ToolCallPart | ToolResultPart) for part in message.parts)
