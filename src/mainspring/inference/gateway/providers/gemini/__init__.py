"""The Gemini dialect: `generateContent` and `batchEmbedContents`, as Google AI Studio and Vertex AI speak them.

Base URLs: `https://generativelanguage.googleapis.com/v1beta`, or for Vertex AI
`https://<location>-aiplatform.googleapis.com/v1beta1/projects/<project>/locations/<location>/publishers/google`.
The codec is exported here; it needs no HTTP client.
"""

from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.providers.sse import SseParser

from .embeddings import TEXTS_AT_ONCE, decode_embeddings, embeddings_path, encode_embeddings, encode_texts
from .failures import failure_in_stream, failure_of
from .parts import DIALECT
from .requests import decode_request, encode_request, path_of
from .responses import decode_completion, encode_completion
from .streams import StreamReader
from .writer import StreamWriter

OUTBOUND = Outbound(
    name=DIALECT,
    path=path_of,
    encode_request=encode_request,
    decode_completion=decode_completion,
    framer=SseParser,
    reader=StreamReader,
    failure_of=failure_of,
)
"""How Gemini is asked."""

__all__ = [
    "OUTBOUND",
    "TEXTS_AT_ONCE",
    "StreamReader",
    "StreamWriter",
    "decode_completion",
    "decode_embeddings",
    "decode_request",
    "embeddings_path",
    "encode_completion",
    "encode_embeddings",
    "encode_request",
    "encode_texts",
    "failure_in_stream",
    "failure_of",
    "path_of",
]
