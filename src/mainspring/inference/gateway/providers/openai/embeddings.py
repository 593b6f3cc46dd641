"""Embeddings of the OpenAI dialect. Vectors travel as base64 of little-endian float32, a third of their JSON."""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Usage


def encode_texts(texts: Sequence[str], *, model: str) -> Wire:
    """The body of POST /embeddings."""
    return {"model": model, "input": list(texts), "encoding_format": "base64"}


@misshapen_is(InvalidOutput, "The provider's embeddings cannot be read; try again.")
def decode_embeddings(wire: Wire, *, expected: int) -> Embeddings:
    """The vectors of a reply in the order of the texts; InvalidOutput unless there are `expected` of one length."""
    usage: Wire = wire.get("usage") or {}
    items = sorted(wire["data"], key=lambda item: item["index"])
    vectors = np.stack([_vector(item["embedding"]) for item in items])
    if len(vectors) != expected:
        raise InvalidOutput(f"The provider sent {len(vectors)} embeddings for {expected} texts; try again.")
    return Embeddings(vectors, str(wire.get("model", "")), Usage(input_tokens=count(usage.get("prompt_tokens"))))


def encode_embeddings(embeddings: Embeddings, *, as_base64: bool) -> Wire:
    """The body of a reply."""
    rows = embeddings.vectors.astype("<f4")
    return {
        "object": "list",
        "model": embeddings.model,
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(row.tobytes()).decode() if as_base64 else row.tolist(),
            }
            for index, row in enumerate(rows)
        ],
        "usage": {"prompt_tokens": embeddings.usage.input_tokens, "total_tokens": embeddings.usage.input_tokens},
    }


def _vector(embedding: str | list[float]) -> NDArray[np.float32]:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)
