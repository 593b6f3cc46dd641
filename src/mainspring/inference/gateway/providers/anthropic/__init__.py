"""The Anthropic dialect: messages.

The codec is exported here; it needs no HTTP client. `provider.py` puts it together with one.
"""

from .failures import failure_in_stream, failure_of
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .streams import StreamReader
from .writer import StreamWriter

__all__ = [
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_request",
    "encode_completion",
    "encode_request",
    "failure_in_stream",
    "failure_of",
]
