"""A dialect as a value: everything the gateway needs to speak it, towards providers or towards callers.

`Outbound` is how a provider is asked, `Inbound` how a caller asks us. Both translate to and from
the normal form of `messages`, so any caller's dialect works over any provider's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.messages import Completion, Delta, InferenceRequest

from .profiles import Profile
from .sse import ServerEvent
from .wire import Wire


class Framer(Protocol):
    """Cuts the bytes of a streamed reply into events; one for each reply."""

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that `data` completes."""
        ...


class Reader(Protocol):
    """Turns a provider's events into deltas; one for each reply."""

    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises ModelError for an error inside the stream."""
        ...

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` among them; raises StreamBroken when the stream had no proper end."""
        ...


class Writer(Protocol):
    """Turns deltas into the bytes of a streamed reply; one for each reply."""

    def write(self, delta: Delta) -> bytes:
        """What a caller receives for this delta, possibly nothing."""
        ...

    def fail(self, error: MainspringError) -> bytes:
        """The last bytes of a stream that fails, in the place where it stands."""
        ...


class EncodeRequest(Protocol):
    """The normal form as the provider's wire shape."""

    def __call__(self, request: InferenceRequest, *, model: str, profile: Profile, stream: bool) -> Wire: ...


@dataclass(frozen=True, slots=True)
class Outbound:
    """How a provider is asked.

    path   of a call, to be put after the base URL: (model, is_stream) -> `/chat/completions`
    """

    name: str
    path: Callable[[str, bool], str]
    encode_request: EncodeRequest
    decode_completion: Callable[[Wire], Completion]
    framer: Callable[[], Framer]
    reader: Callable[[], Reader]
    failure_of: Callable[[int, Mapping[str, str], bytes], ModelError]


@dataclass(frozen=True, slots=True)
class Inbound:
    """How a caller asks us.

    writer         (created, include_usage) -> a writer; `created` in Unix seconds
    encode_error   the body of a refused call, in the caller's dialect
    error_event    the last bytes of a stream that fails after its first piece was sent, where no writer wrote it
    status_of      the HTTP status of a refused call
    end_user       whom the caller names as its own user, in the words of the body
    wants_usage    whether the body asks for token counts at the end of a stream
    """

    name: str
    decode_request: Callable[[Wire], InferenceRequest]
    encode_completion: Callable[[Completion, int], Wire]
    writer: Callable[[int, bool], Writer]
    encode_error: Callable[[MainspringError], Wire]
    error_event: Callable[[MainspringError], bytes]
    status_of: Callable[[MainspringError], int]
    end_user: Callable[[Wire], str | None]
    wants_usage: Callable[[Wire], bool]
