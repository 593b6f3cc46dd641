"""The Anthropic dialect as values: how its providers are asked, and how its callers ask us."""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.providers.dialects import Inbound, Outbound
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.messages import Completion

from .failures import failure_of
from .parts import DIALECT
from .refusals import encode_error, error_event, status_of
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .streams import StreamReader
from .writer import StreamWriter


def end_user(wire: Mapping[str, Any]) -> str | None:
    """Whom a body names as its user."""
    metadata: object = wire.get("metadata")
    found: object = metadata.get("user_id") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and found else None


def wants_usage(_wire: Wire) -> bool:
    """Streams of this dialect always say the counts."""
    return True


def _path(_model: str, _is_stream: bool) -> str:
    return "/messages"


def _encode_completion(completion: Completion, _created: int) -> Wire:
    return encode_completion(completion)


def _writer(_created: int, _include_usage: bool) -> StreamWriter:
    return StreamWriter()


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
    end_user=end_user,
    wants_usage=wants_usage,
)
