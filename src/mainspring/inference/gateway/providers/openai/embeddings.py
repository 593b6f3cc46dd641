"""Embeddings of the OpenAI dialect. Vectors travel as base64 of little-endian float32, a third of their JSON."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.refusals import fault
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_TEXTS = 2048


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """What a caller wants embedded.

    dimensions   length of the vectors; None is the model's own
    as_base64    vectors are wanted as base64 of little-endian float32, not as numbers
    """

    texts: tuple[str, ...]
    model: str | None = None
    dimensions: int | None = None
    as_base64: bool = False


def decode_embeddings_request(wire: Wire) -> EmbeddingsRequest:
    """The texts in a body of POST /embeddings; InvalidRequest says what cannot be embedded and why."""
    form, dimensions, model = wire.get("encoding_format"), wire.get("dimensions"), wire.get("model")
    if form not in (None, "float", "base64"):
        raise fault("encoding_format", f"encoding_format is {form!r}; it must be float or base64.")
    if dimensions is not None and (type(dimensions) is not int or dimensions < 1):
        raise fault("dimensions", f"dimensions is {dimensions!r}; it must be a whole number above 0.")
    if not isinstance(model, str | None):
        raise fault("model", "model must be a text.")
    return EmbeddingsRequest(_read_texts(wire.get("input")), model, dimensions, form == "base64")


def _read_texts(given: object) -> tuple[str, ...]:
    texts: list[Any] = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    if any(isinstance(text, int | list) for text in texts):
        raise fault("input", "input holds tokens, whose words depend on the model; send the texts themselves.")
    if not 1 <= len(texts) <= _MOST_TEXTS:
        raise fault("input", f"input must be a text or a list of 1 to {_MOST_TEXTS} texts.")
    if not all(isinstance(text, str) and text for text in texts):
        raise fault("input", "Each text of input must be a text that is not empty.")
    return tuple(texts)


def encode_texts(texts: Sequence[str], *, model: str, dimensions: int | None = None) -> Wire:
    """The body of POST /embeddings."""
    wire: Wire = {"model": model, "input": list(texts), "encoding_format": "base64"}
    return wire | ({"dimensions": dimensions} if dimensions else {})


@misshapen_is(InvalidOutput, "The provider's embeddings cannot be read; try again.")
def decode_embeddings(wire: Wire, *, expected: int) -> Embeddings:
    """The vectors of a reply in the order of the texts; InvalidOutput unless there are `expected` of one length."""
    usage: Wire = wire.get("usage") or {}
    items = sorted(wire["data"], key=lambda item: item["index"])
    import numpy as np  # only who embeds pays for it

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


def _vector(embedding: str | list[float]) -> "NDArray[np.float32]":
    import numpy as np

    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)
