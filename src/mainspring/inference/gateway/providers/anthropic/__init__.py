"""The Anthropic dialect: messages.

The codec is exported here; it needs no HTTP client. `provider.py` puts it together with one.
"""

from .dialect import INBOUND, OUTBOUND
from .failures import failure_in_stream, failure_of
from .models import encode_count, encode_model, encode_models
from .refusals import encode_error, error_event, status_of
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .streams import StreamReader
from .writer import StreamWriter

__all__ = [
    "INBOUND",
    "OUTBOUND",
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_request",
    "encode_completion",
    "encode_count",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_request",
    "error_event",
    "failure_in_stream",
    "failure_of",
    "status_of",
]
