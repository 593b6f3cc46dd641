"""The OpenAI dialect: chat completions and embeddings, as OpenAI and many compatible servers speak it.

The codec is exported here; it needs no HTTP client. `provider.py` puts it together with one.
"""

from .embeddings import decode_embeddings, encode_embeddings, encode_texts
from .failures import failure_in_stream, failure_of
from .requests import decode_request, encode_request
from .responses import decode_completion, encode_completion
from .streams import StreamReader, StreamWriter

__all__ = [
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_embeddings",
    "decode_request",
    "encode_completion",
    "encode_embeddings",
    "encode_request",
    "encode_texts",
    "failure_in_stream",
    "failure_of",
]
