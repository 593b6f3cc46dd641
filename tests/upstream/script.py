"""The words of a script: what a call is answered with, what goes wrong with it, and what was received."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import cycle, islice
from typing import Any, Literal, Self

Wire = dict[str, Any]


class Fault(StrEnum):
    """What goes wrong; those that happen midway wait for `Reply.fault_after` pieces of the answer."""

    RATE_LIMITED = "rate_limited"
    """429 with Retry-After."""
    SERVER_ERROR = "server_error"
    """500."""
    UNAVAILABLE = "unavailable"
    """503."""
    OVERLOADED = "overloaded"
    """529."""
    UNAUTHORIZED = "unauthorized"
    """401, as for a wrong key."""
    CONTEXT_TOO_LONG = "context_too_long"
    """400 in the dialect's words for a prompt that does not fit."""
    HANG = "hang"
    """Reads the request and says nothing until the caller goes."""
    HANG_AFTER_HEADERS = "hang_after_headers"
    """Sends status 200 and headers, then nothing."""
    STALL = "stall"
    """Stops midway and keeps the connection."""
    RESET = "reset"
    """RST instead of an answer."""
    RESET_MIDWAY = "reset_midway"
    """RST in the middle of the answer."""
    CUT = "cut"
    """FIN in the middle of the answer, without the end that HTTP needs."""
    NO_END = "no_end"
    """A stream that ends well for HTTP, without [DONE], message_stop or response.completed."""
    GARBAGE = "garbage"
    """Bytes that are not HTTP."""
    GARBAGE_BODY = "garbage_body"
    """Status 200 and the right content type over bytes that mean nothing."""
    HTML = "html"
    """A page of HTML with status 200."""
    ERROR_IN_STREAM = "error_in_stream"
    """Status 200, and an error object midway (as the whole body when not streamed)."""
    EMPTY_CHOICES = "empty_choices"
    """A well-formed answer without any choice, content or output."""
    TRUNCATED_JSON = "truncated_json"
    """JSON that stops in its middle, in well-formed HTTP."""
    DRIP = "drip"
    """The right answer, one byte at a time, `pause` seconds apart."""
    LENGTH_TOO_LONG = "length_too_long"
    """Content-Length promises more than comes, then FIN."""
    LENGTH_TOO_SHORT = "length_too_short"
    """Content-Length promises less than comes; the rest lies in the connection."""
    ENDLESS_HEADER = "endless_header"
    """Header lines without end."""
    CLOSED_IDLE = "closed_idle"
    """The right answer, then the kept connection is closed without a word."""


STATUSES: dict[Fault, int] = {
    Fault.RATE_LIMITED: 429,
    Fault.SERVER_ERROR: 500,
    Fault.UNAVAILABLE: 503,
    Fault.OVERLOADED: 529,
    Fault.UNAUTHORIZED: 401,
    Fault.CONTEXT_TOO_LONG: 400,
}
"""The faults that are an honest error answer."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool; `arguments` is JSON text, sound or not."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the answer says it used; `input` includes `cached`, `output` includes `reasoning`."""

    input: int = 12
    output: int = 7
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    text           sent word by word; with `chunks`, that many words, the text's repeated
    data           `follow` answers JSON that fits the schema of the request, `violate` JSON that does not
    usage          None leaves it out
    finish         OpenAI's word; translated for the other dialects
    delay          seconds before the headers, `pause` between pieces (between bytes when dripping)
    fault          what goes wrong; `fault_after` pieces come before it when it happens midway
    retry_after    seconds, or an HTTP date, for answers of 429, 503 and 529
    headers        added to those of the answer; a name given here replaces ours
    extra          fields added to the top of every JSON object of the answer
    """

    text: str = "This is a scripted reply."
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    data: Literal["follow", "violate"] | None = None
    chunks: int | None = None
    usage: Tokens | None = field(default_factory=Tokens)
    finish: str = "stop"
    delay: float = 0.0
    pause: float = 0.0
    fault: Fault | None = None
    fault_after: int = 1
    retry_after: int | str | None = 1
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def words(self) -> list[str]:
        """The text in the pieces it is sent in; joined they are the text."""
        words = [word for word in self.text.replace(" ", " \0").split("\0") if word]
        if self.chunks is None:
            return words
        spaced = [word if word.endswith(" ") else f"{word} " for word in words or ["word"]]
        return list(islice(cycle(spaced), self.chunks))

    @property
    def full_text(self) -> str:
        """What a caller has when all pieces have come."""
        return "".join(self.words())

    @property
    def ends_with(self) -> str:
        """OpenAI's finish reason of the whole answer."""
        return "tool_calls" if self.tool_calls else self.finish

    def saying(self, text: str) -> Self:
        """The same with another text."""
        return replace(self, text=text)


@dataclass(slots=True)
class Received:
    """One request as it came, and what became of its answer.

    label          the upstream's, such as its region
    connection     which connection it came on, counted from 1: equal numbers mean reuse
    pieces_sent    parts of the answer that were handed to the network
    left_early     the caller went away before the answer was complete
    """

    label: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    pieces_sent: int = 0
    left_early: bool = False
    is_answered: bool = False

    @property
    def wire(self) -> Wire:
        """The body as an object; empty when it is none."""
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType] - JSON

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.wire.get("model", "scripted"))

    @property
    def is_streamed(self) -> bool:
        """Whether the caller asked for a stream."""
        return self.wire.get("stream") is True


Line = Reply | Fault
"""One line of a script."""

Chooser = Callable[[Received], Line]
"""An answer that depends on the request."""
