"""OpenAI embeddings: unit vectors that depend on nothing but the text."""

import base64
import hashlib
import math
import struct

from . import chat
from .script import Received, Reply, Wire
from .steps import Frames

_DIMENSIONS = 8


def whole(received: Received, reply: Reply) -> Wire:
    """One vector for each input, as numbers or as base64 of little-endian floats."""
    wire = received.wire
    given = wire.get("input", "")
    texts = given if isinstance(given, list) and not all(isinstance(each, int) for each in given) else [given]
    vectors = [_vector(str(text), int(wire.get("dimensions") or _DIMENSIONS)) for text in texts]
    shown = [_as_base64(vector) if wire.get("encoding_format") == "base64" else vector for vector in vectors]
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(shown)]
    tokens = reply.usage.input if reply.usage else 0
    usage = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if reply.usage else {}
    return {"object": "list", "data": data, "model": received.model, **usage, **reply.extra}


def empty(received: Received, reply: Reply) -> Wire:
    """An answer without vectors."""
    return {**whole(received, reply), "data": []}


def frames(received: Received, reply: Reply) -> Frames:
    """Embeddings are never streamed; asking for it is a mistake of the test."""
    raise LookupError(f"{received.path} has no stream")


empty_frames = frames
error = chat.error
error_frame = chat.error_frame


def _vector(text: str, dimensions: int) -> list[float]:
    numbers = [byte - 127.5 for byte in hashlib.shake_256(text.encode()).digest(dimensions)]
    length = math.hypot(*numbers)
    return [number / length for number in numbers]


def _as_base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
