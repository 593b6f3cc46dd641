"""The normal form of model calls: what every dialect is translated to and from.

Codecs turn a vendor's wire shape into these words and back; everything else in the platform
speaks only these. A field that has no word here travels in `extra`, marked with the dialect it
was written in, and is put back only when the call goes out in the same dialect. Streams are
sequences of deltas that end with one `Finished`; a full reply is a drained stream.

All types are frozen and hold plain values, so that they can be shared between tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Extra:
    """Fields without a word in the normal form, and the dialect whose wire they came from."""

    dialect: str
    fields: Mapping[str, Any]


class Role(StrEnum):
    """Whose turn a message is; `TOOL` messages hold tool results only."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Link:
    """Content the provider fetches itself."""

    url: str
    type: Literal["link"] = field(default="link", init=False)


@dataclass(frozen=True, slots=True)
class Inline:
    """Content carried in the call, as base64 text."""

    base64: str
    media_type: str
    type: Literal["inline"] = field(default="inline", init=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """Content uploaded to the provider before, by the provider's id."""

    file_id: str
    type: Literal["stored"] = field(default="stored", init=False)


Source = Link | Inline | Stored


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words."""

    text: str
    extra: Extra | None = None
    type: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture."""

    source: Source
    extra: Extra | None = None
    type: Literal["image"] = field(default="image", init=False)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A document, such as a PDF; `name` is what the model is told it is called."""

    source: Source
    name: str | None = None
    extra: Extra | None = None
    type: Literal["file"] = field(default="file", init=False)


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What the model thought before it answered.

    signature   the provider's seal; without it the part cannot be sent back to that provider
    """

    text: str
    signature: str | None = None
    extra: Extra | None = None
    type: Literal["reasoning"] = field(default="reasoning", init=False)


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """The model asks for a tool; `arguments` is its JSON as written, possibly invalid."""

    id: str
    name: str
    arguments: str
    extra: Extra | None = None
    type: Literal["tool_call"] = field(default="tool_call", init=False)


@dataclass(frozen=True, slots=True)
class OpaquePart:
    """A content block of one dialect that the normal form has no word for, kept whole."""

    extra: Extra
    type: Literal["opaque"] = field(default="opaque", init=False)


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered to the call `call_id`."""

    call_id: str
    parts: tuple[TextPart | ImagePart | FilePart | OpaquePart, ...]
    is_error: bool = False
    extra: Extra | None = None
    type: Literal["tool_result"] = field(default="tool_result", init=False)


Part = TextPart | ImagePart | FilePart | ReasoningPart | ToolCallPart | ToolResultPart | OpaquePart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    extra: Extra | None = None

    @property
    def text(self) -> str:
        """The words of the turn, without reasoning and tool traffic."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tools the turn asks for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))


def system(text: str) -> Message:
    """Instructions."""
    return Message(Role.SYSTEM, (TextPart(text),))


def user(text: str) -> Message:
    """A person's or program's turn."""
    return Message(Role.USER, (TextPart(text),))


def assistant(text: str) -> Message:
    """An earlier answer of the model."""
    return Message(Role.ASSISTANT, (TextPart(text),))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may ask for; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether tools may, must or must not be used; `name` forces one of them.

    parallel   None leaves it to the provider
    """

    mode: Literal["auto", "required", "none", "named"] = "auto"
    name: str | None = None
    parallel: bool | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn; None leaves it to the provider.

    temperature   0 to 2
    top_p         above 0, at most 1
    """

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The reply must be JSON that fits `schema`."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """One call to a language model.

    model        a name of the catalog such as `openai/gpt-5-mini`, or None for the default
    max_tokens   limit of output, reasoning included; None is the model's own limit
    """

    messages: tuple[Message, ...]
    model: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    response_format: ResponseFormat | None = None
    extra: Extra | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call. Input includes cached ones, output includes reasoning."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    extra: Extra | None = None


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSED = "refused"
    FILTERED = "filtered"
    PAUSED = "paused"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Completion:
    """A full reply."""

    message: Message
    finish_reason: FinishReason
    usage: Usage
    model: str
    id: str
    extra: Extra | None = None

    @property
    def text(self) -> str:
        """The words of the reply."""
        return self.message.text

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tools the reply asks for."""
        return self.message.tool_calls


@dataclass(frozen=True, slots=True)
class Started:
    """The provider took the call; `model` is the pinned version that serves it."""

    id: str
    model: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More thought, or the seal of the thought just ended."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of the tool call `index` (0, 1, ...): the first one has id and name, arguments follow in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class OpaqueDelta:
    """A whole content block of one dialect that has no word here."""

    extra: Extra


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """The count so far; it replaces the one before."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a stream: always the last delta, never absent from a stream that ended well."""

    reason: FinishReason
    extra: Extra | None = None


Delta = Started | TextDelta | ReasoningDelta | ToolCallDelta | OpaqueDelta | UsageUpdate | Finished
