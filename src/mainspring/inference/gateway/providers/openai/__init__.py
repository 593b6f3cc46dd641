"""The OpenAI dialect: chat completions and embeddings, as OpenAI and many compatible servers speak it.

The codec is exported here; it needs no HTTP client. `provider.py` puts it together with one.
"""

from .dialect import INBOUND, OUTBOUND
from .embeddings import (
    EmbeddingsRequest,
    decode_embeddings,
    decode_embeddings_request,
    encode_embeddings,
    encode_texts,
)
from .failures import failure_in_stream, failure_of
from .models import encode_model, encode_models
from .refusals import encode_error, error_event, status_of
from .requests import decode_request, encode_request, read_choice
from .responses import decode_completion, encode_completion, fields_beside
from .streams import StreamReader, StreamWriter

__all__ = [
    "INBOUND",
    "OUTBOUND",
    "EmbeddingsRequest",
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_embeddings",
    "decode_embeddings_request",
    "decode_request",
    "encode_completion",
    "encode_embeddings",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_request",
    "encode_texts",
    "error_event",
    "failure_in_stream",
    "failure_of",
    "fields_beside",
    "read_choice",
    "status_of",
]
