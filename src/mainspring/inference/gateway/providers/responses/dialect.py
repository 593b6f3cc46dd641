"""The responses dialect as values: how its providers are asked, and how its callers ask us."""

from mainspring.inference.gateway.providers.dialects import Inbound, Outbound
from mainspring.inference.gateway.providers.openai import failure_of, status_of
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.gateway.providers.wishes import end_user_in

from .parts import DIALECT
from .refusals import encode_error
from .replies import decode_completion, encode_completion
from .requests import decode_request, encode_request
from .streams import StreamReader
from .writer import StreamWriter, error_event


def wants_usage(_wire: Wire) -> bool:
    """Streams of this dialect always say the counts."""
    return True


def _path(_model: str, _is_stream: bool) -> str:
    return "/responses"


def _writer(created: int, _include_usage: bool) -> StreamWriter:
    return StreamWriter(created=created)


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
    encode_completion=encode_completion,
    writer=_writer,
    encode_error=encode_error,
    error_event=error_event,
    status_of=status_of,
    end_user=end_user_in,
    wants_usage=wants_usage,
)
