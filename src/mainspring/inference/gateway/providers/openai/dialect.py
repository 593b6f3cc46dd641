"""The OpenAI dialect as values: how its providers are asked, and how its callers ask us."""

from mainspring.inference.gateway.providers.dialects import Inbound, Outbound
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.gateway.providers.wishes import end_user_in
from mainspring.inference.messages import Completion

from .failures import failure_of
from .parts import DIALECT
from .refusals import encode_error, error_event, status_of
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .streams import StreamReader, StreamWriter


def wants_usage(wire: Wire) -> bool:
    """Whether a body asks for the counts at the end of its stream."""
    options: object = wire.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _path(_model: str, _is_stream: bool) -> str:
    return "/chat/completions"


def _encode_completion(completion: Completion, created: int) -> Wire:
    return encode_completion(completion, created=created)


def _writer(created: int, include_usage: bool) -> StreamWriter:
    return StreamWriter(created=created, include_usage=include_usage)


OUTBOUND = Outbound(
    name=DIALECT,
    path=_path,
    encode_request=encode_request,
    decode_completion=decode_completion,
    framer=SseParser,
    reader=StreamReader,
    failure_of=failure_of,
)
INBOUND = Inbound(
    name=DIALECT,
    decode_request=decode_request,
    encode_completion=_encode_completion,
    writer=_writer,
    encode_error=encode_error,
    error_event=error_event,
    status_of=status_of,
    end_user=end_user_in,
    wants_usage=wants_usage,
)
