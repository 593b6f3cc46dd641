"""Embeddings of the Gemini dialect. The reply names neither model nor order: it follows the request.

Vectors shortened on request come without unit length, so all of them are brought to it here.
"""

from collections.abc import Sequence
from urllib.parse import quote

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Usage

TEXTS_AT_ONCE = 100
"""The most texts that one call may hold."""


def embeddings_path(model: str) -> str:
    """The address of a call, after the base URL."""
    return f"/models/{quote(model, safe='')}:batchEmbedContents"


def encode_texts(texts: Sequence[str], *, model: str) -> Wire:
    """The body of a call for at most `TEXTS_AT_ONCE` texts."""
    name = f"models/{model}"
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}} for text in texts]}


@misshapen_is(InvalidOutput, "The provider's embeddings cannot be read; try again.")
def decode_embeddings(wire: Wire, *, model: str, expected: int) -> Embeddings:
    """The vectors of a reply, each of length 1; InvalidOutput unless there are `expected` of one dimension."""
    import numpy as np  # only who embeds pays for it

    vectors = np.stack([np.asarray(item["values"], dtype=np.float64) for item in wire["embeddings"]])
    if len(vectors) != expected:
        raise InvalidOutput(f"The provider sent {len(vectors)} embeddings for {expected} texts; try again.")
    with np.errstate(over="ignore"):  # what overflows has no length, and is refused
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if vectors.ndim != 2 or not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
        raise InvalidOutput("The provider sent an embedding without a direction; try again.")
    usage: Wire = wire.get("usageMetadata") or {}
    unit = (vectors / lengths).astype(np.float32)
    return Embeddings(unit, model, Usage(input_tokens=count(usage.get("promptTokenCount"))))


def encode_embeddings(embeddings: Embeddings) -> Wire:
    """The body of a reply."""
    return {
        "embeddings": [{"values": row.tolist()} for row in embeddings.vectors],
        "usageMetadata": {"promptTokenCount": embeddings.usage.input_tokens},
    }
